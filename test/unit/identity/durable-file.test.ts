import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasFields, LineFile, readJsonIfSound, readTextIfThere, ReplacedFile } from '#identity/durable-file';

let directory: string;
const failures: string[] = [];
const writeFailed = (path: string): number => failures.push(path);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-durable-'));
  failures.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('of writes that wait for one another the last one stands', async () => {
  const path = join(directory, 'file');
  const file = new ReplacedFile(path);
  await Promise.all(['a', 'b', 'c'].map((text) => file.write(text)));
  expect(readFileSync(path, 'utf8')).toBe('c');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a write in the turn in which the one before ends is not lost', async () => {
  const path = join(directory, 'file');
  const file = new ReplacedFile(path);
  for (let round = 0; round < 50; round++) {
    const first = file.write(`first ${round}`);
    await Promise.all(['second', 'third'].map(async (word) => first.then(() => file.write(`${word} ${round}`))));
    expect(await readTextIfThere(path)).toBe(`third ${round}`);
  }
});

test('a write that fails is told, and the next one tries again', async () => {
  const path = join(directory, 'missing', 'file');
  const file = new ReplacedFile(path, writeFailed);
  expect(await file.write('a')).toBe(false);
  expect(failures).toEqual([path]);
  await expect(new ReplacedFile(path).write('a')).rejects.toThrow('ENOENT');
});

test('a file that is not there has no text and no lines', async () => {
  expect(await readTextIfThere(join(directory, 'none'))).toBeNull();
  expect(new LineFile(join(directory, 'none'), writeFailed).readAll()).toEqual([]);
});

test('a line that a crash cut off is dropped, the others stay', () => {
  const path = join(directory, 'lines');
  const file = new LineFile<{ n: number }>(path, writeFailed);
  file.append({ n: 1 });
  file.append({ n: 2 });
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"n":`);
  expect(file.readAll()).toEqual([{ n: 1 }, { n: 2 }]);
  file.append({ n: 4 });
  expect(file.readAll()).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }]);
  file.replace([{ n: 3 }]);
  expect(file.readAll()).toEqual([{ n: 3 }]);
});

test('lines that replace others are taken as they are written, and the old ones stay until all are', () => {
  const path = join(directory, 'lines');
  const file = new LineFile<{ n: number }>(path, writeFailed);
  file.append({ n: -1 });
  const count = 100_000;
  let writtenBefore = 0;
  function* lines() {
    for (let n = 0; n < count; n++) yield { n };
    writtenBefore = readFileSync(`${path}.new`, 'utf8').split('\n').length;
    expect(file.readAll()).toEqual([{ n: -1 }]);
  }
  file.replace(lines());
  expect(writtenBefore).toBeGreaterThan(count / 2);
  expect(file.readAll()).toEqual(Array.from({ length: count }, (_, n) => ({ n })));
});

test.each(['', '{"n":1', 'null', '5', '[]', '{}', '{"n":null}', '{"n":"1"}'])(
  'a file that holds %j is put aside and told, and counts as missing',
  async (text) => {
    const path = join(directory, 'file');
    const damaged: string[] = [];
    const check = {
      isSound: (value: unknown): value is { n: number } => hasFields(value, { n: 'number' }),
      damaged: (of: string) => damaged.push(of),
    };
    writeFileSync(path, text);
    expect(await readJsonIfSound(path, check)).toBeNull();
    expect(damaged).toEqual([path]);
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(text);
    expect(await readJsonIfSound(path, check)).toBeNull();
    expect(damaged).toEqual([path]);
    writeFileSync(path, '{\n  "n": 1\n}');
    expect(await readJsonIfSound(path, check)).toEqual({ n: 1 });
  },
);

test('a line that is no object is left out', () => {
  const path = join(directory, 'lines');
  writeFileSync(path, 'null\n5\n{"n":1}\n"x"\n');
  expect(new LineFile<{ n: number }>(path, writeFailed).readAll()).toEqual([{ n: 1 }]);
});
