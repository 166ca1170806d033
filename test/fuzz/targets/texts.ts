// Owns fuzzing the short texts that people and peers give: addresses, rates, numbers of transfers, names. What is taken, written
// again, is the same, and a name that is taken is the name of a file in any folder.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { fileNameProblem, userNameProblem, utf8Bytes } from '#domain/names';
import { formatHostPort, networkOf, parseHostPort } from '#wire/host-port';
import { formatByteRate, parseByteRate, parseTransferCount } from '#wire/limit-text';
import type { FuzzTarget } from '../fuzz-target.ts';

const SAMPLES = [
  ...['127.0.0.1:9001', '[2001:db8::1]:0', 'name.example:65535', '::ffff:1.2.3.4', 'fe80::1%eth0', '50MB', '1.5GiB/s'],
  ...['none', '3', 'a file.txt', 'Ünïcode', '.hidden', 'con.txt', '\u202efdp.exe', '\u{1f600}'],
];

export const texts: FuzzTarget = {
  name: 'texts',
  sources: ['libs/wire/src/host-port.ts', 'libs/wire/src/limit-text.ts', 'libs/domain/src/names.ts'],
  shape: 'text',
  seeds: () => [...SAMPLES.map((text) => Buffer.from(text))],
  run: (input) => {
    const text = Buffer.from(input).toString();
    checkAddress(text);
    checkLimits(text);
    checkName(text);
  },
};

function checkAddress(text: string): void {
  networkOf(text);
  const parsed = parseHostPort(text);
  if (!parsed.ok) return;
  const { port } = parsed.address;
  assert.ok(Number.isInteger(port) && port >= 0 && port <= 65_535, `port ${port}`);
  assert.deepEqual(parseHostPort(formatHostPort(parsed.address)), parsed, 'an address that is written reads alike');
}

function checkLimits(text: string): void {
  const rate = parseByteRate(text);
  if (rate.ok) assert.deepEqual(parseByteRate(formatByteRate(rate.bytesPerSecond)), rate, 'a rate reads alike');
  const count = parseTransferCount(text);
  if (count.ok) assert.deepEqual(parseTransferCount(String(count.count ?? 'none')), count, 'a number reads alike');
}

function checkName(text: string): void {
  assert.equal(utf8Bytes(text), Buffer.byteLength(text), 'lengths are those of UTF-8');
  if (userNameProblem(text) === null) assert.equal(fileNameProblem(text), null, 'a user may be called like a file');
  if (fileNameProblem(text) !== null) return;
  const path = join('/folder', text);
  assert.equal(dirname(path), '/folder', 'a name lies in its folder');
  assert.equal(path, `/folder/${text}`, 'a name is one component');
}
