import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApiKeys, loadOrCreateToken } from '../../../../apps/peer/src/control/api-keys.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-keys-'));
  path = join(directory, 'control-token');
});
afterEach(() => rmSync(directory, { recursive: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;

it('a token is made once, of 256 random bits that nobody else reads', async () => {
  const token = await loadOrCreateToken(path);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(modeOf(path)).toBe(0o600);
  expect(await loadOrCreateToken(path)).toBe(token);
  expect(await loadOrCreateToken(join(directory, 'other'))).not.toBe(token);
});

it.each([0o640, 0o644, 0o666])('a token that others could read (%o) is theirs no more', async (mode) => {
  writeFileSync(path, 'a-token-of-sixteen\n');
  chmodSync(path, mode);
  expect(await loadOrCreateToken(path)).toBe('a-token-of-sixteen');
  expect(modeOf(path)).toBe(0o600);
});

it.each(['', 'short', 'with a space in the middle', 'x'.repeat(513)])('"%s" is no token', async (text) => {
  writeFileSync(path, text);
  await expect(loadOrCreateToken(path)).rejects.toThrow(`${path} holds no token of 16 to 512 printable characters`);
});

it('a key is stored as its hash, and lasts until it is removed, over restarts too', async () => {
  const open = () =>
    ApiKeys.open({
      dataDirectory: directory,
      controlToken: 'the-control-token',
      now: Date.now,
      damaged: () => undefined,
    });
  const keys = await open();
  const { key, keyId } = await keys.add({ name: 'reader', scope: 'read' });
  const file = join(directory, 'api-keys.json');
  expect(readFileSync(file, 'utf8')).not.toContain(key);
  expect(modeOf(file)).toBe(0o600);
  const again = await open();
  expect([again.scopeOf(key), again.scopeOf('the-control-token'), again.scopeOf(`${key}x`)]).toEqual([
    'read',
    'admin',
    null,
  ]);
  expect(await again.remove(keyId)).toBe(true);
  expect([again.scopeOf(key), (await open()).scopeOf(key)]).toEqual([null, null]);
});
