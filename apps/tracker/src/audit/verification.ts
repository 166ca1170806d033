// Owns the verdict on a log: everything that it comes to is derived again and compared with what trackers signed. A signature
// is worth what is known of its key: keys that stand only in the log itself prove that the log fits together, and no more.
import type { Event } from '#domain/event';
import type { State } from '#domain/state';
import { formatFingerprint } from '#wire/tracker-info';
import { LogFailure } from '../command-log/command-log.ts';
import { openSealed } from '../credentials/credentials.ts';
import { DerivedState } from '../replica/derived-state.ts';
import { auditorOf, type Trailer } from './export-format.ts';
import type { FormProblem } from './export-source.ts';
import { type KeptCheckpoint, signersOf } from './kept-checkpoint.ts';
import { agreeing, notesOf } from './last-checkpoint.ts';
import { type AuditedRecord, type AuditSource, NewerRules, replay } from './replay.ts';

/** A tracker whose checkpoints agree with the log. */
export interface Signer {
  /** Id of the tracker, hex. */
  readonly tracker: string;
  /** How many records its last agreeing checkpoint is about. */
  readonly records: number;
  /** Whether its key was given by whoever asks, and not only by the log. */
  readonly trusted: boolean;
}

/** What was found. */
export interface Verification {
  readonly verdict: 'sound' | 'tampered' | 'incomplete';
  /** How many records were read. */
  readonly records: number;
  /** How many of them agreeing checkpoints of enough trackers are about; of trusted ones, when any are given. */
  readonly signedRecords: number;
  /** The first record that may not be the one that was written; null for none, or when any may be it. */
  readonly firstBadOffset: number | null;
  /** The last one of those among which it is, when checkpoints say no more; otherwise the same. */
  readonly lastSuspectOffset: number | null;
  readonly root: string;
  readonly digest: string;
  /** `signed`: a trusted key signed the signed records; `consistent`: the log fits together, whoever wrote it. */
  readonly trust: 'signed' | 'consistent';
  readonly signers: readonly Signer[];
  /** How many trackers there are to sign: those that are trusted when any are given, else those that the log knows. */
  readonly trackers: number;
  /** The checkpoints that were kept, with the trackers that signed them by the keys in the log. */
  readonly kept: readonly { readonly name: string; readonly records: number; readonly signers: readonly string[] }[];
  /** Fingerprint (hex) of the auditor who signed the export. */
  readonly auditor: string | null;
  /** What is wrong, for a person. */
  readonly problem: string | null;
}

/** What the log is compared with beside itself. */
export interface VerifyOptions {
  /** Ids of trackers whose keys are known from elsewhere. */
  readonly trusted?: ReadonlySet<string> | undefined;
  /** Whether an export may have records that none of them has signed. */
  readonly allowsTail?: boolean;
  /** How many of the trusted trackers have to have signed; 1 if left out. */
  readonly signatures?: number;
  /** Fingerprint (hex) of the auditor who has to have signed the export. */
  readonly auditor?: string | undefined;
  /** Checkpoints that somebody kept. */
  readonly kept?: readonly KeptCheckpoint[];
  readonly onProgress?: ((offset: number) => void) | undefined;
}

/** A source that may have a form of its own to be wrong about. */
type VerifiableSource = AuditSource & { readonly trailer?: Trailer | null; readonly problem?: FormProblem | null };

/** Nothing is wrong with a log that is too young to have one, and nothing of it is proved. */
const NO_CHECKPOINT =
  'there is no checkpoint in it yet, so no tracker has signed any of it: trackers write one a minute after a command, and when ' +
  'they stop; verify it again then, and take it for cut off when it is older and has none';

interface Finding {
  readonly verdict: 'tampered' | 'incomplete';
  readonly message: string;
  readonly from: number | null;
  readonly to: number | null;
}

/** Reads all of a source and judges it. Throws what keeps it from being read at all. */
export async function verify(source: VerifiableSource, options: VerifyOptions = {}): Promise<Verification> {
  const watch = new SignatureWatch(options);
  const seals = new SealWatch();
  const findings: Finding[] = [];
  let derived = new DerivedState();
  const visit = (audited: AuditedRecord, now: DerivedState): void => {
    derived = now;
    watch.note(audited, now);
    seals.note(audited);
  };
  try {
    const { onProgress } = options;
    derived = await replay(source, { visit, onProgress });
  } catch (error) {
    findings.push(findingOf(error, derived.state.appliedOffset));
  }
  findings.push(...beginningFindings(derived), ...watch.findings(derived), ...seals.findings);
  findings.push(...formFindings(source, { watch, derived }));
  findings.push(...watch.trustFindings(derived), ...tailFindings(source, { options, watch, derived }));
  findings.push(...auditorFindings(source, options));
  return verdictOf(findings, { derived, watch, source });
}

function findingOf(error: unknown, appliedOffset: number): Finding {
  if (error instanceof NewerRules) {
    return { verdict: 'incomplete', message: error.message, from: error.offset, to: null };
  }
  // A fault of the log itself, and not of the way to it.
  if (error instanceof LogFailure && error.code === 'log_halted') {
    return { verdict: 'tampered', message: error.message, from: appliedOffset + 1, to: appliedOffset + 1 };
  }
  throw error;
}

/** Without a genesis nothing is in force, so nothing of it means anything. */
function beginningFindings({ state: { logId, appliedOffset } }: DerivedState): Finding[] {
  if (logId !== null) return [];
  const message =
    appliedOffset === -1 ? 'there are no records' : 'no genesis is among the records: its beginning is missing';
  return [{ verdict: 'incomplete', message, from: 0, to: null }];
}

/** Password hashes beside records, which say in their own bytes which one that is. An export has none: lacking one is no fault. */
class SealWatch {
  #count = 0;
  #first: number | null = null;

  note({ offset, record, sealed }: AuditedRecord): void {
    const { commitment } = (record?.command.data ?? {}) as { readonly commitment?: unknown };
    if (sealed === null || typeof commitment !== 'string' || openSealed(sealed, commitment) !== null) return;
    this.#count += 1;
    this.#first ??= offset;
  }

  get findings(): Finding[] {
    if (this.#first === null) return [];
    const others = this.#count === 1 ? '' : `, and so with ${this.#count - 1} more`;
    const message = `beside the record at offset ${this.#first} is another password hash than it speaks of${others}`;
    return [{ verdict: 'tampered', message, from: this.#first, to: this.#first }];
  }
}

/** What checkpoints say, as the records go by: those in the log, and those that somebody kept. */
class SignatureWatch {
  readonly signers = new Map<string, number>();
  readonly #kept: readonly KeptCheckpoint[];
  /** What of the log is not as it says. */
  readonly #contradicted = new Map<KeptCheckpoint, 'records' | 'effects'>();
  /** Null when no tracker was named: then every one that the log knows counts. */
  readonly #trusted: ReadonlySet<string> | null;
  readonly #signatures: number;
  /** What trusted trackers last said that does not agree. The log's own rulings count only when a trusted one signed them. */
  readonly #contested = new Map<string, { offset: number; size: number }>();
  #hasCheckpoint = false;

  constructor({ kept = [], trusted, signatures = 1 }: VerifyOptions) {
    this.#kept = kept;
    this.#trusted = trusted ?? null;
    this.#signatures = signatures;
  }

  note({ offset, record, applied }: AuditedRecord, derived: DerivedState): void {
    for (const kept of this.#kept) {
      if (kept.size !== offset + 1) continue;
      if (kept.root !== derived.root) this.#contradicted.set(kept, 'records');
      else if (kept.digest !== derived.digest) this.#contradicted.set(kept, 'effects');
    }
    for (const event of applied.events) {
      if (event.type === 'checkpoint_recorded') this.#noteCheckpoint(offset, event, derived);
      else if (event.type === 'checkpoint_resolved' && event.counts === 'log' && this.isTrusted(record!.trackerId)) {
        this.#contested.delete(event.trackerId);
      }
    }
  }

  /** Whether a tracker's key was given by whoever asks. */
  isTrusted(trackerId: string): boolean {
    return this.#trusted?.has(trackerId) ?? false;
  }

  /** How many records checkpoints of enough trackers that count are about. */
  get signedRecords(): number {
    const counting = [...this.signers].filter(([tracker]) => this.#trusted === null || this.isTrusted(tracker));
    const sizes = counting.map(([, size]) => size).toSorted((left, right) => right - left);
    return sizes[this.#signatures - 1] ?? 0;
  }

  /** Whether trackers were named. */
  get hasTrusted(): boolean {
    return this.#trusted !== null;
  }

  /** How many trackers there are to sign. */
  trackerCount({ trackers }: State): number {
    return this.#trusted?.size ?? trackers.size;
  }

  /** The checkpoints that were kept, and who signed them. */
  keptBy(state: State): Verification['kept'] {
    return this.#kept.map((kept) => {
      const signers = signersOf(kept, state).filter((signer) => signer !== null);
      return { name: kept.name, records: kept.size, signers: [...new Set(signers)] };
    });
  }

  /** What the trackers that were named have against the log, when any were. */
  trustFindings({ state }: DerivedState): Finding[] {
    if (this.#trusted === null) return [];
    const contested = [...this.#contested].map(([tracker, { offset, size }]): Finding => {
      const message = `${tracker}, which you trust, signed something else at offset ${offset} about the first ${size} records`;
      return { verdict: 'tampered', message, from: 0, to: size - 1 };
    });
    if (contested.length > 0) return contested;
    const findings = this.#weaklyKept(state);
    if (this.signedRecords > 0) return findings;
    if (!this.#hasCheckpoint && this.signers.size === 0) {
      return [...findings, { verdict: 'incomplete', message: NO_CHECKPOINT, from: null, to: null }];
    }
    const message =
      this.#signatures === 1
        ? 'none of the trackers that you trust has signed any of it'
        : `fewer than ${this.#signatures} of the trackers that you trust have signed any of it`;
    return [...findings, { verdict: 'incomplete', message, from: 0, to: state.appliedOffset }];
  }

  /** Kept checkpoints that fewer trusted trackers have signed than were asked for: one of them alone may say anything. */
  #weaklyKept(state: State): Finding[] {
    if (this.#signatures === 1) return [];
    return this.keptBy(state).flatMap(({ name, signers }) => {
      const count = signers.filter((signer) => this.isTrusted(signer)).length;
      if (count >= this.#signatures) return [];
      const message = `${name} is signed by ${count} of the trackers that you trust, and not by ${this.#signatures}`;
      return [{ verdict: 'incomplete', message, from: null, to: null }];
    });
  }

  #noteCheckpoint(
    offset: number,
    { trackerId, size, root, digest }: Extract<Event, { type: 'checkpoint_recorded' }>,
    derived: DerivedState,
  ): void {
    this.#hasCheckpoint = true;
    const agrees = root === derived.rootAt(size - 1) && digest === derived.digestAt(size - 1);
    if (agrees) {
      this.signers.set(trackerId, Math.max(size, this.signers.get(trackerId) ?? 0));
      this.#contested.delete(trackerId);
    } else if (this.isTrusted(trackerId)) {
      this.#contested.set(trackerId, { offset, size });
    }
  }

  findings({ state, checkpoints: { dispute } }: DerivedState): Finding[] {
    const findings: Finding[] = [];
    if (dispute !== null) {
      const what = dispute.kind === 'root' ? 'records than those that are here' : 'effects than what these come to';
      const message = `the checkpoint at offset ${dispute.offset}, by ${dispute.trackerId}, is about other ${what}`;
      findings.push({
        verdict: 'tampered',
        message,
        from: Math.min(dispute.agreedSize, dispute.size - 1),
        to: dispute.size - 1,
      });
    }
    for (const kept of this.#kept) {
      const problem = keptProblem(kept, { state, different: this.#contradicted.get(kept) });
      if (problem !== null) findings.push({ verdict: 'tampered', ...problem });
    }
    return findings;
  }
}

function keptProblem(
  kept: KeptCheckpoint,
  log: { state: State; different: 'records' | 'effects' | undefined },
): Omit<Finding, 'verdict'> | null {
  const { name, size } = kept;
  const { logId, appliedOffset } = log.state;
  const records = appliedOffset + 1;
  if (logId !== null && kept.logId !== logId) {
    return { message: `${name} is the checkpoint of another log, ${kept.logId}`, from: null, to: null };
  }
  if (size > records) {
    const message = `${name} is about ${size} records, and there are ${records}: the end was cut off`;
    return { message, from: records, to: size - 1 };
  }
  if (log.different !== undefined) {
    const message =
      log.different === 'records'
        ? `${name} is about other records than the first ${size} here`
        : `${name} is about other effects than the first ${size} records here come to`;
    return { message, from: 0, to: size - 1 };
  }
  if (!signersOf(kept, log.state).includes(null)) return null;
  return {
    message: `${name} is signed by no tracker of this log, or not all of it: it is not as it was written`,
    from: null,
    to: null,
  };
}

/** What is wrong with an export beyond its records: its bytes, its trailer, its checkpoint, its auditor's signature. */
function formFindings(
  { problem = null, trailer = null }: VerifiableSource,
  { watch, derived }: { watch: SignatureWatch; derived: DerivedState },
): Finding[] {
  const findings: Finding[] = [];
  if (problem !== null) {
    findings.push({ verdict: problem.kind, message: problem.message, from: problem.offset, to: problem.offset });
  }
  if (trailer === null) return findings;
  if (auditorOf(trailer) === false) {
    findings.push({ verdict: 'tampered', message: "the auditor's signature does not hold", from: null, to: null });
  }
  const notes = notesOf(trailer).map((note) => agreeing(note, derived));
  const doFit = notes.every((note) => note?.size === trailer.signedRecords);
  if (!doFit || (notes.length === 0 && trailer.signedRecords !== 0)) {
    const message = 'the checkpoint of the trailer does not fit the records';
    findings.push({
      verdict: 'tampered',
      message,
      from: Math.min(watch.signedRecords, trailer.records),
      to: Math.max(trailer.records, trailer.signedRecords) - 1,
    });
    return findings;
  }
  for (const note of notes) {
    const { trackerId, size } = note!;
    watch.signers.set(trackerId, Math.max(size, watch.signers.get(trackerId) ?? 0));
  }
  return findings;
}

/** Records behind what trusted trackers signed: in a log they are the latest ones, in an export they may be anybody's. */
function tailFindings(
  source: VerifiableSource,
  { options, watch, derived }: { options: VerifyOptions; watch: SignatureWatch; derived: DerivedState },
): Finding[] {
  const [first, last] = [watch.signedRecords, derived.state.appliedOffset];
  const isAsked = options.trusted !== undefined && options.allowsTail !== true && source.trailer !== undefined;
  if (!isAsked || first === 0 || first > last) return [];
  const whom = (options.signatures ?? 1) === 1 ? 'nobody whom you trust has' : 'too few of those whom you trust have';
  const message = `${whom} signed its last records; with --tail they may be there`;
  return [{ verdict: 'incomplete', message, from: first, to: last }];
}

/** An export whose auditor was named has to have that one's signature. */
function auditorFindings({ trailer = null }: VerifiableSource, { auditor }: VerifyOptions): Finding[] {
  const signer = trailer === null ? null : auditorOf(trailer);
  if (auditor === undefined || signer === auditor) return [];
  const what = typeof signer === 'string' ? `signed by ${formatFingerprint(signer)}` : 'signed by no auditor';
  const message = `it is ${what}, and not by ${formatFingerprint(auditor)}`;
  return [{ verdict: 'incomplete', message, from: null, to: null }];
}

function verdictOf(
  findings: readonly Finding[],
  found: { derived: DerivedState; watch: SignatureWatch; source: VerifiableSource },
): Verification {
  const { derived, watch, source } = found;
  const worst = findings.find(({ verdict }) => verdict === 'tampered') ?? findings[0] ?? null;
  const located = findings.filter(({ verdict, from }) => verdict === worst?.verdict && from !== null);
  const first = located.toSorted((left, right) => left.from! - right.from!)[0] ?? null;
  const signers = [...watch.signers.keys()]
    .sort()
    .map((tracker) => ({ tracker, records: watch.signers.get(tracker)!, trusted: watch.isTrusted(tracker) }));
  const auditor = (source.trailer ?? null) === null ? null : auditorOf(source.trailer!) || null;
  return {
    verdict: worst?.verdict ?? 'sound',
    records: derived.state.appliedOffset + 1,
    signedRecords: watch.signedRecords,
    firstBadOffset: first?.from ?? null,
    lastSuspectOffset: first?.to ?? null,
    root: derived.root,
    digest: derived.digest,
    trust: watch.hasTrusted && watch.signedRecords > 0 ? 'signed' : 'consistent',
    signers,
    trackers: watch.trackerCount(derived.state),
    kept: watch.keptBy(derived.state),
    auditor,
    problem: worst?.message ?? null,
  };
}
