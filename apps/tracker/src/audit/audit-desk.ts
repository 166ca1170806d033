// Owns how many questions of auditors are answered at once, and how many wait: each costs a thread, memory and a replay, and
// commands go first. Who goes away gives the place back.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { BadInput } from '#identity/start-input';
import { AUDIT_HEAP_BYTES_MAX, AUDIT_QUESTIONS_AT_ONCE_MAX, AUDIT_QUESTIONS_WAITING_MAX } from '#wire/limits';
import type { CommandLog } from '../command-log/command-log.ts';
import { type AuditQuestion, prepared } from './audit-question.ts';
import { AuditRefusal } from './audit-refusal.ts';
import { AuditThread } from './audit-thread.ts';

/** An answer that has begun. */
export interface BegunAnswer {
  readonly contentType: string;
  readonly stream: Readable;
}

/** Answers questions from the tracker's own log. */
export class AuditDesk {
  readonly #log: Pick<CommandLog, 'read' | 'end'>;
  readonly #heapBytesMax: number;
  readonly #stopping = new AbortController();
  readonly #threads = new Set<AuditThread>();
  readonly #waiting = new Set<() => void>();
  #places = AUDIT_QUESTIONS_AT_ONCE_MAX;

  constructor(log: Pick<CommandLog, 'read' | 'end'>, heapBytesMax = AUDIT_HEAP_BYTES_MAX) {
    this.#log = log;
    this.#heapBytesMax = heapBytesMax;
  }

  /** How many are being answered. */
  get underWayCount(): number {
    return AUDIT_QUESTIONS_AT_ONCE_MAX - this.#places;
  }

  /**
   * Resolves when the answer begins. Rejects with BadInput, UnknownThing, LogFailure and AuditRefusal. `gone` ends all of
   * it; the answer's stream has to be read or destroyed.
   */
  async ask(question: AuditQuestion, gone: AbortSignal): Promise<BegunAnswer> {
    const signal = AbortSignal.any([gone, this.#stopping.signal]);
    const { size, contentType } = prepared(question);
    await this.#takePlace(signal);
    let thread: AuditThread | null = null;
    try {
      const end = await this.#log.end();
      if (size !== null && size > end) throw new BadInput('--after: the log has not so many records');
      signal.throwIfAborted();
      thread = new AuditThread(this.#log, { question, size: size ?? end }, this.#heapBytesMax);
    } finally {
      if (thread === null) this.#leavePlace();
    }
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
      this.#leavePlace();
    });
    await once(thread, 'readable');
    return thread;
  }

  async #takePlace(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#places > 0) {
      this.#places -= 1;
      return;
    }
    if (this.#waiting.size >= AUDIT_QUESTIONS_WAITING_MAX) {
      throw new AuditRefusal('busy', 'Other questions are being answered: ask again shortly.');
    }
    const turn = Promise.withResolvers<void>();
    const giveUp = (): void => {
      if (this.#waiting.delete(turn.resolve)) turn.reject(signal.reason);
    };
    this.#waiting.add(turn.resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await turn.promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** The place goes to who has waited longest. */
  #leavePlace(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#places += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
