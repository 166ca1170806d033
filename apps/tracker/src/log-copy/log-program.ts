// Owns the words behind `cohort log`: a log is moved to another kind, backed up and restored by one verb, and what somebody has
// seen of a log that lost its end is left out of the one that goes on.
import type { Command as Program } from 'commander';
import { BadInput, dataDirectoryFor } from '#identity/start-input';
import { addSettings } from '#program/settings-options';
import { BESIDE_TRACKER_SETTINGS, LOG_SETTINGS } from '#program/tracker-settings';
import { showProgress } from '../audit/audit-output.ts';
import { lastLogUrl } from '../command-log/last-log.ts';
import { openCommandLog } from '../command-log/open-command-log.ts';
import { EXIT } from '../exit-codes.ts';
import { BackupSource, BackupTarget } from './backup-file.ts';
import { LogTarget, openCopySource } from './copied-log.ts';
import { backupPathIn, type CopySource, type CopyTarget } from './copy-end.ts';
import { type Copied, copyLog } from './copy-log.ts';
import { skipOffsets } from './unused-offsets.ts';

interface CopyFlags {
  readonly from?: string;
  readonly to: string;
  readonly toKafkaClient?: string;
  readonly log?: string;
  readonly kafkaClient?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

interface SkipFlags {
  readonly force?: boolean;
  readonly log?: string;
  readonly kafkaClient?: string;
  readonly dataDir?: string;
}

/** The log that is read is the tracker's, unless another is named; its brokers are spoken to as the tracker does. */
const COPY_SETTINGS = {
  ...BESIDE_TRACKER_SETTINGS,
  kafkaClient: {
    ...BESIDE_TRACKER_SETTINGS.kafkaClient,
    meaning: 'TLS and login for the brokers of the log that is read (JSON)',
  },
};
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const ENDS = 'sqlite:<file>, kafka:<host:port,...>[/<topic>] or a backup, file:<path>';

/** Adds `log` with its verbs. */
export function addLogCommands(root: Program): void {
  const log = root.command('log').description('move a log, back it up, restore it');
  const copying = log
    .command('copy')
    .description(
      'copy a log, and prove that the copy comes to the same; an interrupted one goes on when it is run again',
    )
    .option('--from <url>', `${ENDS} (default: --log)`)
    .requiredOption('--to <url>', `an empty log or a new file: ${ENDS}`)
    .option('--to-kafka-client <file>', 'TLS and login for the brokers of --to kafka: (JSON)')
    .option('--json', 'one line of JSON');
  addSettings(copying, COPY_SETTINGS, LOG_SETTINGS).action(copy);
  const skipping = log
    .command('skip <offset>')
    .description('use no offset before this one, when a restored log ends before what trackers and peers have seen')
    .option('--force', 'leave out more than 10,000 as well; it cannot be taken back');
  addSettings(skipping, BESIDE_TRACKER_SETTINGS, LOG_SETTINGS).action(skip);
}

async function copy(flags: CopyFlags): Promise<void> {
  const source = await sourceOf(flags);
  try {
    const copied = await copyLog(source, () => targetAt(flags), showProgress());
    tell(copied, { from: source.name, to: flags.to, json: flags.json === true });
  } finally {
    await source.close();
  }
}

async function sourceOf({ from, log, kafkaClient, dataDir }: CopyFlags): Promise<CopySource> {
  const url = from ?? log ?? (await lastLogUrl(dataDirectoryFor('tracker', dataDir)));
  const path = backupPathIn(url);
  if (path !== null) return new BackupSource(path);
  // A file may say how the tracker's brokers are spoken to, and the log that is read may have none.
  const kafkaClientFile = url.startsWith('kafka:') ? (kafkaClient ?? null) : null;
  return openCopySource({ url: logUrlOf('--from', url), kafkaClientFile }, warn);
}

async function targetAt({ to, toKafkaClient }: CopyFlags): Promise<CopyTarget> {
  const path = backupPathIn(to);
  if (path !== null) return backupAt(path);
  const url = logUrlOf('--to', to);
  if (url.startsWith('kafka:'))
    warn(`start no tracker on ${url} before this has ended well: it may have half of the log`);
  return LogTarget.open({ url, kafkaClientFile: toKafkaClient ?? null });
}

/** What a signal ends leaves no password hashes behind. */
async function backupAt(path: string): Promise<CopyTarget> {
  const target = await BackupTarget.open(path);
  for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
    process.once(signal, () => {
      target.discard();
      process.exit(code);
    });
  }
  return target;
}

function warn(words: string): void {
  process.stderr.write(`cohort: ${words}\n`);
}

function logUrlOf(flag: string, url: string): string {
  if (/^(sqlite|kafka):/.test(url)) return url;
  throw new BadInput(`${flag}: "${url}" names neither a log nor a backup; write ${ENDS}`);
}

function tell(copied: Copied, { from, to, json }: { from: string; to: string; json: boolean }): void {
  const { records, heldCount, root, digest, signedRecords, dispute } = copied;
  const held = heldCount === 0 ? '' : `, ${heldCount} of which were there`;
  const signed = `${signedRecords} under a signed checkpoint`;
  const lines = [`${records} records${held}, ${signed}: ${from} to ${to}`, `root ${root}`, `digest ${digest}`];
  process.stdout.write(json ? `${JSON.stringify(copied)}\n` : `${lines.join('\n')}\n`);
  if (dispute === null) return;
  warn(`the log is not sound: ${dispute}; see cohort audit verify`);
  process.exitCode = EXIT.tampered;
}

async function skip(text: string, flags: SkipFlags): Promise<void> {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new BadInput(`"${text}" is no offset of 1 or more`);
  const url = flags.log ?? (await lastLogUrl(dataDirectoryFor('tracker', flags.dataDir)));
  const kafkaClientFile = flags.kafkaClient ?? null;
  const log = await openCommandLog({ url, trackerInfoPath: null, kafkaClientFile, mustExist: true });
  try {
    const count = await skipOffsets(log, Number(text), { isForced: flags.force === true });
    process.stdout.write(
      count === 0 ? `${url} ends at or behind ${text} already\n` : `${count} offsets are left out\n`,
    );
  } finally {
    await log.close();
  }
}
