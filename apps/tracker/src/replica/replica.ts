// Owns this tracker's copy of the state: the one place where it changes, and only by records read back from the log, in
// order, through `apply`. A command is answered from here, once its own record has come round.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Applied, apply, outcomeKey } from '#domain/apply';
import { commandContent } from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import type { Event } from '#domain/event';
import { emptyState, type State } from '#domain/state';
import { decodeLogRecord, encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { type CommandLog, LogFailure, type StoredRecord } from '../command-log/command-log.ts';
import { openSealed } from '../credentials/credentials.ts';
import { CLOCK_SKEW_MAX_MS, ClockWatch } from './clock-watch.ts';
import { DigestHistory } from './digest-history.ts';
import { FIRST_DIGEST, nextDigest } from './effect-digest.ts';
import { OutcomeWaiters } from './outcome-waiters.ts';
import { SignatureCheck } from './record-signature.ts';
import { RootHistory } from './root-history.ts';

/** Why a tracker does not take commands now. */
export type UnreadyReason = 'catching_up' | 'clock_skew' | 'upgrade_required' | 'log_halted';

export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: UnreadyReason; readonly detail: string };

/** A record with what it came to, as listeners hear of it. */
export interface AppliedRecord {
  readonly offset: number;
  readonly record: SignedLogRecord | null;
  readonly applied: Applied;
}

/** What a replica follows, and by which clock. */
export interface ReplicaOptions {
  readonly log: CommandLog;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** How often the log's end is asked for, which also tells whether the log is there. */
  readonly probeIntervalMs?: number;
}

/** A password hash in force, and the record that set it. */
interface Credential {
  readonly offset: number;
  readonly phc: string;
}

const RETRY_MS = 250;
const PROBE_INTERVAL_MS = 5_000;
/** Longest stretch of applying before other work of this process gets its turn. */
const SLICE_MS = 10;

/** The state as of the last record that was read, and who waits for the next ones. */
export class Replica {
  readonly state: State = emptyState();
  readonly #log: CommandLog;
  readonly #now: () => number;
  readonly #probeIntervalMs: number;
  readonly #stopping = new AbortController();
  readonly #halt = Promise.withResolvers<Error>();
  readonly #waiters = new OutcomeWaiters();
  readonly #signatures = new SignatureCheck();
  readonly #roots = new RootHistory();
  readonly #digests = new DigestHistory();
  readonly #credentials = new Map<string, Credential>();
  readonly #listeners = new Set<(applied: AppliedRecord) => void>();
  readonly #clock: ClockWatch;
  #digest: Uint8Array = FIRST_DIGEST;
  #endOffset = 0;
  #logReachableAtMs: number;
  #appendedCount = 0;
  #isServing = false;
  #sliceEndsAt = 0;
  #unready: Extract<Readiness, { ready: false }> | null = null;
  #background: Promise<unknown> = Promise.resolve();

  constructor({ log, now, probeIntervalMs = PROBE_INTERVAL_MS }: ReplicaOptions) {
    this.#log = log;
    this.#now = now;
    this.#probeIntervalMs = probeIntervalMs;
    this.#logReachableAtMs = now();
    this.#clock = new ClockWatch({ now, monotonicNow: () => performance.now() });
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
    return this.#roots.root().toString('hex');
  }

  /** Effect digest after the last applied record, 64 hex characters. */
  get digest(): string {
    return Buffer.from(this.#digest).toString('hex');
  }

  /** Records that this process has appended. */
  get appendedCount(): number {
    return this.#appendedCount;
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
    return { ready: true };
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
    const silentMs = this.#now() - this.#logReachableAtMs;
    return silentMs > 2 * this.#probeIntervalMs ? silentMs : 0;
  }

  /** Effect digest after the record at `offset`, 64 hex characters, or null when it is not held. */
  digestAt(offset: number): string | null {
    return this.#digests.at(offset)?.toString('hex') ?? null;
  }

  /** Merkle root over the records up to `offset`, 64 hex characters, or null when it is not held. */
  rootAt(offset: number): string | null {
    return this.#roots.at(offset + 1)?.toString('hex') ?? null;
  }

  /** The password hash (PHC text) in force for a user, or null when none is known or its commitment does not fit. */
  passwordHashOf(user: string): string | null {
    const credential = this.#credentials.get(user);
    return credential?.offset === this.state.users.get(user)?.credentialOffset ? (credential?.phc ?? null) : null;
  }

  /** Begins to read; true when everything up to the log's present end is applied, false when reading has stopped. */
  async start(): Promise<boolean> {
    this.#background = Promise.all([this.#follow(), this.#probe()]);
    const end = await this.#firstEnd();
    const isApplied = end !== null && (await this.waitUntilApplied(end - 1));
    return isApplied && this.isReading;
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
      const appended = this.#log.append([{ value, sealed: options.sealed }]).then(() => {
        this.#appendedCount += 1;
        this.#logReachableAtMs = this.#now();
        return waiter.outcome;
      });
      // The outcome may be known before the append is: by a reader that is quicker, or by an earlier attempt.
      return await withinMs(Promise.race([waiter.outcome, appended]), options.timeoutMs);
    } finally {
      waiter.forget();
    }
  }

  /** Whether the record at `offset` is applied within `timeoutMs` (no limit by default) while reading goes on. */
  waitUntilApplied(offset: number, timeoutMs?: number): Promise<boolean> {
    if (this.appliedOffset >= offset) return Promise.resolve(true);
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    const waiter = this.#waiters.expectOffset(offset);
    const applied = timeoutMs === undefined ? waiter.applied : withinMs(waiter.applied, timeoutMs);
    return applied.then((isApplied) => isApplied ?? false).finally(() => waiter.forget());
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
        this.#haltWith(new LogFailure('log_halted', `${detail}: it was cut, or is another log`));
      }
      await this.#pause(this.#probeIntervalMs);
    }
  }

  async #askEnd(): Promise<number | null> {
    try {
      this.#endOffset = await this.#log.end();
      this.#logReachableAtMs = this.#now();
      return this.#endOffset;
    } catch (error) {
      if (!isPassing(error)) this.#haltWith(error);
      return null;
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#log.read(this.appliedOffset + 1, signal)) {
          this.#logReachableAtMs = this.#now();
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
      if (performance.now() >= this.#sliceEndsAt) {
        await nextTurn();
        this.#sliceEndsAt = performance.now() + SLICE_MS;
      }
      this.#applyStored(stored);
    }
  }

  #applyStored(stored: StoredRecord): void {
    const { offset } = stored;
    const record = decodeLogRecord(stored.value);
    const applied = apply(this.state, { offset, record, ...this.#signatures.examine(record, this.state) });
    this.#roots.append(stored.value);
    this.#digest = nextDigest(this.#digest, offset, applied);
    this.#digests.append(this.#digest);
    for (const event of applied.events) this.#noteEvent(event, stored);
    const isOwn = record !== null && this.#waiters.settle(record, applied);
    this.#observeClock(stored, isOwn ? record.timeMs : null);
    this.#waiters.settleOffsets(offset);
    // The record itself may have stopped the reading: what comes after it is not applied.
    if (!this.isReading) this.#waiters.endAll();
    for (const listener of this.#listeners) listener({ offset, record, applied });
  }

  #noteEvent(event: Event, { offset, sealed }: StoredRecord): void {
    if (event.type === 'user_created' || event.type === 'password_changed') {
      const phc = openSealed(sealed, event.commitment);
      if (phc === null) this.#credentials.delete(event.user);
      else this.#credentials.set(event.user, { offset, phc });
    }
    if (event.type === 'rules_activated' && event.rulesVersion > NEWEST_RULES_VERSION) {
      const detail = `the log asks for rules version ${event.rulesVersion} since offset ${offset}, this build knows up to ${NEWEST_RULES_VERSION}`;
      this.#unready ??= unready('upgrade_required', `${detail}: install a newer one`);
      this.#stopping.abort();
    }
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
function isPassing(error: unknown): boolean {
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
