import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventFrames } from '../../../apps/peer/web/src/live/event-frames.ts';

const STREAM =
  ': events\n\nid: 6\n\nid: 7\nevent: group_changed\ndata: {"id":7}\n\nevent: transfer_progress\ndata: {"a":"ä: b"}\n\n: still here\n\ndata: 1\ndata: 2\n\n';
const FRAMES = [
  { id: '6', type: 'message', data: null },
  { id: '7', type: 'group_changed', data: '{"id":7}' },
  { id: null, type: 'transfer_progress', data: '{"a":"ä: b"}' },
  { id: null, type: 'message', data: '1\n2' },
];

test('a stream is read as its events, without its comments', () => {
  expect(new EventFrames().take(STREAM)).toEqual(FRAMES);
});

test('a stream gives the same events in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
      const frames = new EventFrames();
      const ends = [...cuts.toSorted((left, right) => left - right), STREAM.length];
      let begin = 0;
      const read = ends.flatMap((end) => {
        const piece = STREAM.slice(begin, end);
        begin = end;
        return frames.take(piece);
      });
      expect(read).toEqual(FRAMES);
    }),
  );
});

test('an event is given only once its blank line is there', () => {
  const frames = new EventFrames();
  expect(frames.take('data: 1\n')).toEqual([]);
  expect(frames.take('\n')).toEqual([{ id: null, type: 'message', data: '1' }]);
});
