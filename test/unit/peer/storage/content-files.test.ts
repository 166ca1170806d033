// Facts about the open files of a content: with stamps, nothing is read that is not what was shared, however it came to be something
// else while its file was open.
import { linkSync, mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stampsInSharedMemory } from '../../../../apps/peer/src/data-plane/shared-memory.ts';
import { ContentFiles, stampFile } from '../../../../apps/peer/src/storage/content-files.ts';
import { fileTable } from '../../../../apps/peer/src/storage/content-layout.ts';

const BYTES = 3000;

let folder: string;
let path: string;
let stamps: Float64Array;
let content: ContentFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-content-files-'));
  path = join(folder, 'a');
  writeFileSync(path, Buffer.alloc(BYTES, 1));
  stamps = stampsInSharedMemory([stampFile(path)]);
  const files = fileTable({ begin: 0, files: [{ path: 'a', bytes: BYTES }] });
  content = new ContentFiles(files, [folder], { flags: 'r', identity: null });
});
afterEach(() => {
  content.close();
  rmSync(folder, { recursive: true });
});

function readAll(): Buffer {
  const target = Buffer.alloc(BYTES);
  content.read(0, target, stamps);
  return target;
}

test('what was shared is read', () => {
  expect(readAll()).toEqual(Buffer.alloc(BYTES, 1));
});

const CHANGES: Record<string, { readonly change: () => void; readonly code: string }> = {
  'written to': { change: () => utimesSync(path, 1, 1), code: 'source_changed' },
  'cut short': { change: () => truncateSync(path, 10), code: 'source_changed' },
  'taken away': { change: () => rmSync(path), code: 'source_missing' },
  'moved away': { change: () => renameSync(path, join(folder, 'b')), code: 'source_missing' },
  'kept under another name, with another one in its place': {
    change: () => {
      renameSync(path, join(folder, 'b'));
      writeFileSync(path, Buffer.alloc(BYTES, 2));
    },
    code: 'source_changed',
  },
  'taken away, and has another name': {
    change: () => {
      linkSync(path, join(folder, 'b'));
      rmSync(path);
    },
    code: 'source_missing',
  },
  'replaced by another one': {
    change: () => {
      writeFileSync(join(folder, 'b'), Buffer.alloc(BYTES, 2));
      renameSync(join(folder, 'b'), path);
    },
    code: 'source_changed',
  },
};

test.each(Object.entries(CHANGES))('a file that was %s is read no more, open or not', (_, { change, code }) => {
  readAll();
  change();
  expect(readAll).toThrow(expect.objectContaining({ problem: expect.objectContaining({ code }) }) as Error);
  content.close();
  expect(readAll).toThrow(expect.objectContaining({ problem: expect.objectContaining({ code }) }) as Error);
});
