import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type PeerFlags, readPeerOptions } from '../../../apps/peer/src/peer-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'cohort-options-'));
const file = join(directory, 'tracker_info.txt');
writeFileSync(file, '127.0.0.1:9001\n');
afterAll(() => rmSync(directory, { recursive: true }));

const limitsOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).limits;

it('a limit that no flag names is left to what was kept', async () => {
  expect(await limitsOf({})).toEqual({});
  expect(await limitsOf({ uploadLimit: '50MB', activeTransfers: '3' })).toEqual({
    uploadBytesPerSecond: 50_000_000,
    activeTransfers: 3,
  });
  expect(await limitsOf({ downloadLimit: 'none', activeTransfers: 'none' })).toEqual({
    downloadBytesPerSecond: null,
    activeTransfers: null,
  });
});

it.each([
  [{ uploadLimit: 'fast' }, /^--upload-limit: "fast" is not a rate; .*50MB/],
  [{ downloadLimit: '1' }, /^--download-limit: "1" is out of range; .*1KiB/],
  [{ activeTransfers: '0' }, /^--active-transfers: "0" .*from 1 to 10000/],
  [{ activeTransfers: '2.5' }, /^--active-transfers: "2.5"/],
])('%j is refused by the name of its flag', async (flags, message) => {
  await expect(limitsOf(flags)).rejects.toThrow(message);
});

it.each([
  ['0.0.0.0:9101', undefined, /^0\.0\.0\.0 is no address .* --advertise/],
  ['127.0.0.1:443', undefined, /^no peer dials port 443: give one from 1024 on, here or with --advertise/],
  ['127.0.0.1:9101', 'a.example:1023', /^no peer dials port 1023: /],
])('%s, advertised as %s, is refused: nobody could fetch from there', async (address, advertise, message) => {
  await expect(readPeerOptions(address, file, { ...(advertise && { advertise }) })).rejects.toThrow(message);
});

it('a peer may listen at a low port and be reached at another one', async () => {
  const options = await readPeerOptions('127.0.0.1:443', file, { advertise: 'a.example:1024' });
  expect(options.advertise).toEqual({ host: 'a.example', port: 1024 });
});

it('what is seeded is scrubbed at half a mebibyte a second, at another rate, or not at all', async () => {
  const rateOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).scrubBytesPerSecond;
  expect(await rateOf({})).toBe(524_288);
  expect(await rateOf({ scrubRate: '2MB' })).toBe(2_000_000);
  expect(await rateOf({ scrubRate: '0' })).toBeNull();
  await expect(rateOf({ scrubRate: 'none' })).rejects.toThrow(/^--scrub-rate: "none" is no rate; .*0/);
  await expect(rateOf({ scrubRate: '1' })).rejects.toThrow(/^--scrub-rate: "1" is no rate; give 1KiB or more/);
});

it('copies are kept where a folder and a limit were given, and one without the other is refused', async () => {
  const keepingOf = async (flags: PeerFlags) => (await readPeerOptions('127.0.0.1:0', file, flags)).keeping;
  expect(await keepingOf({})).toBeNull();
  const folder = join(directory, 'kept');
  expect(await keepingOf({ keepCopies: folder, keepCopiesLimit: '1.5TB' })).toEqual({ folder, limitBytes: 1.5e12 });
  await expect(keepingOf({ keepCopies: folder })).rejects.toThrow(/^--keep-copies needs --keep-copies-limit <bytes>/);
  await expect(keepingOf({ keepCopiesLimit: '1GB' })).rejects.toThrow(
    /^--keep-copies-limit needs --keep-copies <folder>/,
  );
  for (const keepCopiesLimit of ['much', '0', '-1', '1GB/s']) {
    const refused = keepingOf({ keepCopies: folder, keepCopiesLimit });
    await expect(refused).rejects.toThrow(`--keep-copies-limit: "${keepCopiesLimit}" is not a number of bytes`);
  }
});
