import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
import { fileTable } from '../../../../apps/peer/src/storage/content-layout.ts';
import {
  checkDestination,
  findEarlierPart,
  finishPart,
  preparePart,
  removePart,
} from '../../../../apps/peer/src/storage/destination.ts';
import { outcomeOf } from '../../../../apps/peer/src/storage/storage-problem.ts';
import { refuseForWindows } from '../../../../apps/peer/src/storage/windows-names.ts';

const CONTENT_ID = '5a'.repeat(32);
const SHA1 = '0'.repeat(40);

let folder = '';
let destination = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-destination-'));
  destination = join(folder, 'film');
});
afterEach(() => rmSync(folder, { recursive: true }));

function prepare(files: { path: string; bytes: number }[], contentId = CONTENT_ID): string | null {
  const manifestBytes = Uint8Array.of(1, 2, 3);
  const listed = files.map((file) => ({ ...file, sha1: SHA1 }));
  return preparePart({ destination, contentId, manifestBytes, files: listed });
}

function writerOf(files: readonly { path: string; bytes: number }[], identity: string | null): ContentFiles {
  return new ContentFiles(fileTable({ begin: 0, files }), [`${destination}.part`, destination], {
    flags: 'r+',
    identity,
    makes: true,
  });
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

it.each([
  ['a file', 'a/b'],
  ['a folder', 'a'],
])('a part that was laid ready with %s of it a link is not written through', (_what, linked) => {
  const files = [{ path: 'a/b', bytes: 10 }];
  prepare(files);
  const [place, elsewhere] = [join(`${destination}.part`, linked), join(folder, 'elsewhere')];
  rmSync(place, { recursive: true, force: true });
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'b'), 'of somebody else');
  symlinkSync(linked === 'a' ? elsewhere : join(elsewhere, 'b'), place);
  expect(() => prepare(files)).toThrow(/is a link, and stands where the download writes$/);
  expect(readFileSync(join(elsewhere, 'b'), 'utf8')).toBe('of somebody else');
});

it.each([
  ['a file', 'a/b'],
  ['a folder', 'a'],
])(
  '%s of a part that gives way to a link while it is written is not written through, nor read',
  async (_what, linked) => {
    const files = [{ path: 'a/b', bytes: 10 }];
    const identity = prepare(files);
    const [place, elsewhere] = [join(`${destination}.part`, linked), join(folder, 'elsewhere')];
    rmSync(place, { recursive: true, force: true });
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'b'), 'of others ');
    symlinkSync(linked === 'a' ? elsewhere : join(elsewhere, 'b'), place);
    for (const flags of ['r+', 'r'] as const) {
      const content = new ContentFiles(fileTable({ begin: 0, files }), [`${destination}.part`], {
        flags,
        identity,
        makes: true,
      });
      const target = Buffer.alloc(10, 7);
      const outcome = await outcomeOf(() => (flags === 'r' ? content.read(0, target) : content.write(0, target)));
      expect(outcome.ok).toBe(false);
      expect([...target]).toEqual([...Buffer.alloc(10, 7)]);
    }
    expect(readFileSync(join(elsewhere, 'b'), 'utf8')).toBe('of others ');
  },
);

it('nothing is made in the folder that gives way to a link while it is written', async () => {
  const identity = prepare([{ path: 'a/b', bytes: 10 }]);
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  rmSync(join(`${destination}.part`, 'a'), { recursive: true });
  symlinkSync(elsewhere, join(`${destination}.part`, 'a'));
  expect(
    await outcomeOf(() => writerOf([{ path: 'a/b', bytes: 10 }], identity).write(0, Buffer.alloc(10))),
  ).toMatchObject({
    problem: { code: 'destination_unwritable', detail: expect.stringMatching(/a was replaced by something else/) },
  });
  expect(readdirSync(elsewhere)).toEqual([]);
});

it('two names that are one file on this disk are refused', async () => {
  const files = [
    { path: 'a', bytes: 10, sha1: SHA1 },
    { path: 'b', bytes: 10, sha1: SHA1 },
  ];
  const identity = prepare(files);
  // What a disk does that takes one for the other.
  writeFileSync(join(`${destination}.part`, 'a'), Buffer.alloc(10));
  linkSync(join(`${destination}.part`, 'a'), join(`${destination}.part`, 'b'));
  expect(await outcomeOf(() => finishPart({ destination, overwrite: false, identity, files }))).toMatchObject({
    problem: { code: 'destination_unwritable', detail: expect.stringMatching(/b has two names in the share/) },
  });
  expect(existsSync(destination)).toBe(false);
});

it('a part with a file that is longer than it should be is not put in place', async () => {
  const files = [{ path: 'a', bytes: 10, sha1: SHA1 }];
  const identity = prepare(files);
  writeFileSync(join(`${destination}.part`, 'a'), Buffer.alloc(11));
  expect(await outcomeOf(() => finishPart({ destination, overwrite: false, identity, files }))).toMatchObject({
    problem: { code: 'destination_unwritable', detail: expect.stringMatching(/a was changed by somebody else/) },
  });
  expect(existsSync(destination)).toBe(false);
});

it('the files of a folder are made when their first bytes come, with their modes, and those without bytes at once', async () => {
  const files = [
    { path: 'a/run', bytes: 3, sha1: SHA1, executable: true as const },
    { path: 'b', bytes: 0, sha1: SHA1, executable: true as const },
    { path: 'c', bytes: 4, sha1: SHA1 },
  ];
  const emptyFolders = ['d/e'];
  const manifestBytes = Uint8Array.of(1);
  const identity = preparePart({ destination, contentId: CONTENT_ID, manifestBytes, files, emptyFolders });
  expect(readdirSync(`${destination}.part`, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
    'a',
    'b',
    'd',
    'd/e',
  ]);
  writerOf(files, identity).write(0, Buffer.from('runtext'));
  const stamps = await finishPart({ destination, overwrite: false, identity, files, emptyFolders });
  expect(stamps.map(({ bytes }) => bytes)).toEqual([3, 0, 4]);
  expect(files.map(({ path }) => (statSync(join(destination, path)).mode & 0o100) !== 0)).toEqual([true, true, false]);
  expect(readFileSync(join(destination, 'c'), 'utf8')).toBe('text');
  expect(readdirSync(join(destination, 'd/e'))).toEqual([]);
});

it.each([2, 100])('a tree of %i files is put in place with everything in it', async (count) => {
  const files = Array.from({ length: count }, (_, number) => ({ path: `${number + 100}`, bytes: 1, sha1: SHA1 }));
  const identity = prepare(files);
  writerOf(files, identity).write(0, Buffer.alloc(count, 7));
  await finishPart({ destination, overwrite: false, identity, files });
  expect(readdirSync(destination)).toHaveLength(count);
  expect(readdirSync(folder)).toEqual(['film']);
});

it('a part that is itself a link is not written through', () => {
  const files = [{ path: '', bytes: 10 }];
  prepare(files);
  rmSync(`${destination}.part`);
  symlinkSync(join(folder, 'elsewhere'), `${destination}.part`);
  expect(() => prepare(files)).toThrow(/is a link/);
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
});

it('another content at the same destination starts anew', () => {
  prepare([{ path: '', bytes: 1000 }]);
  writeFileSync(`${destination}.part`, Buffer.alloc(1000, 7));
  expect(findEarlierPart({ destination, contentId: '6b'.repeat(32), pieceCount: 4 })).toBeNull();
  prepare([{ path: '', bytes: 10 }], '6b'.repeat(32));
  expect([...readFileSync(`${destination}.part`)]).toEqual([...Buffer.alloc(10)]);
  expect(readdirSync(folder).sort()).toEqual(['film.part', 'film.part.journal']);
});

it('a part that another download put in the place of ours is neither written, nor served, nor finished', async () => {
  const content = [{ path: '', bytes: 1000 }];
  const identity = prepare(content);
  prepare(content, '6b'.repeat(32));
  const files = fileTable({ begin: 0, files: content });
  const writer = new ContentFiles(files, [`${destination}.part`], { flags: 'r+', identity });
  expect(await outcomeOf(() => writer.write(0, Buffer.alloc(1000, 7)))).toMatchObject({
    problem: { code: 'destination_unwritable' },
  });
  const reader = new ContentFiles(files, [`${destination}.part`], { flags: 'r', identity });
  expect(await outcomeOf(() => reader.read(0, Buffer.alloc(10)))).toMatchObject({
    problem: { code: 'source_changed' },
  });
  const finish = { destination, overwrite: false, identity, files: [{ path: '', bytes: 1000, sha1: SHA1 }] };
  expect(await outcomeOf(() => finishPart(finish))).toMatchObject({ problem: { code: 'destination_unwritable' } });
  expect(readdirSync(folder).sort()).toEqual(['film.part', 'film.part.journal']);
  expect(readFileSync(`${destination}.part`).equals(Buffer.alloc(1000))).toBe(true);
});

it('a part that is made anew is told from the one that was there', () => {
  const made = prepare([{ path: '', bytes: 1000 }]);
  rmSync(`${destination}.part.journal`);
  const taken = prepare([{ path: '', bytes: 1000 }]);
  expect(taken).not.toBe(made);
});

it('what is to be replaced is never written into, even when the part is gone', async () => {
  writeFileSync(destination, 'mine');
  const identity = prepare([{ path: '', bytes: 4 }]);
  rmSync(`${destination}.part`);
  const roots = [`${destination}.part`, destination];
  const writer = new ContentFiles(fileTable({ begin: 0, files: [{ path: '', bytes: 4 }] }), roots, {
    flags: 'r+',
    identity,
  });
  expect(await outcomeOf(() => writer.write(0, Buffer.from('ours')))).toMatchObject({
    problem: { code: 'destination_unwritable' },
  });
  expect(readFileSync(destination, 'utf8')).toBe('mine');
});

it.each([
  ['in subfolders', [{ path: 'a/b', bytes: 4 }]],
  ['without any', [{ path: 'b', bytes: 4 }]],
  ['that is a file', [{ path: '', bytes: 4 }]],
])('a part that is gone while its journal is there is made anew: one %s', async (_what, files) => {
  prepare(files);
  rmSync(`${destination}.part`, { recursive: true });
  if (files[0]?.path === '') writeFileSync(destination, 'mine');
  else for (const place of ['', 'a']) mkdirSync(join(destination, place));
  for (const place of files[0]?.path === '' ? [] : ['b', 'a/b']) writeFileSync(join(destination, place), 'mine');
  const identity = prepare(files);
  expect(identity).not.toBeNull();
  writerOf(files, identity).write(0, Buffer.from('ours'));
  const path = files[0]?.path ?? '';
  expect(readFileSync(join(`${destination}.part`, path), 'utf8')).toBe('ours');
  expect(readFileSync(join(destination, path), 'utf8')).toBe('mine');
  expect(readdirSync(folder).sort()).toEqual(['film', 'film.part', 'film.part.journal']);
});

it('a part that goes while it is made is a failure: without an identity any root would do', () => {
  const file = {
    ...{ path: 'a', sha1: SHA1 },
    get bytes(): number {
      rmSync(`${destination}.part`, { recursive: true });
      return 1;
    },
  };
  const manifestBytes = Uint8Array.of(1);
  expect(() => preparePart({ destination, contentId: CONTENT_ID, manifestBytes, files: [file] })).toThrow(
    /film\.part was taken away meanwhile$/,
  );
});

it("somebody else's file with the name of a part is left alone", async () => {
  writeFileSync(`${destination}.part`, 'mine');
  expect(await codeOf()).toBe('destination_unwritable');
  removePart({ destination });
  expect(readFileSync(`${destination}.part`, 'utf8')).toBe('mine');
});

it("somebody else's file with the name of a journal is left alone, and what may be its part", async () => {
  writeFileSync(`${destination}.part.journal`, 'mine');
  expect(await codeOf()).toBe('destination_unwritable');
  writeFileSync(`${destination}.part`, 'mine too');
  expect(await codeOf()).toBe('destination_unwritable');
  removePart({ destination });
  expect(readFileSync(`${destination}.part.journal`, 'utf8')).toBe('mine');
  expect(readFileSync(`${destination}.part`, 'utf8')).toBe('mine too');
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
  writeFileSync(`${destination}.replaced`, 'mine');
  const identity = prepare([{ path: '', bytes: 3 }]);
  const files = [{ path: '', bytes: 3, sha1: SHA1 }];
  expect(await outcomeOf(() => finishPart({ destination, overwrite: false, identity, files }))).toMatchObject({
    problem: { code: 'destination_exists' },
  });
  await finishPart({ destination, overwrite: true, identity, files });
  expect(statSync(destination).isFile()).toBe(true);
  const inner = { identity: prepare([{ path: 'a/b', bytes: 3 }]), files: [{ path: 'a/b', bytes: 3, sha1: SHA1 }] };
  writerOf(inner.files, inner.identity).write(0, Buffer.alloc(3));
  await finishPart({ destination, overwrite: true, ...inner });
  expect(statSync(join(destination, 'a', 'b')).size).toBe(3);
  expect(readdirSync(folder).sort()).toEqual(['film', 'film.replaced']);
});

it.runIf(existsSync('/dev/full'))('a full disk has its own code', async () => {
  const full = new ContentFiles(fileTable({ begin: 0, files: [{ path: '', bytes: 10 }] }), ['/dev/full'], {
    flags: 'r+',
    identity: null,
  });
  expect(await outcomeOf(() => full.write(0, Buffer.alloc(10)))).toMatchObject({ problem: { code: 'disk_full' } });
  full.close();
});

it('more files than may be open at once are read and written all the same', () => {
  const files = Array.from({ length: 100 }, (_, number) => ({ path: `${number}`, bytes: 10 }));
  prepare(files);
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251));
  const writer = writerOf(files, null);
  writer.write(0, bytes);
  const target = Buffer.alloc(1000);
  writer.read(0, target);
  expect(target.equals(bytes)).toBe(true);
  writer.close();
});

it.each(['a:b', 'inner/a?b', 'a<b'])('on Windows, which has no name like %s, nothing is made of it', (path) => {
  const files = [{ path, bytes: 1 }];
  expect(() => refuseForWindows('/d/album', files, 'win32')).toThrow(
    `${path} cannot be written, Windows has no such name: ask who shared it to rename it`,
  );
  expect(() => refuseForWindows('/d/a|b', [{ path: '' }], 'win32')).toThrow('a|b cannot be written');
  expect(() => refuseForWindows('/d/album', files, 'linux')).not.toThrow();
});

it('a part with names that Windows has not is not begun there', () => {
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'win32' });
  try {
    expect(() => prepare([{ path: 'a:b', bytes: 1 }])).toThrow('a:b cannot be written');
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
  expect(existsSync(`${destination}.part.journal`)).toBe(false);
});
