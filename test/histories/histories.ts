// `npm run soak:histories`: random commands of several clients against three real trackers on a real log, while trackers, clients and
// the log are killed, paused and started again; every call, answer and reply is written down and then checked against the log.
// Fails at anything that does not agree, and leaves the history and the log behind.
//   npm run soak:histories -- --log kafka --minutes 10 --seed 1 --out folder
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from '../bench/table.ts';
import { byLength, endAfter, soakSeed } from '../soak/soak-length.ts';
import type { RealLog } from './real-system.ts';
import { type HistoryReport, runHistory } from './run-history.ts';

const { values: flags } = parseArgs({
  options: {
    /** `kafka`, `sqlite`, or both with a comma, one after the other. */
    log: { type: 'string', default: 'kafka,sqlite' },
    minutes: { type: 'string', default: byLength({ full: '10', short: '0.4' }) },
    seed: { type: 'string', default: soakSeed() },
    clients: { type: 'string', default: '8' },
    people: { type: 'string', default: '4' },
    /** Mean pause of each person. */
    'pause-ms': { type: 'string', default: '250' },
    'fault-ms': { type: 'string', default: '2000' },
    /** Where the history and the log stay; without it they stay only when something is wrong. */
    out: { type: 'string' },
  },
});

const VIOLATIONS_SHOWN_MAX = 20;

// A connection that ends is what these histories are made of.
Logger.overrideLogger(false);
const minutes = Number(flags.minutes);
const logs = flags.log.split(',') as RealLog[];
say(machineLine());
endAfter(logs.length * (minutes + 5));
for (const log of logs) await tell(log);

async function tell(log: RealLog): Promise<void> {
  const folder = flags.out === undefined ? await mkdtemp(join(tmpdir(), 'cohort-history-')) : resolve(flags.out, log);
  say(
    `${log}: seed ${flags.seed}, ${flags.minutes} minutes, ${flags.clients} clients with ${flags.people} people each`,
  );
  let isSound = false;
  try {
    const report = await runHistory({
      log,
      folder,
      seconds: minutes * 60,
      seed: Number(flags.seed),
      clients: Number(flags.clients),
      peoplePerClient: Number(flags.people),
      pauseMs: Number(flags['pause-ms']),
      faultEveryMs: Number(flags['fault-ms']),
    });
    isSound = report.verdict.violations.length === 0;
    tellReport(log, report);
  } finally {
    if (isSound && flags.out === undefined) await rm(folder, { recursive: true, force: true });
    else say(`${log}: the history and the log are in ${folder}`);
    if (!isSound) process.exitCode = 1;
  }
}

function tellReport(log: string, { verdict, faults, attempts }: HistoryReport): void {
  const { violations, commands, acknowledged, accepted, unknown, records, replies, looks, grants, digests } = verdict;
  say(
    `${log}: ${commands} commands in ${attempts} attempts: ${acknowledged} acknowledged (${accepted} records accepted), ` +
      `${unknown} whose end nobody heard; ${records} records`,
  );
  say(
    `${log}: ${faults.tracker_kill} kills, ${faults.tracker_stop} stops and ${faults.tracker_pause} pauses of a tracker, ` +
      `${ofLog(log, faults)}, ${faults.client_restart} clients begun anew`,
  );
  say(
    `${log}: ${verdict.checks} checks of ${replies} replies, ${looks} views, ${grants} grants and ${digests} digests, ` +
      `${verdict.outcomeKinds} kinds of outcomes: ${violations.length} violations`,
  );
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN_MAX)) say(`${log}: ${violation}`);
  say(JSON.stringify({ log, flags, faults, ...verdict, violations: violations.length }));
}

/** A file has no process of its own: somebody else holds it instead. */
function ofLog(log: string, { log_kill: kills, log_pause: pauses }: HistoryReport['faults']): string {
  if (log === 'sqlite') return `${kills + pauses} times the file held by somebody else`;
  return `${kills} kills and ${pauses} pauses of the broker`;
}
