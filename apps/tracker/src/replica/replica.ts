// Owns this tracker's copy of the state: the one place where it changes, and only by records read back from the log, in
// order, through `apply`. A command is answered from here, once its own record has come round.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Applied, outcomeKey } from '#domain/apply';
import type { Checkpoint } from '#domain/checkpoint';
import { commandContent } from '#domain/command';
import { type Rules, RULES } from '#domain/rules';
import type { State } from '#domain/state';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import type { TrackerTroubleReason } from '#wire/tracker-trouble';
import { type AppendRecord, type CommandLog, LogFailure, type StoredRecord } from '../command-log/command-log.ts';
import { disputeSentence } from './checkpoint-ledger.ts';
import { CLOCK_SKEW_MAX_MS, ClockWatch } from './clock-watch.ts';
import { type AppliedRecord, DerivedState } from './derived-state.ts';
import { LogWatch } from './log-watch.ts';
import { OutcomeWaiters } from './outcome-waiters.ts';
import { type KeptSnapshot, logIdOf, lostEnd, problemOfStart, type StartingPoints } from './starting-points.ts';

/** Why a tracker does not take commands now. A log that is away is none of these: commands are tried, and fail. */
export type UnreadyReason = Exclude<TrackerTroubleReason, 'log_unavailable'>;

export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: UnreadyReason; readonly detail: string };

export type { AppliedRecord } from './derived-state.ts';
export type { KeptSnapshot, Restart, StartingPoints } from './starting-points.ts';

/** What a replica follows, and by which clock. */
export interface ReplicaOptions {
  readonly log: CommandLog;
  /** Nothing when it reads from offset 0 on every start. */
  readonly startingPoints?: StartingPoints | null;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** How often the log's end is asked for, which also tells whether the log is there. */
  readonly probeIntervalMs?: number;
  /** Whether checkpoints that disagree count (the default): not where an operator's ruling about them is appended. */
  readonly heedsCheckpoints?: boolean;
  /** Those of this build if left out. */
  readonly rules?: Rules;
}

const RETRY_MS = 250;
const PROBE_INTERVAL_MS = 5_000;
/** Longest stretch of applying before other work of this process gets its turn. */
const SLICE_MS = 10;

/** The state as of the last record that was read, and who waits for the next ones. */
export class Replica {
  readonly #log: CommandLog;
  readonly #probeIntervalMs: number;
  readonly #stopping = new AbortController();
  readonly #halt = Promise.withResolvers<Error>();
  readonly #waiters = new OutcomeWaiters();
  readonly #listeners = new Set<(applied: AppliedRecord) => void>();
  readonly #clock: ClockWatch;
  readonly #logWatch: LogWatch;
  readonly #heedsCheckpoints: boolean;
  readonly #startingPoints: StartingPoints | null;
  readonly #rules: Rules;
  /** Offset of the last record that was not applied by this process, -1 for none. */
  #restoredOffset = -1;
  #derived = new DerivedState();
  /** Offset of the disputed checkpoint that was acted upon last. */
  #judgedOffset = -1;
  #hasCaughtUp = false;
  #healedSize = 0;
  #endOffset = 0;
  #isServing = false;
  #sliceEndsAt = 0;
  #unready: Extract<Readiness, { ready: false }> | null = null;
  #background: Promise<unknown> = Promise.resolve();

  constructor({
    log,
    now,
    probeIntervalMs = PROBE_INTERVAL_MS,
    heedsCheckpoints = true,
    rules = RULES,
    startingPoints = null,
  }: ReplicaOptions) {
    this.#log = log;
    this.#probeIntervalMs = probeIntervalMs;
    this.#heedsCheckpoints = heedsCheckpoints;
    this.#rules = rules;
    this.#startingPoints = startingPoints;
    const clocks = { now, monotonicNow: () => performance.now() };
    this.#logWatch = new LogWatch({ ...clocks, silenceMs: 2 * probeIntervalMs });
    this.#clock = new ClockWatch(clocks);
  }

  /** What the applied records came to. */
  get state(): State {
    return this.#derived.state;
  }

  /** Offset of the last applied record, -1 before the first. */
  get appliedOffset(): number {
    return this.state.appliedOffset;
  }

  /** Offset after the last record of the log, as far as this tracker has heard. */
  get endOffset(): number {
    return Math.max(this.#endOffset, this.state.appliedOffset + 1);
  }

  /** Merkle root (RFC 6962) over the applied records, 64 hex characters. */
  get root(): string {
    return this.#derived.root;
  }

  /** Effect digest after the last applied record, 64 hex characters. */
  get digest(): string {
    return this.#derived.digest;
  }

  /** Whether this tracker takes commands, and if not, why. */
  get readiness(): Readiness {
    if (this.#unready !== null) return this.#unready;
    if (!this.#isServing) {
      return unready('catching_up', `applied ${this.appliedOffset + 1} of ${this.endOffset} records`);
    }
    if (this.#clock.isSkewed()) {
      return unready(
        'clock_skew',
        `this clock is more than ${CLOCK_SKEW_MAX_MS / 1_000} s from the log's: set it right`,
      );
    }
    return this.#dispute === null ? { ready: true } : unready('checkpoint_disputed', this.#dispute);
  }

  /** Whether a checkpoint disagrees, so that this tracker cannot vouch for what it has. */
  get isDisputed(): boolean {
    return this.#dispute !== null;
  }

  /** Whether a tracker has signed something else than this one has, and has not taken it back. */
  isDisputedWith(trackerId: string): boolean {
    return this.#derived.checkpoints.isDisputedWith(trackerId);
  }

  /** How many records the latest checkpoint covers that agrees. */
  get coveredSize(): number {
    return this.#derived.checkpoints.agreedSize;
  }

  /** How many applied records no such checkpoint covers; checkpoints are not counted. */
  get newsCount(): number {
    return this.#derived.newsCount;
  }

  /** How many records were applied when this tracker found that it had computed something wrong; 0 for never. */
  get healedSize(): number {
    return this.#healedSize;
  }

  /** The snapshots that this tracker has, newest first. */
  get snapshots(): readonly KeptSnapshot[] {
    return this.#startingPoints?.kept ?? [];
  }

  /** Resolves when the log cannot be followed any further: the process has to end, for the reason given. */
  get halted(): Promise<Error> {
    return this.#halt.promise;
  }

  /** Whether further records are read and applied; false for good once that has stopped. */
  get isReading(): boolean {
    return !this.#stopping.signal.aborted;
  }

  /** For how long the log has not answered, in milliseconds; 0 while it does. */
  logSilentMs(): number {
    return this.#logWatch.silentMs();
  }

  /** Why the log takes no records now, as far as this tracker has noticed; null while nothing speaks against it. */
  get logProblem(): string | null {
    return this.#logWatch.problem;
  }

  /** The newest rules that this build knows. */
  get newestRulesVersion(): number {
    return this.#rules.newestVersion;
  }

  /** Effect digest after the record at `offset`, 64 hex characters, or null when it is not held. */
  digestAt(offset: number): string | null {
    return this.#derived.digestAt(offset);
  }

  /** Merkle root over the records up to `offset`, 64 hex characters, or null when it is not held. */
  rootAt(offset: number): string | null {
    return this.#derived.rootAt(offset);
  }

  /** The password hash (PHC text) in force for a user, or null when none is known or its commitment does not fit. */
  passwordHashOf(user: string): string | null {
    return this.#derived.passwordHashOf(user);
  }

  /** How many users have no password that fits the log: they cannot log in. */
  get unknownPasswordCount(): number {
    return this.#derived.unknownPasswordCount;
  }

  /** What this tracker says about everything that it has applied; null before the log has begun. */
  checkpoint(): Checkpoint | null {
    return this.#derived.checkpoint();
  }

  /** Begins to read; true when everything up to the log's present end is applied, false when reading has stopped. */
  async start(): Promise<boolean> {
    const restoring = this.#restore();
    this.#background = Promise.all([restoring.then(() => this.#follow()), this.#probe()]);
    const end = await restoring;
    const isApplied = end !== null && (await this.waitUntilApplied(end - 1));
    if (!isApplied || !this.isReading) return false;
    // What came of a checkpoint may stand after it, so disputes count from the end of the log on.
    this.#hasCaughtUp = true;
    this.#judgeCheckpoints();
    return this.isReading;
  }

  /** From now on this tracker is ready, unless something is wrong. */
  serve(): void {
    this.#isServing = true;
  }

  /** Stops reading. Whoever still waits for an outcome hears that it is unknown. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiters.endAll();
    await this.#background;
  }

  /** Calls back for every record from now on, after it is applied. Returns what ends that. */
  onApplied(listener: (applied: AppliedRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Appends a record and waits until this replica has applied it, or the first record of the same command. Null when the
   * time is up: the outcome is unknown then. Rejects with LogFailure when the append fails.
   */
  async submit(
    record: SignedLogRecord,
    options: { sealed: string | null; timeoutMs: number },
  ): Promise<Applied | null> {
    const waiter = this.#waiters.expect(outcomeKey(record), commandContent(record.command));
    try {
      const value = encodeLogRecord(record);
      const appended = this.#append({ value, sealed: options.sealed }).then(() => waiter.outcome);
      // The outcome may be known before the append is: by a reader that is quicker, or by an earlier attempt.
      return await withinMs(Promise.race([waiter.outcome, appended]), options.timeoutMs);
    } finally {
      waiter.forget();
    }
  }

  /** Computes everything once more from offset 0, beside going on, and puts snapshots out of use, for the reason given. */
  computeAnew(reason: string): void {
    this.#background = Promise.all([this.#background, this.#replay(reason)]);
  }

  /** Whether the record at `offset` is applied within `timeoutMs` (no limit by default) while reading goes on. */
  waitUntilApplied(offset: number, timeoutMs?: number): Promise<boolean> {
    if (this.appliedOffset >= offset) return Promise.resolve(true);
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    const waiter = this.#waiters.expectOffset(offset);
    const applied = timeoutMs === undefined ? waiter.applied : withinMs(waiter.applied, timeoutMs);
    return applied.then((isApplied) => isApplied ?? false).finally(() => waiter.forget());
  }

  async #append(record: AppendRecord): Promise<void> {
    try {
      await this.#log.append([record]);
      this.#logWatch.took();
    } catch (error) {
      if (error instanceof LogFailure && error.code === 'log_unavailable') this.#logWatch.refused(error);
      throw error;
    }
  }

  /** Begins where an earlier process left off, if this is its log still; the log's end, null when reading has stopped. */
  async #restore(): Promise<number | null> {
    const end = await this.#firstEnd();
    if (end === null || this.#startingPoints === null) return end;
    const found = { log: this.#log, end, signal: this.#stopping.signal };
    try {
      const logId = await logIdOf(found);
      if (!this.isReading) return null;
      const problemOf = (derived: DerivedState): Promise<string | null> => problemOfStart(derived, logId, found);
      const derived = await this.#startingPoints.load({ problemOf, rules: this.#rules, turn: () => this.#turn() });
      this.#derived = derived ?? this.#derived;
      this.#restoredOffset = this.appliedOffset;
    } catch (error) {
      this.#haltWith(error);
    }
    return end;
  }

  async #firstEnd(): Promise<number | null> {
    while (!this.#stopping.signal.aborted) {
      const end = await this.#askEnd();
      if (end !== null) return end;
      await this.#pause(RETRY_MS);
    }
    return null;
  }

  async #probe(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const appliedBefore = this.appliedOffset;
      const end = await this.#askEnd();
      if (end !== null && end <= appliedBefore) {
        const detail = `the log ends at offset ${end}, but this tracker has applied offset ${appliedBefore}`;
        this.#haltWith(lostEnd(detail, appliedBefore));
      }
      await this.#pause(this.#probeIntervalMs);
    }
  }

  async #askEnd(): Promise<number | null> {
    try {
      this.#endOffset = await this.#log.end();
      this.#logWatch.answered();
      return this.#endOffset;
    } catch (error) {
      if (isPassing(error)) this.#logWatch.unanswered(error);
      else this.#haltWith(error);
      return null;
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#log.read(this.appliedOffset + 1, signal)) {
          this.#logWatch.answered();
          await this.#applyBatch(batch);
        }
      } catch (error) {
        if (!isPassing(error)) this.#haltWith(error);
      }
      await this.#pause(RETRY_MS);
    }
  }

  async #applyBatch(batch: readonly StoredRecord[]): Promise<void> {
    for (const stored of batch) {
      if (this.#stopping.signal.aborted) return;
      if (performance.now() >= this.#sliceEndsAt) await this.#giveTurn();
      this.#applyStored(stored);
    }
  }

  #applyStored(stored: StoredRecord): void {
    const appliedRecord = this.#derived.apply(stored, this.#rules);
    const { offset, record, applied } = appliedRecord;
    this.#stopAtUnknownRules(appliedRecord);
    const isOwn = record !== null && this.#waiters.settle(record, applied);
    this.#observeClock(stored, isOwn ? record.timeMs : null);
    this.#waiters.settleOffsets(offset);
    if (this.#hasCaughtUp) this.#judgeCheckpoints();
    // The record itself may have stopped the reading: what comes after it is not applied.
    if (!this.isReading) this.#waiters.endAll();
    for (const listener of this.#listeners) listener(appliedRecord);
  }

  #stopAtUnknownRules({ offset, applied }: AppliedRecord): void {
    for (const event of applied.events) {
      if (event.type !== 'rules_activated' && event.type !== 'log_started') continue;
      const { newestVersion } = this.#rules;
      if (event.rulesVersion <= newestVersion) continue;
      const detail = `the log asks for rules version ${event.rulesVersion} since offset ${offset}, this build knows up to ${newestVersion}`;
      this.#unready ??= unready('upgrade_required', `${detail}: install a newer one`);
      this.#stopping.abort();
    }
  }

  /** What keeps this tracker from vouching for its state, once it has read what came of it. */
  get #dispute(): string | null {
    return this.#hasCaughtUp && this.#heedsCheckpoints ? this.#derived.checkpoints.problem : null;
  }

  /** Other records: the log is not what somebody has read, so nothing more is applied. Other effects: computed once more. */
  #judgeCheckpoints(): void {
    const { dispute } = this.#derived.checkpoints;
    if (dispute === null || !this.#heedsCheckpoints) return;
    const beganAtZero = this.#restoredOffset < 0;
    if (dispute.kind === 'root' && beganAtZero) {
      this.#haltWith(new LogFailure('log_halted', disputeSentence(dispute)));
      return;
    }
    if (dispute.offset === this.#judgedOffset) return;
    this.#judgedOffset = dispute.offset;
    // What was computed while catching up was computed from offset 0 just now, unless it began at a snapshot.
    const isComputedAnew = !this.#isServing && beganAtZero;
    if (!isComputedAnew) this.computeAnew(`the checkpoint at offset ${dispute.offset} has something else`);
  }

  /** Throws away what was computed from the records for what they come to when they are read from offset 0. */
  async #replay(reason: string): Promise<void> {
    while (this.isReading) {
      try {
        await this.#startingPoints?.discard(reason);
        if (await this.#replayOnce()) return;
      } catch (error) {
        if (!isPassing(error)) return this.#haltWith(error);
      }
      await this.#pause(RETRY_MS);
    }
  }

  /** Whether it came as far as this replica. */
  async #replayOnce(): Promise<boolean> {
    const fresh = new DerivedState();
    for await (const batch of this.#log.read(0, this.#stopping.signal)) {
      for (const stored of batch) {
        if (performance.now() >= this.#sliceEndsAt) await this.#giveTurn();
        if (!this.isReading) return false;
        fresh.apply(stored, this.#rules);
        if (fresh.state.appliedOffset < this.appliedOffset) continue;
        this.#adopt(fresh);
        return true;
      }
    }
    return false;
  }

  #adopt(fresh: DerivedState): void {
    if (fresh.root === this.#derived.root || this.#restoredOffset >= 0) {
      this.#restoredOffset = -1;
      if (fresh.digest !== this.#derived.digest) this.#healedSize = this.appliedOffset + 1;
      this.#derived = fresh;
      this.#judgeCheckpoints();
      return;
    }
    const detail = `the records up to offset ${this.appliedOffset} are others than this tracker has read before`;
    this.#haltWith(new LogFailure('log_halted', `${detail}: the log was changed`));
  }

  #turn(): Promise<void> | undefined {
    return performance.now() >= this.#sliceEndsAt ? this.#giveTurn() : undefined;
  }

  /** Lets other work of this process have its turn. */
  async #giveTurn(): Promise<void> {
    await nextTurn();
    this.#sliceEndsAt = performance.now() + SLICE_MS;
  }

  #observeClock({ appendTimeMs }: StoredRecord, ownTimeMs: number | null): void {
    if (!this.#isServing || appendTimeMs === null) return;
    this.#clock.observe({ appendTimeMs, ownTimeMs });
  }

  #haltWith(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    this.#unready ??= unready('log_halted', reason.message);
    this.#stopping.abort();
    this.#waiters.endAll();
    this.#halt.resolve(reason);
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);
  }
}

function unready(reason: UnreadyReason, detail: string): Extract<Readiness, { ready: false }> {
  return { ready: false, reason, detail };
}

/** A failure that ends by itself; everything else means that the log cannot be followed. */
function isPassing(error: unknown): error is LogFailure {
  return error instanceof LogFailure && error.retryable;
}

async function withinMs<Value>(value: Promise<Value>, timeoutMs: number): Promise<Value | null> {
  const timer = Promise.withResolvers<null>();
  const timeout = setTimeout(() => timer.resolve(null), Math.max(0, timeoutMs));
  try {
    return await Promise.race([value, timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
