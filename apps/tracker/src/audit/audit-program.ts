// Owns the words behind `cohort audit`: which source they read, and their flags. What is wrong with one is said before
// anything is read.
import { readFile } from 'node:fs/promises';
import { Command as Program } from 'commander';
import { BadInput, dataDirectoryFor, readTrackers } from '#identity/start-input';
import { addSettings } from '#program/settings-options';
import { BESIDE_TRACKER_SETTINGS, LOG_SETTINGS } from '#program/tracker-settings';
import { lastLogUrl } from '../command-log/last-log.ts';
import { EXIT } from '../exit-codes.ts';
import { accessQuestionOf } from './access-question.ts';
import { AuditOutput, showProgress } from './audit-output.ts';
import {
  type AuditRun,
  type ExportFlags,
  exportLog,
  keepCheckpoint,
  showAccess,
  showComparison,
  showDifference,
  showHistory,
  showLog,
  showProof,
  showProving,
  showState,
  showVerification,
  writeReport,
} from './audit-verbs.ts';
import { type EntityFlags, entityIn, entityOf } from './entity.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { type KeptCheckpoint, readKeptCheckpoint } from './kept-checkpoint.ts';
import { type LogFlags, logFilterOf } from './log-filter.ts';
import { END, momentOf } from './moment.ts';
import { stopWithoutReader } from './pipe-reader.ts';
import type { AuditSource } from './replay.ts';
import type { Verification, VerifyOptions } from './verification.ts';

// Loaded when asked for: an exported file needs no driver.
const logs = () => import('./log-source.ts');

/** Flags that every verb takes. */
interface SourceFlags {
  readonly log?: string;
  readonly file?: string;
  readonly dataDir?: string;
  readonly kafkaClient?: string;
  readonly json?: boolean;
}

/** A verdict is told by the exit code, whoever reads the text. */
const KEEPS_VERDICT = (): void => {};

const MOMENT = 'an offset, or a time like 2026-11-27T09:30:00Z';

/** Adds `audit` with its verbs. */
export function addAuditCommands(root: Program): void {
  const audit = root.command('audit').description('replay the log and know what was true; nothing is ever appended');
  addLog(audit);
  addState(audit);
  addAccess(audit);
  verb(audit, 'diff <from> <to>', 'what is different between two points, and through which records').action(
    async (from: string, to: string, flags: SourceFlags) => {
      const moments = [momentOf('<from>', from), momentOf('<to>', to)] as const;
      await withSource(flags, (run) => showDifference(run, ...moments));
    },
  );
  verb(
    audit,
    'why <kind> <name>',
    'the history of a user, a group, a member (<group>/<user>) or a file (<group>/<file>)',
  ).action(async (kind: string, name: string, flags: SourceFlags) => {
    const entity = entityOf(kind, name);
    await withSource(flags, (run) => showHistory(run, entity));
  });
  addExport(audit);
  addVerify(audit);
  addProve(audit);
  addReport(audit);
  audit
    .command('compare <tracker> <tracker>')
    .description('whether two running trackers have the same; each is the --http address of one; exit code 1 when not')
    .option('--json', 'one line of JSON')
    .action(async (left: string, right: string, flags: { json?: boolean }) => {
      const run = { out: new AuditOutput(KEEPS_VERDICT), json: flags.json === true };
      if ((await showComparison(run, [left, right])) === 'different') process.exitCode = EXIT.tampered;
    });
}

function addReport(audit: Program): void {
  verb(audit, 'report', 'an HTML page about a period: activity, users, groups, refusals, downloads, verification')
    .option('--from <moment>', MOMENT)
    .option('--to <moment>', MOMENT)
    .option('--out <file>', 'a new file (default: standard output)')
    .action(async (flags: SourceFlags & { from?: string; to?: string; out?: string }) => {
      if (flags.json === true) throw new BadInput('--json: a report is a page; audit log --json has the records');
      const from = momentOf('--from', flags.from ?? '0');
      const to = flags.to === undefined ? END : momentOf('--to', flags.to);
      const verdict = await withSource(flags, (run) => writeReport(run, { from, to, out: flags.out }), KEEPS_VERDICT);
      if (verdict !== 'sound') process.exitCode = EXIT[verdict];
    });
}

function addLog(audit: Program): void {
  const log = verb(audit, 'log', 'the records, refused ones with their reasons');
  const filters: readonly (readonly [flag: string, about: string])[] = [
    ['--actor <user>', 'sent by that user'],
    ['--group <group>', 'about that group'],
    ['--user <user>', 'about or by that user'],
    ['--share <name>', 'about files of that name; --file is where records are read from'],
    ['--type <command>', 'of that command'],
    ['--outcome <outcome>', 'accepted or rejected'],
    ['--correlation <id>', 'of that correlation id'],
    ['--from <moment>', MOMENT],
    ['--to <moment>', MOMENT],
    ['--limit <n>', 'the last so many'],
  ];
  for (const [flag, about] of filters) log.option(flag, about);
  log
    .option('--follow', 'go on with what comes, until Ctrl-C, or until nobody reads it')
    .action(async (flags: LogFlags & SourceFlags & FollowFlags) => {
      const filter = logFilterOf(flags);
      if (flags.follow === true && flags.to !== undefined)
        throw new BadInput('--follow goes on for ever: leave out --to');
      await withSource(flags, (run) => showLog(run, filter, followSignal(flags, run.source)));
    });
}

interface FollowFlags {
  readonly follow?: boolean;
}

function followSignal({ follow }: FollowFlags, source: AuditSource): AbortSignal | null {
  if (follow !== true) return null;
  if (!('follow' in source)) throw new BadInput('--follow: an exported file does not grow; give a log with --log');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  stopWithoutReader(stop);
  return stop.signal;
}

function addState(audit: Program): void {
  verb(audit, 'state', 'everything as it was, or one user, group, member or file')
    .option('--at <moment>', MOMENT)
    .option('--user <user>', 'only this user')
    .option('--group <group>', 'only this group')
    .option('--share <group/file>', 'only this file')
    .action(async (flags: SourceFlags & EntityFlags & { at?: string }) => {
      const at = flags.at === undefined ? END : momentOf('--at', flags.at);
      const entity = entityIn(flags);
      await withSource(flags, (run) => showState(run, at, entity));
    });
}

function addAccess(audit: Program): void {
  verb(audit, 'access <group/file>', 'who could read a file then, through which records, and who fetched it')
    .option('--at <moment>', MOMENT)
    .option('--between <moments...>', 'two of them: whoever could at any time from the first to the second')
    .action(async (name: string, flags: SourceFlags & { at?: string; between?: string[] }) => {
      const question = accessQuestionOf(flags);
      await withSource(flags, (run) => showAccess(run, name, question));
    });
}

function addExport(audit: Program): void {
  verb(audit, 'export', 'the records up to the last signed checkpoint, without secrets, to be verified anywhere')
    .option('--out <file>', 'a new file (default: standard output)')
    .option('--tail', 'also the records that no checkpoint is about yet')
    .option('--key <pem>', 'an Ed25519 private key, to sign the export with')
    .action(async (flags: SourceFlags & ExportFlags) => {
      if (flags.json === true) throw new BadInput('--json: an export is JSON already; leave it out');
      // Half an export is none.
      await withSource(
        flags,
        async (run) => {
          if (!(await exportLog(run, flags))) process.exitCode = EXIT.tampered;
        },
        () => process.exit(EXIT.unavailable),
      );
    });
}

interface VerifyFlags {
  readonly trackers?: string;
  readonly checkpoint?: readonly string[];
  readonly proof?: string;
  readonly keep?: string;
  readonly tail?: boolean;
  readonly signatures?: string;
  readonly auditor?: string;
}

function addVerify(audit: Program): void {
  verb(audit, 'verify', 'whether the log is the one that trackers signed; exit code 0 sound, 1 tampered, 2 incomplete')
    .option('--trackers <tracker_info.txt>', 'a list of trackers with fingerprints that you trust')
    .option('--signatures <n>', 'how many of the trackers of --trackers have to have signed (default: 1)')
    .option('--auditor <fingerprint>', 'who has to have signed the export of --file: sha256:<64 hex digits>')
    .option('--checkpoint <files...>', 'checkpoints that you kept: the log must contain what they are about')
    .option('--keep <file>', 'when it is sound, write its last checkpoint to a new file, for --checkpoint later')
    .option('--tail', 'let an export end in records that no tracker that you trust has signed')
    .option('--proof <file>', 'only a proof that `prove` has printed; needs no log')
    .action(async (flags: SourceFlags & VerifyFlags) => {
      const trusted = flags.trackers === undefined ? undefined : await trustedIn(flags.trackers);
      const kept = await Promise.all((flags.checkpoint ?? []).map(readKeptCheckpoint));
      const known = { trusted, kept, signatures: signaturesIn(flags, trusted), auditor: auditorIn(flags) };
      const verdict =
        flags.proof === undefined
          ? await verifyLog(flags, known)
          : await verifyProof(flags.proof, flags, { trusted, kept });
      if (verdict !== 'sound') process.exitCode = EXIT[verdict];
    });
}

type Known = Pick<VerifyOptions, 'trusted'> & { readonly kept: readonly KeptCheckpoint[] };

/** Keys that stand only in the log are those of whoever wrote it: many of them are worth no more than one. */
function signaturesIn({ signatures }: VerifyFlags, trusted: ReadonlySet<string> | undefined): number {
  if (signatures === undefined) return 1;
  if (trusted === undefined)
    throw new BadInput('--signatures: say of which trackers with --trackers <tracker_info.txt>');
  if (/^[1-9][0-9]?$/.test(signatures) && Number(signatures) <= trusted.size) return Number(signatures);
  throw new BadInput(
    `--signatures: "${signatures}" is no number from 1 to ${trusted.size}, which --trackers has fingerprints of`,
  );
}

function auditorIn({ auditor, file }: VerifyFlags & SourceFlags): string | undefined {
  if (auditor === undefined) return undefined;
  if (file === undefined) throw new BadInput('--auditor: only an export is signed by one; name it with --file');
  const id = /^sha256:([0-9a-fA-F]{64})$/.exec(auditor)?.[1]?.toLowerCase();
  if (id !== undefined) return id;
  throw new BadInput(`--auditor: "${auditor}" is no fingerprint; write sha256: and 64 hex digits, as verify prints it`);
}

function verifyLog(flags: SourceFlags & VerifyFlags, known: VerifyOptions): Promise<Verification['verdict']> {
  const work = async (run: AuditRun): Promise<Verification['verdict']> => {
    const found = await showVerification(run, { ...known, allowsTail: flags.tail === true });
    if (found === 'sound' && flags.keep !== undefined) await keepCheckpoint(run, flags.keep, known);
    return found;
  };
  return withSource(flags, work, KEEPS_VERDICT);
}

async function verifyProof(
  path: string,
  { json, keep, file, signatures }: SourceFlags & VerifyFlags,
  { trusted, kept }: Known,
): Promise<Verification['verdict']> {
  const [checkpoint = null, ...more] = kept;
  if (keep !== undefined || file !== undefined) throw new BadInput('--proof needs no log: leave out --keep and --file');
  if (signatures !== undefined) throw new BadInput('--signatures: a proof has one; leave it out');
  if (more.length > 0) throw new BadInput('--checkpoint: a proof goes on from one; give that');
  const out = new AuditOutput(KEEPS_VERDICT);
  return showProof(await textOf(path), { out, json: json === true, trusted, kept: checkpoint });
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => {
    throw new BadInput(`--proof: cannot read ${path}; give a file with what cohort audit prove has printed`);
  });
}

function addProve(audit: Program): void {
  verb(
    audit,
    'prove <offset>',
    'print a proof that a record is in what a tracker signed, to be checked without the log',
  )
    .option('--checkpoint <file>', 'a checkpoint that you kept: prove also that the log goes on from it')
    .action(async (text: string, flags: SourceFlags & { checkpoint?: string }) => {
      const moment = momentOf('<offset>', text);
      if (moment.kind !== 'offset') throw new BadInput('<offset>: a proof is about one record; write its offset');
      const kept = flags.checkpoint === undefined ? null : await readKeptCheckpoint(flags.checkpoint);
      await withSource(flags, (run) => showProving(run, moment.offset, kept));
    });
}

async function trustedIn(path: string): Promise<ReadonlySet<string>> {
  const ids = (await readTrackers(path)).flatMap(({ trackerId }) => trackerId ?? []);
  if (ids.length > 0) return new Set(ids);
  throw new BadInput(`--trackers: no line of ${path} has a fingerprint; add sha256:<fingerprint> to those you trust`);
}

/** A verb with the flags that every one takes. */
function verb(audit: Program, usage: string, about: string): Program {
  return addSettings(audit.command(usage).description(about), BESIDE_TRACKER_SETTINGS, LOG_SETTINGS)
    .option('--file <export>', 'an exported log instead')
    .option('--json', 'one line of JSON, or one for each record');
}

async function withSource<Result>(
  flags: SourceFlags,
  work: (run: AuditRun) => Promise<Result>,
  onGone?: () => void,
): Promise<Result> {
  const source = await openSource(flags);
  try {
    const done = await work({
      source,
      out: new AuditOutput(onGone),
      json: flags.json === true,
      onProgress: showProgress(),
    });
    if ('problem' in source) warnOf(source as ExportSource);
    return done;
  } finally {
    await source.close();
  }
}

/** An answer from an export that is not as it was written is worth nothing, whatever was asked. */
function warnOf({ name, problem }: ExportSource): void {
  if (problem === null) return;
  process.stderr.write(`cohort: ${name}: ${problem.message}; what was printed may be wrong, see cohort audit verify\n`);
  process.exitCode = EXIT[problem.kind];
}

/** A file that is named goes before a log that only a variable names. */
async function openSource({ file, log, dataDir, kafkaClient }: SourceFlags): Promise<AuditSource> {
  if (file !== undefined) return openExportSource(file);
  const url = log ?? (await lastLogUrl(dataDirectoryFor('tracker', dataDir)));
  return (await logs()).openLogSource(url, kafkaClient ?? null);
}
