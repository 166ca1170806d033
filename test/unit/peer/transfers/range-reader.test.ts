// Facts about one reader over a copy that a test makes come and go: content of four pieces of 1 MiB.
import { describe, expect, it } from 'vitest';
import type { Manifest } from '#domain/manifest';
import { setBit } from '#domain/bitfield';
import type { Refused } from '#wire/tracker-api';
import { type ReadableCopy, TransferFailure } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { ChangeWaiters } from '../../../../apps/peer/src/transfers/change-waiters.ts';
import { RangeReader, type ReadSource } from '../../../../apps/peer/src/transfers/range-reader.ts';

const MIB = 1024 * 1024;
const MANIFEST: Manifest = {
  ...{ version: 1, totalBytes: 4 * MIB, pieceBytes: MIB, hash: 'sha1' },
  files: [{ path: '', bytes: 4 * MIB, sha1: '0'.repeat(40) }],
  pieceDigests: new Uint8Array(80),
};
const GONE: Refused = { status: 'failed', code: 'not_a_member' };

function readerOf(about: Partial<ReadSource> = {}, place = { at: 0, end: 4 * MIB }) {
  const verified = new Uint8Array(1);
  const copy: ReadableCopy = { roots: ['/x'], identity: null, verified };
  const places: number[] = [];
  const damage: string[] = [];
  const work = new AbortController();
  const changes = new ChangeWaiters();
  const come = (piece: number): void => {
    setBit(verified, piece);
    changes.wake();
  };
  let taken = 0;
  const source: ReadSource = {
    engine: {
      readPiece: async ({ begin, target }) => {
        target.fill(begin / MIB);
        return true;
      },
    },
    ...{ manifest: MANIFEST, copy: () => copy, isComing: () => false, stallMs: 60_000, changes },
    damaged: (detail) => damage.push(detail),
    ...about,
  };
  const reader = new RangeReader(source, place, {
    signal: work.signal,
    moved: ({ at }) => places.push(at),
    taken: () => taken++,
  });
  return { reader, verified, come, places, damage, work, changes, takenCount: () => taken };
}

describe('a reader', () => {
  it('gets a piece as soon as it is there, and says where it is', async () => {
    const { reader, come, places, takenCount } = readerOf({}, { at: 0.5 * MIB, end: 1.25 * MIB });
    const first = reader.next();
    expect(takenCount()).toBe(0);
    come(0);
    expect(await first).toHaveLength(0.5 * MIB);
    expect(takenCount()).toBe(1);
    const second = reader.next();
    come(1);
    expect(await second).toHaveLength(0.25 * MIB);
    expect(await reader.next()).toBeNull();
    expect(places).toEqual([0.5 * MIB, MIB]);
  });

  it('gives bytes that are good until the call after the next one', async () => {
    const { reader, verified } = readerOf();
    for (const piece of [0, 1, 2]) setBit(verified, piece);
    const [first, second] = [(await reader.next()) as Uint8Array, (await reader.next()) as Uint8Array];
    expect([first[0], second[0], first.buffer === second.buffer]).toEqual([0, 1, false]);
    const third = (await reader.next()) as Uint8Array;
    expect([third[0], second[0], third.buffer === first.buffer]).toEqual([2, 1, true]);
  });

  it('waits for a piece no longer than nothing comes', async () => {
    const begunMs = performance.now();
    expect(await readerOf({ stallMs: 100 }).reader.next()).toMatchObject({ code: 'content_unavailable' });
    expect(performance.now() - begunMs).toBeGreaterThanOrEqual(100);
    let looks = 0;
    const isComing = (): boolean => {
      if (++looks === 40) setBit(slow.verified, 0);
      return true;
    };
    const slow = readerOf({ isComing, stallMs: 100 });
    expect(await slow.reader.next()).toHaveLength(MIB);
  });

  it('is told why it gets no more', async () => {
    let now: ReadableCopy | 'soon' | Refused = 'soon';
    const { reader, changes } = readerOf({ copy: () => now });
    const next = reader.next();
    now = GONE;
    changes.wake();
    expect(await next).toEqual(GONE);
  });

  it('that was ended waits for nothing', async () => {
    const { reader, work, changes } = readerOf();
    const next = reader.next();
    work.abort();
    changes.wake();
    expect(await next).toMatchObject({ code: 'content_unavailable' });
    expect(await reader.next()).toMatchObject({ code: 'content_unavailable' });
  });

  it.each([
    ['is another one', () => Promise.resolve(false), 1],
    ['is gone', () => Promise.reject(new TransferFailure('source_missing', 'gone')), 1],
    ['cannot be read', () => Promise.reject(new TransferFailure('source_unreadable', 'broken')), 0],
  ])('gets nothing of a piece that %s', async (_, readPiece, damages) => {
    const { reader, verified, damage } = readerOf({ engine: { readPiece } });
    setBit(verified, 0);
    expect(await reader.next()).toMatchObject({ status: 'failed', code: 'content_unavailable' });
    expect(damage).toHaveLength(damages);
  });
});
