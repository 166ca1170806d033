import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { BadInput, dataDirectoryFor, hostPortOf, readTrackers } from '#identity/start-input';

const directory = mkdtempSync(join(tmpdir(), 'cohort-start-'));
const file = join(directory, 'tracker_info.txt');
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

it('data is kept where the flag says, else where the desktop standard does', () => {
  expect(dataDirectoryFor('peer', 'alice')).toBe(resolve('alice'));
  vi.stubEnv('XDG_DATA_HOME', '/data');
  expect(dataDirectoryFor('tracker', undefined)).toBe('/data/cohort/tracker');
  vi.stubEnv('XDG_DATA_HOME', '');
  vi.stubEnv('HOME', '/home/alice');
  expect(dataDirectoryFor('peer', undefined)).toBe('/home/alice/.local/share/cohort/peer');
  expect(dataDirectoryFor('peer', undefined, { XDG_DATA_HOME: '/other' })).toBe('/other/cohort/peer');
});

it('trackers come from the file, and each line that is wrong is named', async () => {
  writeFileSync(file, '127.0.0.1:9001\nlocalhost 9002\n');
  expect(await readTrackers(file)).toMatchObject([{ port: 9001 }, { host: 'localhost' }]);
  writeFileSync(file, 'a\nb:1\nc:0\n');
  await expect(readTrackers(file)).rejects.toThrow(/:1: .*\n.*:3: /);
  writeFileSync(file, '');
  await expect(readTrackers(file)).rejects.toThrow(`${file}: The file lists no tracker`);
  await expect(readTrackers(join(directory, 'none'))).rejects.toThrow(/^there is no file \/.*none; give the path/);
  await expect(readTrackers(directory)).rejects.toBeInstanceOf(BadInput);
});

it('an address that is none is refused under the name of its flag', () => {
  expect(hostPortOf('--http', '[::1]:80')).toEqual({ host: '::1', port: 80 });
  expect(() => hostPortOf('--http', '80')).toThrow(/^--http: .*127\.0\.0\.1:7070/);
});
