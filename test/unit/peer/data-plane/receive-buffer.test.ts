import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PIECE_HEADER_BYTES } from '#wire/transfer-frame';
import { ReceiveBuffer } from '../../../../apps/peer/src/data-plane/receive-buffer.ts';

const CHUNK_BYTES = 16 * 1024;

/** What was handed on, byte for byte, and in how many runs. */
function receiving(plain: boolean) {
  const runs: Buffer[] = [];
  const received = new ReceiveBuffer(plain, (run) => runs.push(Buffer.from(run)));
  let sent = 0;
  const receive = (length: number, skipped = 0): void => {
    const place = received.next(0);
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
  const memory = first.next(0).buffer;
  expect(new ReceiveBuffer(false, () => {}).next(0).buffer).not.toBe(memory);
  first.release();
  expect(new ReceiveBuffer(false, () => {}).next(0).buffer).toBe(memory);
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
    const place = received.next(0);
    expect(place.length).toBeGreaterThanOrEqual(128 * 1024);
    received.keep(received.take(50_000), 0, 50_000);
  }
});

/** Runs of three blocks with their headers. */
function runsOfBlocks(plain: boolean): number[] {
  const runs: number[] = [];
  const received = new ReceiveBuffer(plain, (run) => runs.push(run.length));
  for (let block = 0; block < 3; block++) {
    let blockBytesLeft = 0;
    let at = -PIECE_HEADER_BYTES;
    while (at < BLOCK_BYTES) {
      // A record of TLS ends with its block; of a plain stream all comes that there is room for.
      const length = Math.min(
        received.next(blockBytesLeft).length,
        plain ? Infinity : Math.min(CHUNK_BYTES, BLOCK_BYTES - at),
      );
      expect(length).toBeLessThanOrEqual(BLOCK_BYTES - at);
      const skipped = Math.max(0, -at);
      received.keep(received.take(length), skipped, length);
      at += length;
      blockBytesLeft = BLOCK_BYTES - at;
    }
    received.flush();
  }
  return runs;
}

const BLOCK_BYTES = 512 * 1024;
const HALF = BLOCK_BYTES / 2;
it.each([
  { plain: true, runs: [HALF, HALF] },
  { plain: false, runs: [HALF - PIECE_HEADER_BYTES, HALF + PIECE_HEADER_BYTES] },
])('every block is handed on in two runs, and shifts none of the next: %o', ({ plain, runs }) => {
  expect(runsOfBlocks(plain)).toEqual([...runs, ...runs, ...runs]);
});
