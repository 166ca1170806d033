// Facts about the units of systemd: its own program reads them without a complaint, and rates what they leave open.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../infra/quick-start/node-process.ts';

/** By the name under which each is started. */
const UNITS = new Map([
  ['cohort-tracker@1.service', 'cohort-tracker@.service'],
  ['cohort-peer.service', 'cohort-peer.service'],
]);
/** Of 10; systemd calls what is below 2 safe. */
const EXPOSURE_MAX = 2;

const missing = spawnSync('systemd-analyze', ['--version']).status === 0 ? null : 'there is no systemd-analyze';
if (missing !== null) {
  if (process.env['COHORT_REQUIRE_SYSTEMD'] === '1') throw new Error(`COHORT_REQUIRE_SYSTEMD=1, but ${missing}`);
  process.stderr.write(`left out, the units of systemd: ${missing}\n`);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-systemd-'));
  for (const [started, unit] of UNITS) {
    const text = readFileSync(join(ROOT, 'infra/systemd', unit), 'utf8');
    writeFileSync(join(folder, started), text.replaceAll('/opt/cohort/', ROOT.endsWith('/') ? ROOT : `${ROOT}/`));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What it complains of, and whether all is well. */
function analyzed(...words: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

describe.skipIf(missing !== null).each([...UNITS.keys()])('%s', (started) => {
  it('is read without a complaint', () => {
    expect(analyzed('verify', '--man=no', join(folder, started))).toEqual({ status: 0, said: '' });
  });

  it('is rated safe', () => {
    const { status, said } = analyzed(
      'security',
      '--offline=true',
      `--threshold=${EXPOSURE_MAX * 10}`,
      join(folder, started),
    );
    expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' });
  });
});

it.skipIf(missing !== null)('a tracker on Kafka is given its client, and copies of the files that this names', () => {
  const unit = join(folder, 'cohort-tracker@1.service');
  mkdirSync(`${unit}.d`);
  cpSync(join(ROOT, 'infra/systemd/kafka.conf'), join(`${unit}.d`, 'kafka.conf'));
  expect(analyzed('verify', '--man=no', unit)).toEqual({ status: 0, said: '' });
});

describe('a tracker', () => {
  const unit = readFileSync(join(ROOT, 'infra/systemd/cohort-tracker@.service'), 'utf8');
  const valuesOf = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, value]) => value!);

  it('has variables of its own, which count before those of all trackers', () => {
    const files = ['-/etc/cohort/tracker.env', '-/etc/cohort/tracker-%i.env'];
    expect(valuesOf(unit, /^EnvironmentFile=(.*)$/gm)).toEqual(files);
  });

  it('gives back what hashing a password took, as it does in the image', () => {
    const threshold = /\bMALLOC_MMAP_THRESHOLD_=(\d+)/g;
    expect(valuesOf(unit, threshold)).toHaveLength(1);
    expect(valuesOf(readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8'), threshold)).toEqual(
      valuesOf(unit, threshold),
    );
  });
});
