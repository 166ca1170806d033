import { expect, it } from 'vitest';
import { ManifestQuestions } from '../../../../apps/peer/src/swarm/manifest-questions.ts';
import { type Connection, SourceTable } from '../../../../apps/peer/src/swarm/source-table.ts';

const address = { host: '127.0.0.1', port: 7000 };

/** Open connections, one to each of so many sources. */
function connectionsTo(sources: number): Connection[] {
  const table = new SourceTable({ pieceCount: 1, workers: 1, random: () => 0 });
  table.update(Array.from({ length: sources }, (_, at) => ({ peerId: `${at}`, user: `${at}`, addresses: [address] })));
  return table.entries().map((entry, id) => {
    const connection = table.dialled(entry, { id, lane: 0 }, 0);
    table.opened(connection, address, { lane: 0, bitfield: Uint8Array.of(0x80) });
    return connection;
  });
}

it('of 32 sources that are slow few are asked, the next one after twice the time, which is 8 seconds at most', () => {
  const open = connectionsTo(32);
  const questions = new ManifestQuestions();
  const askedAtSeconds: number[] = [];
  for (let ms = 0; ms <= 40_000; ms += 200) {
    if (questions.next(open, ms) !== undefined) askedAtSeconds.push(ms / 1_000);
  }
  expect(askedAtSeconds).toEqual([0, 1, 3, 7, 15, 23, 31, 39]);
});

it('somebody else is asked at once when what came was wrong, or who was asked has gone', () => {
  const open = connectionsTo(4);
  const questions = new ManifestQuestions();
  const first = questions.next(open, 0)!;
  expect(questions.next(open, 0)).toBeUndefined();
  questions.wasWrong();
  const second = questions.next(open, 0)!;
  questions.closed(second);
  const third = questions.next(
    open.filter((each) => each !== second),
    0,
  )!;
  expect(new Set([first, second, third]).size).toBe(3);
  expect(questions.next(open, 0)).toBeUndefined();
});

it('a source is asked once, also over a second connection', () => {
  const [only] = connectionsTo(1);
  const questions = new ManifestQuestions();
  expect(questions.next([only!], 0)).toBe(only);
  expect(questions.next([only!, only!], 60_000)).toBeUndefined();
});
