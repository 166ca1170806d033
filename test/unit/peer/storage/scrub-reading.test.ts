import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { stampFile } from '../../../../apps/peer/src/storage/content-files.ts';
import { type ScrubTask, scrubPieces } from '../../../../apps/peer/src/storage/scrub-reading.ts';

const KIB = 1024;
const PIECE_BYTES = 64 * KIB;
const TOTAL_BYTES = 20 * PIECE_BYTES + 5;

const root = mkdtempSync(join(tmpdir(), 'cohort-scrub-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A clock that goes on only while somebody waits. */
function simulatedClock() {
  const clock = { micros: 0, waits: [] as number[] };
  const sleep = async (ms: number): Promise<void> => {
    clock.waits.push(ms);
    clock.micros += ms * 1000;
  };
  return Object.assign(clock, { nowMicros: () => clock.micros, sleep });
}

/** A file, and the task that reads some of its pieces. */
function taskFor(name: string, bytes: Buffer) {
  const path = join(root, name);
  writeFileSync(path, bytes);
  const task = (run: Pick<ScrubTask, 'firstPiece' | 'pieceCount' | 'bytesPerSecond'>): ScrubTask => ({
    ...{ root: path, run: { first: 0, begin: 0, files: [{ path: '', bytes: bytes.length }] }, stamps: [stamp] },
    ...{ hash: 'sha1', pieceBytes: PIECE_BYTES, totalBytes: bytes.length, ...run, job },
  });
  const stamp = stampFile(path);
  const job = { counters: new BigInt64Array(2) };
  return { path, job, task };
}

it.each([16 * KIB, 100 * KIB, 1024 * KIB])(
  'in no time is more read than %i bytes a second, over many runs one after the other',
  async (bytesPerSecond) => {
    const { job, task } = taskFor('budget', randomBytes(TOTAL_BYTES));
    const clock = simulatedClock();
    const sleep = async (ms: number): Promise<void> => {
      // What was read by now may be ahead by the slice that is waited for.
      const dueBytes = (clock.micros * bytesPerSecond) / 1e6;
      expect(Number(job.counters[0])).toBeLessThanOrEqual(dueBytes + Math.max(16 * KIB, bytesPerSecond / 4));
      await clock.sleep(ms);
    };
    for (let firstPiece = 0; firstPiece < 21; firstPiece += 3) {
      await scrubPieces(task({ firstPiece, pieceCount: 3, bytesPerSecond }), { nowMicros: clock.nowMicros, sleep });
    }
    expect(Number(job.counters[0])).toBe(TOTAL_BYTES);
    const seconds = clock.micros / 1e6;
    expect(seconds).toBeGreaterThan((TOTAL_BYTES / bytesPerSecond) * 0.999);
    expect(seconds).toBeLessThan((TOTAL_BYTES / bytesPerSecond) * 1.01);
  },
);

it('the digests are those of the pieces', async () => {
  const bytes = randomBytes(TOTAL_BYTES);
  const { task } = taskFor('digests', bytes);
  const digests = await scrubPieces(task({ firstPiece: 19, pieceCount: 2, bytesPerSecond: 1e9 }), simulatedClock());
  const expected = [19, 20].map((piece) =>
    createHash('sha1')
      .update(bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES))
      .digest(),
  );
  expect(Buffer.from(digests)).toEqual(Buffer.concat(expected));
});

it('no wait is long, and work that is called off ends at the next one', async () => {
  const { job, task } = taskFor('aborted', randomBytes(TOTAL_BYTES));
  const clock = simulatedClock();
  const sleep = async (ms: number): Promise<void> => {
    await clock.sleep(ms);
    if (clock.waits.length === 3) job.counters[1] = 1n;
  };
  const scrub = scrubPieces(task({ firstPiece: 0, pieceCount: 21, bytesPerSecond: 1024 }), { ...clock, sleep });
  await expect(scrub).rejects.toMatchObject({ problem: { code: 'aborted' } });
  expect(clock.waits).toEqual([100, 100, 100]);
});

it('a file that was touched while it was read, or before, is changed and not damaged', async () => {
  const { path, task } = taskFor('touched', randomBytes(TOTAL_BYTES));
  const run = { firstPiece: 0, pieceCount: 1, bytesPerSecond: 1e9 };
  await expect(scrubPieces(task(run), simulatedClock())).resolves.toBeDefined();
  utimesSync(path, statSync(path).atime, 1);
  await expect(scrubPieces(task(run), simulatedClock())).rejects.toMatchObject({ problem: { code: 'source_changed' } });
  rmSync(path);
  await expect(scrubPieces(task(run), simulatedClock())).rejects.toMatchObject({ problem: { code: 'source_missing' } });
});
