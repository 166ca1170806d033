import { expect, it } from 'vitest';
import { HashingProgress } from '../../../../apps/peer/src/transfers/hashing-progress.ts';

it('rate and time left come of what is done since it began, and a new beginning forgets that', () => {
  let nowMs = 5_000;
  const hashing = new HashingProgress(() => nowMs);
  hashing.begin();
  expect(hashing.view()).toEqual({ totalBytes: 0, verifiedBytes: 0, bytesPerSecond: 0, etaSeconds: null });
  hashing.follow(0, 1000);
  nowMs += 2_000;
  expect(hashing.view()).toEqual({ totalBytes: 1000, verifiedBytes: 0, bytesPerSecond: 0, etaSeconds: null });
  hashing.follow(400, 1000);
  expect(hashing.view()).toEqual({ totalBytes: 1000, verifiedBytes: 400, bytesPerSecond: 200, etaSeconds: 3 });
  hashing.begin();
  expect(hashing.view()).toEqual({ totalBytes: 1000, verifiedBytes: 0, bytesPerSecond: 0, etaSeconds: null });
});
