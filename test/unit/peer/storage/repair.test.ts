import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkRepair } from '../../../../apps/peer/src/storage/repair.ts';
import { outcomeOf } from '../../../../apps/peer/src/storage/storage-problem.ts';

const SHA1 = '0'.repeat(40);

it('a repair needs room for what is missing beside the copy, and again for what the copy has to grow by', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-repair-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const destination = join(folder, 'film');
  writeFileSync(destination, '');
  const { bavail, bsize } = statfsSync(folder);
  const missingBytes = Math.floor(bavail * bsize * 0.6);
  const check = (bytes: number) =>
    outcomeOf(() =>
      checkRepair({
        destination,
        contentId: 'c0'.repeat(32),
        files: [{ path: '', bytes, sha1: SHA1 }],
        missingBytes,
        throughLink: false,
      }),
    );
  expect(await check(missingBytes)).toMatchObject({ ok: false, problem: { code: 'disk_full' } });
  expect(await check(0)).toMatchObject({ ok: true });
});
