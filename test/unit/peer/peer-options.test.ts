import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { hostPortOf } from '#identity/start-input';
import type { PeerFlags } from '#program/peer-settings';
import { readPeerOptions } from '../../../apps/peer/src/peer-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'cohort-options-'));
const file = join(directory, 'tracker_info.txt');
writeFileSync(file, '127.0.0.1:9001\n');
afterAll(() => rmSync(directory, { recursive: true }));

const limitsOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).limits;

it('a limit that nobody gives is left to what was kept', async () => {
  expect(await limitsOf({})).toEqual({});
  expect(await limitsOf({ uploadLimit: 50_000_000, activeTransfers: null })).toEqual({
    uploadBytesPerSecond: 50_000_000,
    activeTransfers: null,
  });
  expect(await limitsOf({ downloadLimit: null })).toEqual({ downloadBytesPerSecond: null });
});

it.each([
  ['0.0.0.0:9101', undefined, /^0\.0\.0\.0 is no address .* --advertise/],
  ['127.0.0.1:443', undefined, /^no peer dials port 443: give one from 1024 on, here or with --advertise/],
  ['127.0.0.1:9101', 'a.example:1023', /^no peer dials port 1023: /],
])('%s, advertised as %s, is refused: nobody could fetch from there', async (address, advertise, message) => {
  await expect(
    readPeerOptions(address, file, { ...(advertise && { advertise: hostPortOf('', advertise) }) }),
  ).rejects.toThrow(message);
});

it('a peer may listen at a low port and be reached at another one', async () => {
  const options = await readPeerOptions('127.0.0.1:443', file, { advertise: { host: 'a.example', port: 1024 } });
  expect(options.advertise).toEqual({ host: 'a.example', port: 1024 });
});

it('what is seeded is scrubbed at half a mebibyte a second, at another rate, or not at all', async () => {
  const rateOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).scrubBytesPerSecond;
  expect(await rateOf({})).toBe(524_288);
  expect(await rateOf({ scrubRate: 2_000_000 })).toBe(2_000_000);
  expect(await rateOf({ scrubRate: null })).toBeNull();
});

it('copies are kept where a folder and a limit were given, and one without the other is refused', async () => {
  const keepingOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).keeping;
  expect(await keepingOf({})).toBeNull();
  const folder = join(directory, 'kept');
  expect(await keepingOf({ keepCopies: folder, keepCopiesLimit: 1.5e12 })).toEqual({ folder, limitBytes: 1.5e12 });
  await expect(keepingOf({ keepCopies: folder })).rejects.toThrow(/^--keep-copies needs --keep-copies-limit <bytes>/);
  await expect(keepingOf({ keepCopiesLimit: 1 })).rejects.toThrow(/^--keep-copies-limit needs --keep-copies <folder>/);
});
