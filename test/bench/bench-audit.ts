// `npm run bench:audit`: how long an auditor waits: verifying, exporting and asking who could read a file, over a log of a million
// records on SQLite and exported, each in a process of its own, against hashing the same bytes. Prints a table, and JSON.
//   npm run bench:audit -- --records 1000000 --at-most 60 --memory 600MiB --scratch /tmp
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadOrCreateIdentity } from '#identity/identity';
import { sizeOf } from '../../infra/demo/files.ts';
import { machineLine, peakResidentBytes } from '../../infra/quick-start/measured.ts';
import { LAUNCHER } from '../../infra/quick-start/node-process.ts';
import type { AppendRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { largeLog } from './large-log.ts';
import { mibOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    /** Seconds that verify may take; asking for a file may take a third of it. */
    'at-most': { type: 'string', default: '60' },
    memory: { type: 'string', default: '600MiB' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

const BATCH_RECORDS = 1_000;
const POLL_MS = 100;

interface Row {
  readonly what: string;
  readonly seconds: number;
  readonly peakBytes: number | null;
  readonly secondsMax: number | null;
}

const records = Number(flags.records);
const atMost = Number(flags['at-most']);
const scratch = mkdtempSync(join(flags.scratch, 'cohort-audit-'));
const [url, exported] = [`sqlite:${join(scratch, 'log.sqlite')}`, join(scratch, 'export.ndjson')];
try {
  say(machineLine());
  await fill();
  const file = `group-0/file-0.bin`;
  const rows = [
    await measured('verify, SQLite', atMost, ['verify', '--log', url]),
    await measured('export, SQLite', null, ['export', '--log', url, '--tail', '--out', exported]),
    await hashed(),
    await measured('verify, exported', atMost, ['verify', '--file', exported]),
    await measured('access of one file, SQLite', atMost / 3, ['access', file, '--log', url]),
    await measured('access of one file, exported', atMost / 3, ['access', file, '--file', exported]),
  ];
  const columns: readonly TextColumn<Row>[] = [
    [`${records} records`, ({ what }) => what],
    ['seconds', ({ seconds }) => seconds.toFixed(1)],
    ['at most', ({ secondsMax }) => secondsMax?.toFixed(0) ?? ''],
    ['records/s', ({ seconds }) => (records / seconds).toFixed(0)],
    ['peak MiB', ({ peakBytes }) => (peakBytes === null ? '' : mibOf(peakBytes))],
  ];
  say(textTable(rows, columns));
  say(JSON.stringify({ machine: machineLine(), flags, rows }));
  const memoryMax = sizeOf(flags.memory);
  const isMissed = rows.some(
    ({ seconds, secondsMax, peakBytes }) => seconds > (secondsMax ?? Infinity) || (peakBytes ?? 0) > memoryMax,
  );
  if (isMissed) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}

/** A fifth of the records make users, a tenth groups with their owners' sessions, the others share files in them. */
async function fill(): Promise<void> {
  const identity = await loadOrCreateIdentity(join(scratch, 'identity'));
  const groups = Math.floor(records / 20);
  const users = Math.floor(records / 5);
  const log = await openCommandLog({ url, trackerInfoPath: null });
  let batch: AppendRecord[] = [];
  for (const [, record] of largeLog(identity, { users, groups, shares: records - users - 2 * groups - 1 })) {
    if (batch.push(record) < BATCH_RECORDS) continue;
    await log.append(batch);
    batch = [];
  }
  if (batch.length > 0) await log.append(batch);
  await log.close();
}

/** Runs `cohort audit <words>`; the most memory that it was seen to have. */
async function measured(what: string, secondsMax: number | null, words: readonly string[]): Promise<Row> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, 'audit', ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  let peakBytes: number | null = null;
  while (child.exitCode === null && child.signalCode === null) {
    peakBytes = peakOf(child.pid!) ?? peakBytes;
    await Promise.race([ended, sleep(POLL_MS)]);
  }
  if (child.exitCode !== 0) throw new Error(`${what} ended with ${child.exitCode}`);
  return { what, seconds: (performance.now() - startMs) / 1000, peakBytes, secondsMax };
}

/** Null once it has ended. */
function peakOf(pid: number): number | null {
  try {
    return peakResidentBytes(pid);
  } catch {
    return null;
  }
}

/** What nobody can be faster than: SHA-256 of the exported bytes. */
async function hashed(): Promise<Row> {
  const startMs = performance.now();
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(exported, { highWaterMark: 2 ** 20 })) digest.update(chunk as Uint8Array);
  digest.digest();
  return {
    what: 'SHA-256 of the export alone',
    seconds: (performance.now() - startMs) / 1000,
    peakBytes: null,
    secondsMax: null,
  };
}
