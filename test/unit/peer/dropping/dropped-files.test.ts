// Files on a real disk, in a data directory of their own.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DROPS_AT_ONCE_MAX } from '#wire/limits';
import { DroppedFiles, type DroppedPlace } from '../../../../apps/peer/src/dropping/dropped-files.ts';

const FOLDER = '11111111-1111-4111-8111-111111111111';
const HOUR_MS = 3_600_000;
let dataDirectory: string;
let used: string[];
let nowMs: number;
let areSomeUnknown: boolean;
let files: DroppedFiles;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'cohort-dropped-'));
  [used, nowMs, areSomeUnknown] = [[], 1_000_000_000, false];
  files = started(dataDirectory);
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

const started = (directory: string): DroppedFiles =>
  new DroppedFiles({
    ...{ dataDirectory: directory, now: () => nowMs },
    ...{ usedPaths: () => used, areSomeUnknown: () => Promise.resolve(areSomeUnknown) },
  });
const place = (change: Partial<DroppedPlace>): DroppedPlace => ({
  name: 'film.mkv',
  folder: undefined,
  path: undefined,
  ...change,
});
const drop = (change: Partial<DroppedPlace>, text = 'bytes', bytes: number | null = null) =>
  files.keep(place(change), Readable.from([Buffer.from(text)]), bytes);
const below = (): string[] =>
  existsSync(join(dataDirectory, 'dropped')) ? readdirSync(join(dataDirectory, 'dropped')) : [];

describe('a file', () => {
  test('is written under its name into a folder of its own, for its owner alone', async () => {
    const [first, second] = [await drop({}), await drop({}, 'other')];
    expect(first).toMatchObject({ status: 'kept' });
    if (first.status !== 'kept' || second.status !== 'kept') return;
    expect(first.path).toBe(join(dataDirectory, 'dropped', first.folder, 'film.mkv'));
    expect([readFileSync(first.path, 'utf8'), readFileSync(second.path, 'utf8')]).toEqual(['bytes', 'other']);
    expect(statSync(first.path).mode & 0o777).toBe(0o600);
  });

  test('of a folder goes below it, and what upload_file takes is the folder', async () => {
    const first = await drop({ name: 'holidays', folder: FOLDER, path: 'sea/a.jpg' });
    const second = await drop({ name: 'holidays', folder: FOLDER.toUpperCase(), path: 'b.jpg' });
    const path = join(dataDirectory, 'dropped', FOLDER, 'holidays');
    expect([first, second]).toEqual([
      { status: 'kept', folder: FOLDER, path },
      { status: 'kept', folder: FOLDER, path },
    ]);
    expect(readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
      'b.jpg',
      'sea',
      join('sea', 'a.jpg'),
    ]);
  });

  test('replaces none that is there', async () => {
    await drop({ folder: FOLDER });
    const again = await drop({ folder: FOLDER }, 'another');
    expect(again).toMatchObject({ code: 'invalid_request', errors: [{ field: 'name' }] });
    expect(readFileSync(join(dataDirectory, 'dropped', FOLDER, 'film.mkv'), 'utf8')).toBe('bytes');
    expect(await drop({ folder: FOLDER, path: 'a' })).toMatchObject({ errors: [{ field: 'path' }] });
  });

  test('that breaks off leaves nothing', async () => {
    const body = new PassThrough();
    body.write('half of it');
    const coming = files.keep(place({ name: 'folder', folder: FOLDER, path: 'a/b' }), body, null);
    body.destroy();
    expect(await coming).toMatchObject({ status: 'failed', code: 'invalid_request' });
    expect(below()).toEqual([]);
  });

  test('for which the disk has no room is refused before it comes', async () => {
    const answer = await drop({}, 'bytes', Number.MAX_SAFE_INTEGER);
    expect(answer).toMatchObject({ code: 'too_large', detail: expect.stringContaining('by its path') as string });
    expect(below()).toEqual([]);
  });

  test('waits for none of those that come at the same time, and too many are told so', async () => {
    const bodies = Array.from({ length: DROPS_AT_ONCE_MAX }, () => new PassThrough());
    const coming = bodies.map((body) => files.keep(place({}), body, null));
    expect(await drop({})).toEqual({ status: 'failed', code: 'busy' });
    for (const body of bodies) body.end('bytes');
    expect((await Promise.all(coming)).every(({ status }) => status === 'kept')).toBe(true);
    expect(await drop({})).toMatchObject({ status: 'kept' });
  });
});

describe('what no transfer refers to', () => {
  test('goes an hour after it came, and what one refers to stays', async () => {
    const [first, second] = [await drop({}), await drop({})];
    if (first.status !== 'kept' || second.status !== 'kept') throw new Error('not kept');
    used = [second.path];
    nowMs += HOUR_MS - 1;
    await files.sweep();
    expect(below()).toHaveLength(2);
    nowMs += 1;
    await files.sweep();
    expect(below()).toEqual([second.folder]);
    used = [join(second.path, 'beside'), `${join(dataDirectory, 'dropped', second.folder)}-other/film.mkv`];
    await files.sweep();
    expect(below()).toEqual([second.folder]);
    used = [];
    nowMs += HOUR_MS - 1;
    await files.sweep();
    expect(below()).toEqual([second.folder]);
    nowMs += 1;
    await files.sweep();
    expect(below()).toEqual([]);
  });

  test('is not what one refers to by another way to the data directory', async () => {
    const first = await drop({});
    const link = `${dataDirectory}-link`;
    symlinkSync(dataDirectory, link);
    try {
      used = first.status === 'kept' ? [first.path] : [];
      nowMs += 2 * HOUR_MS;
      await started(link).sweep();
      expect(below()).toHaveLength(1);
    } finally {
      rmSync(link);
    }
  });

  test('cannot be told of what came before the start while the record of a transfer is damaged', async () => {
    await drop({});
    nowMs += 2 * HOUR_MS;
    areSomeUnknown = true;
    const restarted = started(dataDirectory);
    await restarted.sweep();
    expect(below()).toHaveLength(1);
    const later = await restarted.keep(place({ folder: FOLDER }), Readable.from([Buffer.from('bytes')]), null);
    nowMs += HOUR_MS;
    expect(later.status).toBe('kept');
    await restarted.sweep();
    expect(below()).toHaveLength(1);
    expect(below()).not.toContain(FOLDER);
    areSomeUnknown = false;
    await restarted.sweep();
    expect(below()).toEqual([]);
  });

  test('is asked for once, however much has been dropped', async () => {
    const [first, second, third] = [await drop({}), await drop({}), await drop({})];
    used = [first, second, third].flatMap((kept) => (kept.status === 'kept' ? [kept.path] : []));
    let asked = 0;
    const counted = new DroppedFiles({
      ...{ dataDirectory, now: () => nowMs, areSomeUnknown: () => Promise.resolve(false) },
      usedPaths: () => {
        asked++;
        return used;
      },
    });
    await counted.sweep();
    expect([asked, below().length]).toEqual([1, 3]);
  });

  test('goes when the peer starts an hour later, and nothing goes that was not dropped', async () => {
    const first = await drop({});
    mkdirSync(join(dataDirectory, 'dropped', 'mine'));
    writeFileSync(join(dataDirectory, 'kept'), '');
    utimesSync(join(dataDirectory, 'kept'), 0, 0);
    for (const waitedMs of [HOUR_MS - 1, 1]) {
      expect(below()).toHaveLength(2);
      nowMs += waitedMs;
      const restarted = started(dataDirectory);
      await restarted.start();
      restarted.close();
    }
    expect(first.status).toBe('kept');
    expect(below()).toEqual(['mine']);
    expect(existsSync(join(dataDirectory, 'kept'))).toBe(true);
  });

  test('is not what comes just now', async () => {
    const body = new PassThrough();
    const coming = files.keep(place({}), body, null);
    body.write('half of it');
    nowMs += 2 * HOUR_MS;
    await files.sweep();
    body.end(' and the rest');
    const kept = await coming;
    expect(kept).toMatchObject({ status: 'kept' });
    if (kept.status === 'kept') expect(readFileSync(kept.path, 'utf8')).toBe('half of it and the rest');
  });

  test('is not a folder into which another file comes still', async () => {
    const body = new PassThrough();
    const coming = files.keep(place({ name: 'folder', folder: FOLDER, path: 'long' }), body, null);
    body.write('half of it');
    await drop({ name: 'folder', folder: FOLDER, path: 'short' });
    nowMs += 2 * HOUR_MS;
    await files.sweep();
    body.end(' and the rest');
    const kept = await coming;
    expect(kept).toMatchObject({ status: 'kept' });
    if (kept.status === 'kept') expect(readFileSync(join(kept.path, 'long'), 'utf8')).toBe('half of it and the rest');
  });

  test('can be taken away at once, and what one refers to cannot', async () => {
    const first = await drop({ folder: FOLDER });
    used = first.status === 'kept' ? [first.path] : [];
    expect([await files.remove(FOLDER), below()]).toEqual([false, [FOLDER]]);
    used = [];
    expect([await files.remove(FOLDER), below()]).toEqual([true, []]);
    expect(await files.remove(FOLDER)).toBe(true);
  });
});
