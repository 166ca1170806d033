import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuditKeys } from '../../../../apps/tracker/src/audit/audit-keys.ts';

let folder: string;
let keys: AuditKeys;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'cohort-audit-keys-')), 'audit-keys');
  keys = new AuditKeys(folder);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

it('a key is stored as its hash, in a file that nobody else reads, and counts at once', async () => {
  const running = new AuditKeys(folder);
  const { keyId, key } = await keys.create('Ada of the auditors');
  expect(await running.keyOf(key)).toMatchObject({ keyId, name: 'Ada of the auditors' });
  const [file] = readdirSync(folder);
  expect(readFileSync(join(folder, file!), 'utf8')).not.toContain(key.split('.')[1]);
  expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600);
});

it('a key that was deleted counts no more, and the others go on to', async () => {
  const [one, other] = [await keys.create('one'), await keys.create('other')];
  expect((await keys.list()).map(({ name }) => name).sort()).toEqual(['one', 'other']);
  expect(await keys.delete(one.keyId)).toBe(true);
  expect([await keys.keyOf(one.key), (await keys.keyOf(other.key))?.name]).toEqual([null, 'other']);
  expect(await keys.delete(one.keyId)).toBe(false);
});

it.each([
  ['with another secret', (key: string) => key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
  ['cut short', (key: string) => key.slice(0, -1)],
  ['with something behind it', (key: string) => `${key}x`],
  ['of an id alone', (key: string) => key.split('.')[0]!],
  ['of another id', (key: string) => key.replace(/^./, (first) => (first === '0' ? '1' : '0'))],
  ['that leads elsewhere', (key: string) => `../../${key}`],
  ['of nothing', () => ''],
])('a token %s is no key', async (_what, tokenOf) => {
  const { key } = await keys.create('one');
  expect(await keys.keyOf(tokenOf(key))).toBeNull();
});

it('a file that was damaged is no key, and keeps no other from counting', async () => {
  const [one, other] = [await keys.create('one'), await keys.create('other')];
  for (const text of ['', '{}', '{"keyId":"a","name":"b","createdAt":"c","keyHash":"d"}']) {
    writeFileSync(join(folder, `${one.keyId}.json`), text);
    expect(await keys.keyOf(one.key)).toBeNull();
  }
  expect((await keys.list()).map(({ keyId }) => keyId)).toEqual([other.keyId]);
});

it.each(['', 'two\nlines', 'x'.repeat(65)])('%j names nobody', async (name) => {
  await expect(keys.create(name)).rejects.toThrow('<name>: say whose key it is');
});

it('a tracker without a folder for them has no keys', async () => {
  const { key } = await keys.create('one');
  expect(await new AuditKeys(null).keyOf(key)).toBeNull();
  expect(await new AuditKeys(join(folder, 'none')).list()).toEqual([]);
});
