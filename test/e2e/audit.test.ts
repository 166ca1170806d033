// What an auditor types: `cohort audit` over a log that real trackers could have written, on SQLite, on Kafka and exported, and
// the lines of the README that read it without Cohort.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Broker, startBroker } from '../../infra/kafka/broker.mjs';
import { AuditKeys } from '../../apps/tracker/src/audit/audit-keys.ts';
import { openLogSource } from '../../apps/tracker/src/audit/log-source.ts';
import { replay } from '../../apps/tracker/src/audit/replay.ts';
import { LAUNCHER } from '../../infra/quick-start/node-process.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import type { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';
import { formatFingerprint } from '#wire/tracker-info';
import { derivedOf, randomRecords } from '../unit/tracker/random-log.ts';
import { printedBy, printedOf, rawLogCommands, rawLogSkipReason } from './raw-log.ts';
import { Cluster, LOGS, until } from './cluster.ts';
import { Cleanup } from './tracker-harness.ts';
import { cohort, endOf, startCohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 90_000 });

const records = randomRecords(7, 400, { isTruthful: true, isWellFormed: true });
const derived = derivedOf(records);
let folder: string;
/** By the kind of log: root and digest at every offset. */
const cameTo = new Map<string, readonly string[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-audit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `cohort audit` printed, each line as JSON; fails when it ended with another exit code. */
async function answers(exitCode: number, ...words: string[]): Promise<Record<string, unknown>[]> {
  const typed = await cohort(['audit', ...words, '--json']);
  const isExpected = exitCode === 0 ? typed.complaint === '' : true;
  expect({ words, exitCode: typed.exitCode, isExpected }).toEqual({ words, exitCode, isExpected: true });
  return typed.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each(LOGS)('the log on $log', ({ log: kind, skipReason }) => {
  let url: string;
  let broker: Broker | null = null;

  beforeAll(async () => {
    if (skipReason !== null) return;
    broker = kind === 'kafka' ? await startBroker() : null;
    url = broker === null ? `sqlite:${join(folder, 'cohort-log.sqlite')}` : `kafka:${broker.brokers}/cohort-commands`;
    const log = await openCommandLog({ url, trackerInfoPath: null });
    await log.append(records);
    await log.close();
  }, 120_000);
  afterAll(() => broker?.stop());

  it.skipIf(skipReason !== null)(
    'is verified, comes to the same everywhere, and so does what was exported',
    async () => {
      const [found] = await answers(0, 'verify', '--log', url);
      expect(found).toMatchObject({ verdict: 'sound', records: 400, root: derived.root, digest: derived.digest });
      const file = join(folder, `export-${kind}.ndjson`);
      const { exitCode } = await cohort(['audit', 'export', '--log', url, '--tail', '--out', file]);
      expect(exitCode).toBe(0);
      const [again] = await answers(0, 'verify', '--file', file);
      expect(again).toMatchObject({ verdict: 'sound', records: 400, root: derived.root, digest: derived.digest });
      expect(await readFile(file, 'utf8')).not.toContain('argon2id');
    },
  );

  it.skipIf(skipReason !== null)(
    'has the digest and the root at every offset that the same commands have on any log',
    async () => {
      const source = await openLogSource(url, null);
      const came: string[] = [];
      const visit = (_: unknown, { root, digest }: DerivedState): void => void came.push(`${root} ${digest}`);
      await replay(source, { until: { kind: 'offset', offset: 399 }, visit });
      await source.close();
      expect(came).toEqual(records.map((_, offset) => `${derived.rootAt(offset)} ${derived.digestAt(offset)}`));
      for (const other of cameTo.values()) expect(came).toEqual(other);
      cameTo.set(kind, came);
    },
  );

  it.skipIf(skipReason !== null)('shows its records, refused ones with their reasons', async () => {
    const entries = await answers(0, 'log', '--log', url);
    expect(entries.map(({ offset }) => offset)).toEqual([...records.keys()]);
    const refused = await answers(0, 'log', '--log', url, '--outcome', 'rejected', '--type', 'join_group');
    expect(refused.length).toBeGreaterThan(0);
    for (const { type, outcome, reason } of refused) {
      expect([type, outcome, typeof reason]).toEqual(['join_group', 'rejected', 'string']);
    }
  });

  it.skipIf((skipReason ?? rawLogSkipReason) !== null).each(rawLogCommands[kind])('is read by %s', async (command) => {
    const printed = await printedBy(command, { folder, brokers: broker?.brokers ?? null });
    expect(printed).toEqual(printedOf(command, records));
  });

  it.skipIf(skipReason !== null)('is followed', async () => {
    const child = startCohort(['audit', 'log', '--log', url, '--follow', '--limit', '1', '--json']);
    const lines: string[] = [];
    const said = new Promise<void>((resolve) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        lines.push(...chunk.toString().trimEnd().split('\n'));
        if (lines.length === 1) void append().then(() => undefined);
        if (lines.length >= 2) resolve();
      });
    });
    const append = async (): Promise<void> => {
      const log = await openCommandLog({ url, trackerInfoPath: null });
      await log.append([{ value: Buffer.from('{"not":"a record"}'), sealed: null }]);
      await log.close();
    };
    await said;
    child.kill('SIGINT');
    expect(lines.map((line) => (JSON.parse(line) as { offset: number }).offset)).toEqual([399, 400]);
  });

  it.skipIf(skipReason !== null)('is the same to who asks a tracker over HTTP', async () => {
    const cleanup = new Cleanup();
    try {
      const log = await openCommandLog({ url, trackerInfoPath: null });
      cleanup.add(() => log.close());
      const auditKeysFolder = await cleanup.directory();
      const { http } = await cleanup.tracker(log, { auditKeysFolder });
      const { key } = await new AuditKeys(auditKeysFolder).create('Ada');
      const response = await fetch(`http://${http.host}:${http.port}/audit/state?at=399&limit=1`, {
        headers: { authorization: `Bearer ${key}` },
      });
      expect(await response.json()).toMatchObject({ root: derived.root, digest: derived.digest, at: { offset: 399 } });
    } finally {
      await cleanup.run();
    }
  });
});

it.skipIf(process.platform !== 'linux')('a log is followed no longer than somebody reads what is printed', async () => {
  const url = `sqlite:${join(folder, 'followed.sqlite')}`;
  const log = await openCommandLog({ url, trackerInfoPath: null });
  await log.append(records.slice(0, 9));
  await log.close();
  const words = [process.execPath, LAUNCHER, 'audit', 'log', '--follow', '--log', url];
  const script = '{ timeout 60 "$@"; echo "ended with $?" >&2; } | head -n 1';
  const typed = await endOf(spawn('sh', ['-c', script, 'sh', ...words], { stdio: 'pipe' }), '');
  expect(typed).toMatchObject({ out: expect.stringContaining('genesis'), complaint: 'ended with 0\n' });
});

it('the README has lines for every kind of log', () => {
  expect(Object.values(rawLogCommands).map(({ length }) => length > 0)).toEqual([true, true, true]);
});

describe('an exported log', () => {
  let file: string;

  beforeAll(async () => {
    file = join(folder, 'exported.ndjson');
    const url = `sqlite:${join(folder, 'to-export.sqlite')}`;
    const log = await openCommandLog({ url, trackerInfoPath: null });
    await log.append(records);
    await log.close();
    await cohort(['audit', 'export', '--log', url, '--out', file]);
  }, 120_000);

  it('answers everything without a log or a tracker', async () => {
    const groups = [...derivedOf(records.slice(0, 300)).state.groups.values()];
    const group = groups.find(({ shares }) => shares.size > 0)!;
    const [name] = [...group.shares.keys()];
    const [access] = await answers(0, 'access', `${group.name}/${name!}`, '--at', '299', '--file', file);
    const readers = (access!['readers'] as { user: string }[]).map(({ user }) => user);
    expect(readers.sort()).toEqual([...group.members.keys()].sort());
    const [state] = await answers(0, 'state', '--at', '299', '--file', file);
    expect(state).toMatchObject({ at: { offset: 299 }, digest: derivedOf(records.slice(0, 300)).digest });
    const [difference] = await answers(0, 'diff', '100', '299', '--file', file);
    expect(difference).toMatchObject({ from: { offset: 100 }, to: { offset: 299 } });
    const [why] = await answers(0, 'why', 'group', group.name, '--file', file);
    expect((why!['history'] as object[]).length).toBeGreaterThan(1);
  });

  it.skipIf(rawLogSkipReason !== null).each(rawLogCommands.exported)('is read by %s', async (command) => {
    await copyFile(file, join(folder, 'log.ndjson'));
    const lineCount = (await readFile(file, 'utf8')).trimEnd().split('\n').length;
    const printed = await printedBy(command, { folder, brokers: null });
    expect(printed).toEqual(printedOf(command, records.slice(0, lineCount - 1)));
  });

  it('is trusted with the keys of tracker_info.txt, and not without', async () => {
    const [{ trust, signers }] = (await answers(0, 'verify', '--file', file)) as [
      { trust: string; signers: { tracker: string }[] },
    ];
    expect(trust).toBe('consistent');
    const list = join(folder, 'tracker_info.txt');
    await writeFile(
      list,
      signers.map(({ tracker }, index) => `127.0.0.1:${9001 + index} ${formatFingerprint(tracker)}\n`).join(''),
    );
    expect(await answers(0, 'verify', '--file', file, '--trackers', list)).toMatchObject([
      { trust: 'signed', trackers: 2 },
    ]);
    const typed = await cohort(['audit', 'verify', '--file', file, '--trackers', list, '--signatures', '3']);
    expect(typed).toMatchObject({ exitCode: 64, complaint: expect.stringContaining('no number from 1 to 2') });
    await answers(2, 'verify', '--file', file, '--trackers', list, '--signatures', '2');
  });

  it('that was changed ends verify with 1, one that was cut with 2', async () => {
    const bytes = await readFile(file);
    const changed = join(folder, 'changed.ndjson');
    const half = Buffer.from(bytes);
    half[Math.floor(bytes.length / 2)]! ^= 1;
    await writeFile(changed, half);
    const typed = await cohort(['audit', 'log', '--file', changed]);
    expect(typed).toMatchObject({ exitCode: 1, complaint: expect.stringContaining('may be wrong') });
    expect(await answers(1, 'verify', '--file', changed)).toMatchObject([{ verdict: 'tampered' }]);
    await writeFile(changed, bytes.subarray(0, bytes.lastIndexOf(0x0a, -2) + 1));
    expect(await answers(2, 'verify', '--file', changed)).toMatchObject([{ verdict: 'incomplete' }]);
  });

  it('gives a checkpoint to keep, which finds a log that was written anew', async () => {
    const kept = join(folder, 'kept.txt');
    const keeping = await cohort(['audit', 'verify', '--file', file, '--keep', kept]);
    expect(keeping).toMatchObject({ exitCode: 0, complaint: expect.stringContaining('records, signed by sha256:') });
    await answers(0, 'verify', '--file', file, '--checkpoint', kept);
    const url = `sqlite:${join(folder, 'anew.sqlite')}`;
    const log = await openCommandLog({ url, trackerInfoPath: null });
    await log.append(randomRecords(8, 400, { isTruthful: true }));
    await log.close();
    const [found] = await answers(1, 'verify', '--log', url, '--checkpoint', kept);
    expect(found).toMatchObject({
      verdict: 'tampered',
      problem: expect.stringContaining('other records than the first'),
    });
  });

  it('gives proofs that hold without it, and none that is changed', async () => {
    const [proof] = await answers(0, 'prove', '7', '--file', file);
    const path = join(folder, 'proof.json');
    await writeFile(path, JSON.stringify(proof));
    const [proved] = await answers(0, 'verify', '--proof', path);
    expect(proved).toMatchObject({ verdict: 'sound', offset: 7, trust: 'consistent' });
    expect(Buffer.from(proved!['record'] as string, 'base64')).toEqual(Buffer.from(records[7]!.value));
    const strangers = join(folder, 'strangers.txt');
    await writeFile(strangers, `127.0.0.1:9001 ${formatFingerprint('f'.repeat(64))}\n`);
    expect(await answers(2, 'verify', '--proof', path, '--trackers', strangers)).toMatchObject([
      { verdict: 'incomplete' },
    ]);
    await answers(2, 'verify', '--proof', path, '--checkpoint', join(folder, 'kept.txt'));
    const [further] = await answers(0, 'prove', '7', '--file', file, '--checkpoint', join(folder, 'kept.txt'));
    await writeFile(path, JSON.stringify(further));
    await answers(0, 'verify', '--proof', path, '--checkpoint', join(folder, 'kept.txt'));
    await writeFile(path, JSON.stringify({ ...proof, offset: 8 }));
    expect(await answers(1, 'verify', '--proof', path)).toMatchObject([{ verdict: 'tampered' }]);
  });

  it.each([
    [['log', '--type', 'nonsense'], 64, '"nonsense" is no command'],
    [['log', '--outcome', 'maybe'], 64, 'neither accepted nor rejected'],
    [['log', '--colour', 'red'], 64, 'unknown option'],
    [['log', '--follow'], 64, 'does not grow'],
    [['state', '--at', 'yesterday'], 64, 'neither an offset nor a time'],
    [['state', '--at', '99999'], 64, 'is not there yet'],
    [['log', '--from', '99999'], 64, '--from: is behind the last record, which is at offset '],
    [['log', '--from', '9', '--to', '3'], 64, '--from: is behind the last record up to --to, which is at offset 3'],
    [['log', '--from', '2099-01-01T00:00:00Z'], 64, '--from: is behind the last record'],
    [['state', '--user', 'nobody at all'], 66, 'there is no user nobody at all'],
    [['access', 'a/b/c'], 64, 'write <group>/<name>'],
    [['access', 'g/never'], 66, 'was ever shared'],
    [['diff', '9', '3'], 64, 'write the earlier one first'],
    [['access', 'g/a', '--between', '9', '3'], 64, 'write the earlier one first'],
    [['why', 'thing', 'x'], 64, 'nothing that has a history'],
    [['prove', '2026-01-01T00:00:00Z'], 64, 'write its offset'],
    [['prove', '99999'], 64, 'nobody has signed'],
    [['verify', '--checkpoint', '/dev/null'], 64, 'holds no note'],
    [['verify', '--signatures', '2'], 64, 'say of which trackers'],
    [['verify', '--auditor', 'ada'], 64, 'is no fingerprint'],
  ])('%j ends with %i and says "%s"', async (words, exitCode, complaint) => {
    const typed = await cohort(['audit', ...words, '--file', file]);
    expect(typed).toMatchObject({ exitCode, out: '', complaint: expect.stringContaining(complaint) });
  });

  it('becomes a page about a period', async () => {
    const page = join(folder, 'report.html');
    expect(
      await cohort(['audit', 'report', '--file', file, '--from', '10', '--to', '200', '--out', page]),
    ).toMatchObject({
      exitCode: 0,
    });
    expect(await readFile(page, 'utf8')).toMatch(/Offset 10 .* to 200 .*: 191 records/);
  });

  it.skipIf(!existsSync('/dev/full'))('says when its answer cannot be written, which is no bug', () => {
    const line = [process.execPath, LAUNCHER, 'audit', 'log', '--file', file];
    const { status, stderr } = spawnSync('sh', ['-c', '"$@" > /dev/full', 'sh', ...line], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 69, stderr: expect.stringContaining('cannot be written: ENOSPC') });
  });

  it('is not made where a file is already', async () => {
    const typed = await cohort(['audit', 'export', '--file', file, '--out', file]);
    expect(typed).toMatchObject({ exitCode: 64, complaint: expect.stringContaining('is there already') });
  });
});

describe('two running trackers', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  }, 120_000);
  afterAll(() => cluster.stop());

  it('are compared at the last offset that both have applied', async () => {
    const [left, right] = cluster.system.trackers.map(({ http }) => http.replace('http://', '')) as [string, string];
    const [found] = await answers(0, 'compare', left, right);
    expect(found).toMatchObject({ verdict: 'equal', problem: null });
    expect(found!['left']).toEqual(found!['right']);
    const typed = await cohort(['audit', 'compare', left, '127.0.0.1:1']);
    expect(typed).toMatchObject({ exitCode: 69, complaint: expect.stringContaining('does not answer') });
  });

  it('sign the same checkpoint, so that the log is known to be signed by both', async () => {
    // What one signs when it is stopped, the other signs as well.
    await cluster.system.trackers[1]!.process.stop();
    const words = ['verify', '--log', cluster.logUrl, '--trackers', cluster.system.trackerInfo, '--signatures', '2'];
    await until('both have signed', async () => (await cohort(['audit', ...words])).exitCode === 0);
    expect(await answers(0, ...words)).toMatchObject([{ verdict: 'sound', trust: 'signed', trackers: 2 }]);
  });
});

it('a log that is not there is not made', async () => {
  const typed = await cohort(['audit', 'verify', '--log', `sqlite:${join(folder, 'none.sqlite')}`]);
  expect(typed).toMatchObject({ exitCode: 64, complaint: expect.stringContaining('there is no log') });
});
