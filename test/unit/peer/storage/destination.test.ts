import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ContentFiles } from '../../../../apps/peer/src/storage/content-files.ts';
import {
  checkDestination,
  findEarlierPart,
  finishPart,
  preparePart,
  removePart,
} from '../../../../apps/peer/src/storage/destination.ts';
import { outcomeOf } from '../../../../apps/peer/src/storage/storage-problem.ts';

const CONTENT_ID = '5a'.repeat(32);
const SHA1 = '0'.repeat(40);

let folder = '';
let destination = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-destination-'));
  destination = join(folder, 'film');
});
afterEach(() => rmSync(folder, { recursive: true }));

function prepare(files: { path: string; bytes: number }[], contentId = CONTENT_ID): void {
  const manifestBytes = Uint8Array.of(1, 2, 3);
  preparePart({ destination, contentId, manifestBytes, files: files.map((file) => ({ ...file, sha1: SHA1 })) });
}

function codeOf(overwrite = false): Promise<unknown> {
  return outcomeOf(() => checkDestination({ destination, overwrite, totalBytes: 10 })).then((outcome) =>
    outcome.ok ? null : outcome.problem.code,
  );
}

it('a part has its full length from the start, and keeps what it has when it is gone on with', () => {
  prepare([{ path: '', bytes: 1000 }]);
  expect(statSync(`${destination}.part`).size).toBe(1000);
  writeFileSync(`${destination}.part`, Buffer.alloc(1000, 7));
  prepare([{ path: '', bytes: 1000 }]);
  expect(readFileSync(`${destination}.part`).every((byte) => byte === 7)).toBe(true);
  expect(findEarlierPart({ destination, contentId: CONTENT_ID, pieceCount: 4 })).toMatchObject({
    manifestBytes: Buffer.of(1, 2, 3),
  });
});

it('another content at the same destination starts anew', () => {
  prepare([{ path: '', bytes: 1000 }]);
  writeFileSync(`${destination}.part`, Buffer.alloc(1000, 7));
  expect(findEarlierPart({ destination, contentId: '6b'.repeat(32), pieceCount: 4 })).toBeNull();
  prepare([{ path: '', bytes: 10 }], '6b'.repeat(32));
  expect([...readFileSync(`${destination}.part`)]).toEqual([...Buffer.alloc(10)]);
});

it("somebody else's file with the name of a part is left alone", async () => {
  writeFileSync(`${destination}.part`, 'mine');
  expect(await codeOf()).toBe('destination_unwritable');
  removePart({ destination });
  expect(readFileSync(`${destination}.part`, 'utf8')).toBe('mine');
});

it('a destination that is there, even as a dangling link, needs overwrite', async () => {
  expect(await codeOf()).toBeNull();
  symlinkSync('/nowhere', destination);
  expect(await codeOf()).toBe('destination_exists');
  expect(await codeOf(true)).toBeNull();
});

it('a file takes the place of a folder, and a folder that of a file, only when asked to', async () => {
  mkdirSync(destination);
  writeFileSync(join(destination, 'old'), 'old');
  prepare([{ path: '', bytes: 3 }]);
  const files = [{ path: '', bytes: 3, sha1: SHA1 }];
  expect(await outcomeOf(() => finishPart({ destination, overwrite: false, files }))).toMatchObject({
    problem: { code: 'destination_exists' },
  });
  await finishPart({ destination, overwrite: true, files });
  expect(statSync(destination).isFile()).toBe(true);
  prepare([{ path: 'a/b', bytes: 3 }]);
  await finishPart({ destination, overwrite: true, files: [{ path: 'a/b', bytes: 3, sha1: SHA1 }] });
  expect(statSync(join(destination, 'a', 'b')).size).toBe(3);
  for (const rest of ['.part', '.part.journal', '.replaced']) expect(existsSync(`${destination}${rest}`)).toBe(false);
});

it.runIf(existsSync('/dev/full'))('a full disk has its own code', async () => {
  const full = new ContentFiles([{ path: '', begin: 0, bytes: 10 }], ['/dev/full'], 'r+');
  expect(await outcomeOf(() => full.write(0, Buffer.alloc(10)))).toMatchObject({ problem: { code: 'disk_full' } });
  full.close();
});

it('more files than may be open at once are read and written all the same', () => {
  const files = Array.from({ length: 100 }, (_, number) => ({ path: `${number}`, begin: number * 10, bytes: 10 }));
  prepare(files);
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251));
  const writer = new ContentFiles(files, [`${destination}.part`], 'r+');
  writer.write(0, bytes);
  const target = Buffer.alloc(1000);
  writer.read(0, target);
  expect(target.equals(bytes)).toBe(true);
  writer.close();
});
