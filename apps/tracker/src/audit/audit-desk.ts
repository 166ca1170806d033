// Owns how many questions of auditors are answered at once, and how many wait: each costs a thread, memory and a replay, and
// commands go first. One key has one of the places and half of the row at most, however slowly it reads its answer, so that another
// auditor is answered. Who goes away gives the place back.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { BadInput } from '#identity/start-input';
import {
  AUDIT_HEAP_BYTES_MAX,
  AUDIT_QUESTIONS_AT_ONCE_MAX,
  AUDIT_AT_ONCE_PER_KEY_MAX,
  AUDIT_QUESTIONS_WAITING_MAX,
  AUDIT_WAITING_PER_KEY_MAX,
} from '#wire/limits';
import type { CommandLog } from '../command-log/command-log.ts';
import { type AuditQuestion, prepared } from './audit-question.ts';
import { AuditRefusal } from './audit-refusal.ts';
import { AuditThread } from './audit-thread.ts';

/** An answer that has begun. */
export interface BegunAnswer {
  readonly contentType: string;
  readonly stream: Readable;
}

/** Who asks. */
export interface Asker {
  /** Of the key. */
  readonly keyId: string;
  /** Aborted when whoever asked goes away: that ends all of it. */
  readonly gone: AbortSignal;
}

interface Waiting {
  readonly keyId: string;
  readonly begin: () => void;
}

/** Answers questions from the tracker's own log. */
export class AuditDesk {
  readonly #log: Pick<CommandLog, 'read' | 'end'>;
  readonly #heapBytesMax: number;
  readonly #stopping = new AbortController();
  readonly #threads = new Set<AuditThread>();
  readonly #waiting = new Set<Waiting>();
  /** The keys of those that are being answered, one for each. */
  readonly #answered: string[] = [];

  constructor(log: Pick<CommandLog, 'read' | 'end'>, heapBytesMax = AUDIT_HEAP_BYTES_MAX) {
    this.#log = log;
    this.#heapBytesMax = heapBytesMax;
  }

  /** How many are being answered. */
  get underWayCount(): number {
    return this.#answered.length;
  }

  /**
   * Resolves when the answer begins. Rejects with BadInput, UnknownThing, LogFailure and AuditRefusal. The answer's stream has
   * to be read or destroyed.
   */
  async ask(question: AuditQuestion, { keyId, gone }: Asker): Promise<BegunAnswer> {
    const signal = AbortSignal.any([gone, this.#stopping.signal]);
    const { size, contentType } = prepared(question);
    await this.#takePlace(keyId, signal);
    let thread: AuditThread | null = null;
    try {
      const end = await this.#log.end();
      if (size !== null && size > end) throw new BadInput('--after: the log has not so many records');
      signal.throwIfAborted();
      thread = new AuditThread(this.#log, { question, size: size ?? end }, this.#heapBytesMax);
    } finally {
      if (thread === null) this.#leavePlace(keyId);
    }
    thread.once('close', () => this.#leavePlace(keyId));
    return { contentType, stream: await this.#begun(thread, signal) };
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    const closed = [...this.#threads].map((thread) => new Promise((resolve) => thread.once('close', resolve)));
    this.#stopping.abort(new AuditRefusal('tracker_unavailable', 'The tracker is being stopped.'));
    await Promise.all(closed);
  }

  async #begun(thread: AuditThread, signal: AbortSignal): Promise<AuditThread> {
    const end = (): void => void thread.destroy(signal.reason);
    this.#threads.add(thread);
    signal.addEventListener('abort', end, { once: true });
    thread.once('close', () => {
      signal.removeEventListener('abort', end);
      this.#threads.delete(thread);
    });
    await once(thread, 'readable');
    return thread;
  }

  async #takePlace(keyId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#hasPlaceFor(keyId)) return void this.#answered.push(keyId);
    const waitingOfKey = [...this.#waiting].filter((other) => other.keyId === keyId).length;
    if (this.#waiting.size >= AUDIT_QUESTIONS_WAITING_MAX || waitingOfKey >= AUDIT_WAITING_PER_KEY_MAX) {
      throw new AuditRefusal('busy', 'Other questions are being answered: ask again shortly.');
    }
    const turn = Promise.withResolvers<void>();
    const waiting = { keyId, begin: turn.resolve };
    const giveUp = (): void => {
      if (this.#waiting.delete(waiting)) turn.reject(signal.reason);
    };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', giveUp, { once: true });
    await turn.promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  #hasPlaceFor(keyId: string): boolean {
    const ofKey = this.#answered.filter((other) => other === keyId).length;
    return this.#answered.length < AUDIT_QUESTIONS_AT_ONCE_MAX && ofKey < AUDIT_AT_ONCE_PER_KEY_MAX;
  }

  /** The place goes to who has waited longest, of those whose key may have it. */
  #leavePlace(keyId: string): void {
    this.#answered.splice(this.#answered.indexOf(keyId), 1);
    const next = [...this.#waiting].find((waiting) => this.#hasPlaceFor(waiting.keyId));
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#answered.push(next.keyId);
    next.begin();
  }
}
