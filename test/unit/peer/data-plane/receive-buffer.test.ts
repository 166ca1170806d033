import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiveBuffer } from '../../../../apps/peer/src/data-plane/receive-buffer.ts';

const CHUNK_BYTES = 16 * 1024;

/** What was handed on, byte for byte, and in how many runs. */
function receiving(plain: boolean) {
  const runs: Buffer[] = [];
  const received = new ReceiveBuffer(plain, (run) => runs.push(Buffer.from(run)));
  let sent = 0;
  const receive = (length: number, skipped = 0): void => {
    const place = received.next();
    expect(place.length).toBeGreaterThanOrEqual(length);
    for (let at = 0; at < length; at++) place[at] = sent++ % 251;
    received.keep(received.take(length), skipped, length);
  };
  return { runs, received, receive };
}

it('what is dropped is handed on no more', () => {
  const { runs, received, receive } = receiving(false);
  receive(1000);
  received.drop();
  receive(10);
  received.flush();
  expect(runs.map((run) => run.length)).toEqual([10]);
});

it('what a closed connection received into is what the next one receives into', () => {
  const first = new ReceiveBuffer(false, () => {});
  const memory = first.next().buffer;
  expect(new ReceiveBuffer(false, () => {}).next().buffer).not.toBe(memory);
  first.release();
  expect(new ReceiveBuffer(false, () => {}).next().buffer).toBe(memory);
});

describe('with the chunks of TLS', () => {
  it('chunks that follow each other are handed on as one run', () => {
    const { runs, received, receive } = receiving(false);
    for (let number = 0; number < 16; number++) receive(CHUNK_BYTES);
    received.flush();
    expect(runs.map((run) => run.length)).toEqual([256 * 1024]);
  });

  it('a header between two blocks parts the runs', () => {
    const { runs, received, receive } = receiving(false);
    receive(1000);
    receive(1000, 13);
    received.flush();
    expect(runs.map((run) => run.length)).toEqual([1000, 987]);
  });

  it('nothing is lost, doubled or changed, whatever comes in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: CHUNK_BYTES }), { maxLength: 60 }), (lengths) => {
        const { runs, received, receive } = receiving(false);
        for (const length of lengths) receive(length);
        received.flush();
        const total = lengths.reduce((sum, length) => sum + length, 0);
        const expected = Buffer.from(Array.from({ length: total }, (_, at) => at % 251));
        expect(Buffer.concat(runs).equals(expected)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

it('a plain socket always has room for a long read', () => {
  const { received } = receiving(true);
  for (let number = 0; number < 20; number++) {
    const place = received.next();
    expect(place.length).toBeGreaterThanOrEqual(128 * 1024);
    received.keep(received.take(50_000), 0, 50_000);
  }
});
