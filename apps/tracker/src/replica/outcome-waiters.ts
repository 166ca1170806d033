// Owns who waits for what to be applied. A command's waiter is found by its key and content, never by the offset that an
// append returned: the same command may stand in the log twice, and the first one counts.
import { type Applied, outcomeKey } from '#domain/apply';
import { commandContent } from '#domain/command';
import type { LogRecord } from '#domain/record';

/** Waits for a command; `outcome` is null when there is nobody left to tell it. */
export interface OutcomeWaiter {
  readonly outcome: Promise<Applied | null>;
  forget(): void;
}

/** Waits for an offset; `applied` is false when reading has stopped before it. */
export interface OffsetWaiter {
  readonly applied: Promise<boolean>;
  forget(): void;
}

interface PendingOutcome {
  readonly content: string;
  readonly resolve: (applied: Applied | null) => void;
}

interface PendingOffset {
  readonly offset: number;
  readonly resolve: (isApplied: boolean) => void;
}

/** Everybody who waits, for a command or for an offset. */
export class OutcomeWaiters {
  readonly #outcomes = new Map<string, Set<PendingOutcome>>();
  readonly #offsets = new Set<PendingOffset>();

  expect(key: string, content: string): OutcomeWaiter {
    const { promise, resolve } = Promise.withResolvers<Applied | null>();
    const pending: PendingOutcome = { content, resolve };
    const ofKey = this.#outcomes.get(key) ?? new Set();
    this.#outcomes.set(key, ofKey.add(pending));
    return { outcome: promise, forget: () => this.#forget(key, pending) };
  }

  expectOffset(offset: number): OffsetWaiter {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const pending: PendingOffset = { offset, resolve };
    this.#offsets.add(pending);
    return { applied: promise, forget: () => this.#offsets.delete(pending) };
  }

  /** Tells whoever waits for this command; true when somebody did. */
  settle(record: LogRecord, applied: Applied): boolean {
    // While the log is read at the start nobody waits, and of what others appended nobody waits here either.
    const ofKey = this.#outcomes.size === 0 ? undefined : this.#outcomes.get(outcomeKey(record));
    if (ofKey === undefined) return false;
    const content = commandContent(record.command);
    const told = [...ofKey].filter((pending) => pending.content === content);
    for (const pending of told) pending.resolve(applied);
    return told.length > 0;
  }

  settleOffsets(appliedOffset: number): void {
    for (const pending of this.#offsets) {
      if (pending.offset <= appliedOffset) pending.resolve(true);
    }
  }

  /** Nothing more will be applied. */
  endAll(): void {
    for (const ofKey of this.#outcomes.values()) for (const pending of ofKey) pending.resolve(null);
    for (const pending of this.#offsets) pending.resolve(false);
  }

  #forget(key: string, pending: PendingOutcome): void {
    const ofKey = this.#outcomes.get(key);
    ofKey?.delete(pending);
    if (ofKey?.size === 0) this.#outcomes.delete(key);
  }
}
