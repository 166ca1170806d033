import { expect, it } from 'vitest';
import {
  compareTrackers,
  type DigestAt,
  type TrackerPort,
} from '../../../../apps/tracker/src/audit/tracker-comparison.ts';

interface Played {
  readonly name?: string;
  readonly logId?: string;
  readonly appliedOffset: number;
  /** From here on it has something else. */
  readonly strangeFrom?: number;
  readonly strange?: 'records' | 'effects';
  /** Before here it holds only the digest of the last of every 1,024. */
  readonly denseFrom?: number;
}

function played({
  name = 'one',
  logId = 'a',
  appliedOffset,
  strangeFrom = Infinity,
  strange = 'records',
  denseFrom = 0,
}: Played): TrackerPort {
  const digestAt = (offset: number): DigestAt | null => {
    if (offset > appliedOffset || (offset < denseFrom && (offset + 1) % 1_024 !== 0)) return null;
    const isStrange = offset >= strangeFrom;
    const root = isStrange && strange === 'records' ? `strange ${offset}` : `root ${offset}`;
    return { offset, root, digest: isStrange ? `strange ${offset}` : `digest ${offset}` };
  };
  return {
    name,
    status: () => Promise.resolve({ logId, appliedOffset }),
    digestAt: (offset) => Promise.resolve(digestAt(offset)),
  };
}

it('two that have the same are equal at the last offset of the one that is behind', async () => {
  const found = await compareTrackers(played({ appliedOffset: 90 }), played({ appliedOffset: 70 }));
  expect(found).toMatchObject({ verdict: 'equal', offset: 70, firstDifference: null, problem: null });
});

it.each([0, 1, 17, 4_095, 4_096, 9_999])('finds that they differ from offset %i on', async (strangeFrom) => {
  const found = await compareTrackers(played({ appliedOffset: 9_999 }), played({ appliedOffset: 9_999, strangeFrom }));
  expect(found).toMatchObject({
    verdict: 'different',
    firstDifference: { kind: 'records', equalAt: strangeFrom - 1, differentAt: strangeFrom },
  });
});

it('comes as near as the digests that are held, and tells records from effects', async () => {
  const about = { appliedOffset: 9_999, denseFrom: 8_000 };
  const found = await compareTrackers(played(about), played({ ...about, strangeFrom: 5_000, strange: 'effects' }));
  expect(found.firstDifference).toEqual({ kind: 'effects', equalAt: 4_095, differentAt: 5_119 });
});

it('trackers of two logs are different, and one that has nothing yet cannot be compared', async () => {
  const one = played({ appliedOffset: 9 });
  expect(await compareTrackers(one, played({ appliedOffset: 9, logId: 'b' }))).toMatchObject({
    verdict: 'different',
    left: null,
  });
  await expect(compareTrackers(one, played({ appliedOffset: -1 }))).rejects.toMatchObject({ code: 'log_unavailable' });
});
