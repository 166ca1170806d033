// Owns what each verb of `cohort audit` does: it reads a source, and says what it found as a table, or with `--json` as JSON.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { State } from '#domain/state';
import { BadInput } from '#identity/start-input';
import { formatFingerprint } from '#wire/tracker-info';
import { AccessHistory } from './access.ts';
import type { AccessQuestion } from './access-question.ts';
import { Activity } from './activity.ts';
import type { VerbOutput } from './audit-output.ts';
import {
  accessText,
  changesText,
  comparisonText,
  entryText,
  factsText,
  type HistoryItem,
  historyText,
  provedText,
  verificationText,
} from './audit-texts.ts';
import { causeOf } from './cause.ts';
import { effectsOn, type Entity, groupAndFileOf, wasToBeAbout } from './entity.ts';
import { type WriteBytes, writeExport } from './export-writing.ts';
import { type Fact, factsOf, factsOfFile, factsOfGroup } from './facts.ts';
import { type ExtentOptions, signedExtentOf } from './last-checkpoint.ts';
import { entryOf, type LogEntry } from './log-entry.ts';
import type { KeptCheckpoint } from './kept-checkpoint.ts';
import type { LogFilter } from './log-filter.ts';
import type { LogSource } from './log-source.ts';
import { isBehind, isFrom, type Moment } from './moment.ts';
import { type Place, placeOf } from './place.ts';
import { judgedProof, type KnownFromElsewhere, proofOf } from './proof.ts';
import {
  applyNext,
  type AuditedRecord,
  type AuditSource,
  replay,
  type Replayed,
  replayOfGroup,
  replayUnproved,
} from './replay.ts';
import { reportPage } from './report-page.ts';
import { StateDifference } from './state-difference.ts';
import { compareTrackers, type Comparison, trackerPortOf } from './tracker-comparison.ts';
import { UnknownThing } from './unknown-thing.ts';
import { type Verification, verify, type VerifyOptions } from './verification.ts';

/** What every verb works with. */
export interface AuditRun<Source extends AuditSource = AuditSource> {
  readonly source: Source;
  readonly out: VerbOutput;
  readonly json: boolean;
  readonly onProgress: ((offset: number) => void) | undefined;
}

/** `audit log`: the records that the filter lets through, the last ones when they are limited, then those to come until the signal. */
export async function showLog(
  run: AuditRun<AuditSource | LogSource>,
  filter: LogFilter,
  follow: AbortSignal | null,
): Promise<void> {
  const { source, out, json, onProgress } = run;
  const say = (entry: LogEntry): void => (json ? out.json(entry) : out.line(entryText(entry)));
  const last: LogEntry[] = [];
  let isLive = filter.limit === Number.POSITIVE_INFINITY;
  let hasBegun = filter.from === null;
  const visit = (audited: AuditedRecord): void => {
    hasBegun ||= isFrom(filter.from!, audited);
    if (!hasBegun) return;
    const entry = entryOf(audited);
    if (!filter.holds(entry)) return;
    if (isLive) return say(entry);
    last.push(entry);
    if (last.length > filter.limit) last.shift();
  };
  const afterBatch = (): Promise<void> => out.flush();
  const replayed = await replayUnproved(source, { until: filter.until, visit, afterBatch, onProgress });
  last.forEach(say);
  await out.flush();
  if (follow === null && !hasBegun) refuseBeginning(filter, replayed);
  if (follow === null || !('follow' in source)) return;
  isLive = true;
  for await (const batch of source.follow(replayed.state.appliedOffset + 1, follow)) {
    for (const stored of batch) visit(applyNext(replayed, stored));
    await out.flush();
  }
}

/** Nothing to show is an answer; that nothing can be there to show is told. */
function refuseBeginning({ until }: LogFilter, replayed: Replayed): never {
  const { offset, time } = endOf(replayed);
  const last = until.kind === 'end' ? 'the last record' : 'the last record up to --to';
  throw new BadInput(`--from: is behind ${last}, which is at offset ${offset}, ${time}; give an earlier one`);
}

/** `audit state`: everything, or one user, group or file, as it was. */
export async function showState(run: AuditRun, at: Moment, entity: Entity | null): Promise<void> {
  const { source, out, json, onProgress } = run;
  const derived = await replay(source, { until: at, onProgress });
  const facts = entity === null ? factsOf(derived.state) : factsAbout(derived.state, entity);
  const { digest, root } = derived;
  if (json) out.json({ at: endOf(derived), digest, root, facts });
  else out.line(factsText(facts, { at: endOf(derived), digest }));
  await out.flush();
}

function factsAbout(state: State, entity: Entity): Fact[] {
  if (entity.kind === 'user') {
    const isAbout = ({ kind, name, value }: Fact): boolean =>
      (kind === 'user' && name === entity.user) ||
      (kind === 'session' && value['user'] === entity.user) ||
      ((kind === 'member' || kind === 'request') && name.endsWith(`/${entity.user}`));
    return there(factsOf(state).filter(isAbout), entity);
  }
  const group = state.groups.get(entity.group);
  if (group === undefined) return there([], entity);
  if (entity.kind === 'group') return factsOfGroup(group);
  if (entity.kind === 'member') {
    const name = `${entity.group}/${entity.user}`;
    return there(
      factsOfGroup(group).filter((fact) => fact.name === name && fact.kind !== 'file'),
      entity,
    );
  }
  return there(factsOfFile(group, entity.file), entity);
}

function there<Item>(items: Item[], entity: Entity): Item[] {
  if (items.length === 0) throw new UnknownThing(`there is no ${nameOf(entity)} at that point of the log`);
  return items;
}

function nameOf(entity: Entity): string {
  switch (entity.kind) {
    case 'user':
      return `user ${entity.user}`;
    case 'group':
      return `group ${entity.group}`;
    case 'member':
      return `member ${entity.group}/${entity.user}`;
    case 'file':
      return `file ${entity.group}/${entity.file}`;
  }
}

/** `audit access`: who could read a file, through which records, and who fetched it. */
export async function showAccess(run: AuditRun, name: string, question: AccessQuestion): Promise<void> {
  const { source, out, json, onProgress } = run;
  const { group, file } = groupAndFileOf(name);
  const history = new AccessHistory(group, file);
  const places = new Places('at' in question ? [question.at] : question.between);
  await replayOfGroup(source, group, {
    visit: (audited) => {
      history.note(audited);
      places.note(audited);
    },
    onProgress,
  });
  if (history.shares.length === 0) throw new UnknownThing(`no file ${file} was ever shared in a group ${group}`);
  const [from, to = from] = places.resolved(source);
  if (to!.offset < from!.offset)
    throw new BadInput('--between: the second moment is before the first: write the earlier one first');
  const found = history.within({ from: from!.offset, to: to!.offset });
  // One moment asks for everything that was fetched until then of what was there, of which the newest version is the last.
  const shares = new Set(found.shares.map(({ shareId }) => shareId));
  const fetches = history.fetches.filter(({ offset, shareId }) => offset <= from!.offset && shares.has(shareId));
  const answer =
    'at' in question
      ? { at: from!, contentId: found.shares.at(-1)?.contentId ?? null, readers: found.rights, fetches }
      : { from: from!, to: to!, shares: found.shares, readers: found.rights, fetches: found.fetches };
  if (json) out.json(answer);
  else out.line(accessText(answer));
  await out.flush();
}

/** Finds the last record at or before each of some moments while the log goes by. */
class Places {
  readonly #moments: readonly Moment[];
  readonly #found: ({ readonly offset: number; readonly timeMs: number } | null)[];
  #lastOffset = -1;

  constructor(moments: readonly Moment[]) {
    this.#moments = moments;
    this.#found = moments.map(() => null);
  }

  note({ offset, timeMs }: AuditedRecord): void {
    this.#lastOffset = offset;
    this.#moments.forEach((moment, index) => {
      if (!isBehind(moment, { offset, timeMs })) this.#found[index] = { offset, timeMs };
    });
  }

  resolved({ name }: AuditSource): Place[] {
    return this.#found.map((found, index) => {
      const moment = this.#moments[index]!;
      if (found === null) throw new BadInput(`nothing is in ${name} before that time: give a later one`);
      if (moment.kind === 'offset' && moment.offset > this.#lastOffset) {
        throw new BadInput(`offset ${moment.offset} is not there yet: ${name} ends at offset ${this.#lastOffset}`);
      }
      return placeOf(found);
    });
  }
}

/** `audit diff`: what is different at the second moment, with the record that each difference came of. */
export async function showDifference(run: AuditRun, first: Moment, second: Moment): Promise<void> {
  const { source, out, json, onProgress } = run;
  const from = await replayUnproved(source, { until: first, onProgress });
  const begin = endOf(from);
  const difference = new StateDifference(from.state);
  const visit = (audited: AuditedRecord): void => {
    if (audited.offset > begin.offset) difference.note(audited);
  };
  const to = await replayUnproved(source, { until: second, visit, onProgress });
  const end = endOf(to);
  if (end.offset < begin.offset)
    throw new BadInput('the second point is before the first: write the earlier one first');
  const changes = difference.changesTo(to.state);
  if (json) out.json({ from: begin, to: end, changes });
  else out.line(changesText(changes, { from: begin, to: end }));
  await out.flush();
}

/** `audit why`: every record that a user, group, membership or file owes something to, and those that were refused. */
export async function showHistory(run: AuditRun, entity: Entity): Promise<void> {
  const { source, out, json, onProgress } = run;
  const history: HistoryItem[] = [];
  const visit = (audited: AuditedRecord): void => {
    const effects = effectsOn(entity, audited);
    const entry = entryOf(audited);
    const { outcome, reason } = entry;
    // Also a record that is refused may end sessions that have expired.
    const isAbout = effects.length > 0 || (outcome === 'rejected' && wasToBeAbout(entity, entry));
    if (isAbout && audited.record !== null) history.push({ ...causeOf(audited), outcome, reason, effects });
  };
  if (entity.kind === 'user') await replayUnproved(source, { visit, onProgress });
  else await replayOfGroup(source, entity.group, { visit, onProgress });
  if (history.length === 0) throw new UnknownThing(`the log says nothing of a ${nameOf(entity)}`);
  if (json) out.json({ entity, history });
  else out.line(historyText(history));
  await out.flush();
}

/** `audit verify`: the verdict; the exit code follows from it. */
export async function showVerification(run: AuditRun, options: VerifyOptions): Promise<Verification['verdict']> {
  const { source, out, json, onProgress } = run;
  const found = await verify(source, { ...options, onProgress });
  if (json) out.json(found);
  else out.line(verificationText(found, { namesTrackers: options.trusted !== undefined }));
  await out.flush();
  return found.verdict;
}

/** `audit report`: a page about a period, written to a new file or to standard output. */
export async function writeReport(
  run: AuditRun,
  { from, to, out: path }: { from: Moment; to: Moment; out: string | undefined },
): Promise<Verification['verdict']> {
  const { source, out, onProgress } = run;
  const verification = await verify(source, { onProgress });
  const activity = new Activity();
  const visit = (audited: AuditedRecord): void => {
    if (isFrom(from, audited)) activity.note(audited);
  };
  await replayUnproved(source, { until: to, visit, onProgress });
  const { first, last } = activity;
  if (first === null || last === null)
    throw new BadInput('--from: no record is in that period; give an earlier one, or a later --to');
  const page = reportPage({ source: source.name, from: first, to: last, activity, verification });
  if (path === undefined) await out.bytes(Buffer.from(page));
  else await writeNewFile('--out', path, page);
  return verification.verdict;
}

async function writeNewFile(flag: string, path: string, text: string): Promise<void> {
  const file = await newFile(flag, path);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `audit compare`: two running trackers, at the last offset that both have applied. */
export async function showComparison(
  { out, json }: Pick<AuditRun, 'out' | 'json'>,
  trackers: readonly [string, string],
): Promise<Comparison['verdict']> {
  const found = await compareTrackers(trackerPortOf(trackers[0]), trackerPortOf(trackers[1]));
  if (json) out.json(found);
  else out.line(comparisonText(found));
  await out.flush();
  return found.verdict;
}

/** `audit prove`: a proof of one record, as JSON. */
export async function showProving(
  { source, out }: AuditRun,
  offset: number,
  kept: KeptCheckpoint | null,
): Promise<void> {
  out.json(await proofOf(source, offset, kept));
  await out.flush();
}

/** `audit verify --proof`: whether a proof holds. */
export async function showProof(
  text: string,
  { out, json, ...known }: Pick<AuditRun, 'out' | 'json'> & KnownFromElsewhere,
): Promise<Verification['verdict']> {
  const judged = judgedProof(text, known);
  const { proved, ...said } = judged;
  if (json) out.json({ ...said, ...(proved !== null && { ...proved, record: proved.record.toString('base64') }) });
  else out.line(provedText(judged));
  await out.flush();
  return judged.verdict;
}

/** `audit verify --keep`: the notes of the last checkpoint that agrees, of trusted trackers if any are named, in a file of its own. */
export async function keepCheckpoint(
  { source }: AuditRun,
  path: string,
  whose: Pick<ExtentOptions, 'trusted' | 'signatures'>,
): Promise<void> {
  const { last, cosigned } = await signedExtentOf(source, whose);
  if (last === null)
    throw new BadInput('--keep: no checkpoint is in it yet; trackers write one a minute after a command');
  const signed = [last, ...cosigned];
  await writeNewFile('--keep', path, signed.map(({ note }) => note).join(''));
  const signers = signed.map(({ trackerId }) => formatFingerprint(trackerId)).join(', ');
  process.stderr.write(`the first ${last.size} records, signed by ${signers}: ${path}\n`);
}

/** Where an export goes, and whose key signs it. */
export interface ExportFlags {
  readonly out?: string;
  readonly tail?: boolean;
  readonly key?: string;
}

/** `audit export`: to standard output, or to a file that is not there yet. False when a checkpoint contradicts what it wrote. */
export async function exportLog(run: AuditRun, flags: ExportFlags): Promise<boolean> {
  const { source, out, onProgress } = run;
  const key = flags.key === undefined ? null : await readKey(flags.key);
  const options = { tail: flags.tail === true, key, onProgress };
  if (flags.out === undefined)
    return told(await writeExport(source, { ...options, write: (bytes) => out.bytes(bytes) }));
  const file = await newFile('--out', flags.out);
  try {
    const write: WriteBytes = (bytes) => file.writeFile(bytes);
    const written = await writeExport(source, { ...options, write });
    await file.sync();
    const { records, signedRecords } = written.trailer;
    process.stderr.write(`${records} records, ${signedRecords} of them under a signed checkpoint: ${flags.out}\n`);
    return told(written);
  } finally {
    await file.close();
  }
}

/** What is exported is what is there, and an export ends before what contradicts it: so that has to be said now. */
function told({ dispute }: { dispute: string | null }): boolean {
  if (dispute !== null) process.stderr.write(`cohort: the log is not sound: ${dispute}; see cohort audit verify\n`);
  return dispute === null;
}

async function newFile(flag: string, path: string): Promise<FileHandle> {
  return open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === 'EEXIST' ? 'is there already' : `cannot be written: ${error.message}`;
    throw new BadInput(`${flag}: ${path} ${problem}; name a new file`);
  });
}

async function readKey(path: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readFile(path));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below, like a key of another kind.
  }
  throw new BadInput(
    `--key: ${path} holds no Ed25519 private key in PEM; openssl genpkey -algorithm ed25519 makes one`,
  );
}

/** Where a replay has come to. */
function endOf({ state }: Replayed): Place {
  if (state.appliedOffset === -1) throw new BadInput('nothing is in the log at or before that point: give a later one');
  return placeOf({ offset: state.appliedOffset, timeMs: state.logTimeMs });
}
