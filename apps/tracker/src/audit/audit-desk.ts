// Owns how many questions of auditors are answered at once, and how many wait: each costs a thread, memory and a replay, and
// commands go first. One key has one of the places and half of the row at most, however slowly it reads its answer, so that another
// auditor is answered. Who goes away gives the place back. The thread of a page that is not the last one stays for a while for the key
// that may ask for the next, so that this costs no replay, unless somebody else wants its place.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { BadInput } from '#identity/start-input';
import {
  AUDIT_HEAP_BYTES_MAX,
  AUDIT_NEXT_PAGE_TIMEOUT_MS,
  AUDIT_QUESTIONS_AT_ONCE_MAX,
  AUDIT_AT_ONCE_PER_KEY_MAX,
  AUDIT_QUESTIONS_WAITING_MAX,
  AUDIT_WAITING_PER_KEY_MAX,
} from '#wire/limits';
import type { CommandLog } from '../command-log/command-log.ts';
import { type AuditQuestion, prepared, subjectOf } from './audit-question.ts';
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

/** A thread that waits to be asked for one page. */
interface PausedThread {
  readonly thread: AuditThread;
  readonly page: string;
  readonly timer: NodeJS.Timeout;
}

/** Answers questions from the tracker's own log. */
export class AuditDesk {
  readonly #log: Pick<CommandLog, 'read' | 'end'>;
  readonly #heapBytesMax: number;
  readonly #stopping = new AbortController();
  readonly #threads = new Set<AuditThread>();
  readonly #waiting = new Set<Waiting>();
  /** The keys of those that have a place, one for each. */
  readonly #answered: string[] = [];
  /** It keeps its place meanwhile. */
  #paused: PausedThread | null = null;

  constructor(log: Pick<CommandLog, 'read' | 'end'>, heapBytesMax = AUDIT_HEAP_BYTES_MAX) {
    this.#log = log;
    this.#heapBytesMax = heapBytesMax;
  }

  /** How many are being answered. */
  get underWayCount(): number {
    return this.#answered.length - (this.#paused === null ? 0 : 1);
  }

  /**
   * Resolves when the answer begins. Rejects with BadInput, UnknownThing, LogFailure and AuditRefusal. The answer's stream has
   * to be read or destroyed.
   */
  async ask(question: AuditQuestion, { keyId, gone }: Asker): Promise<BegunAnswer> {
    const signal = AbortSignal.any([gone, this.#stopping.signal]);
    const { wish, contentType } = prepared(question);
    signal.throwIfAborted();
    let thread = this.#takePaused(pageOf(question, { keyId, after: question.parameters['after'] }));
    if (thread === null) thread = await this.#start(question, { size: wish.size, keyId, signal });
    else thread.continue(wish.limit);
    return { contentType, stream: await begun(thread.answer, signal) };
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AuditRefusal('tracker_unavailable', 'The tracker is being stopped.'));
    this.#endPaused();
    await Promise.all([...this.#threads].map(({ ended }) => ended));
  }

  async #start(
    question: AuditQuestion,
    { size, keyId, signal }: { size: number | null; keyId: string; signal: AbortSignal },
  ): Promise<AuditThread> {
    await this.#takePlace(keyId, signal);
    let thread: AuditThread | null = null;
    try {
      const end = await this.#log.end();
      if (size !== null && size > end) throw new BadInput('--after: the log has not so many records');
      signal.throwIfAborted();
      const onPaused = (after: string): void => this.#pause(thread!, pageOf(question, { keyId, after }));
      const options = { heapBytesMax: this.#heapBytesMax, onPaused };
      thread = new AuditThread(this.#log, { question, size: size ?? end }, options);
    } finally {
      if (thread === null) this.#leavePlace(keyId);
    }
    this.#threads.add(thread);
    void thread.ended.then(() => this.#forget(thread, keyId));
    return thread;
  }

  #forget(thread: AuditThread, keyId: string): void {
    this.#threads.delete(thread);
    if (this.#paused?.thread === thread) this.#endPaused();
    this.#leavePlace(keyId);
  }

  /** The latest one stays; who waits for a place, or a tracker that stops, goes before it. */
  #pause(thread: AuditThread, page: string): void {
    if (this.#waiting.size > 0 || this.#stopping.signal.aborted) return thread.end();
    this.#endPaused();
    const timer = setTimeout(() => this.#endPaused(), AUDIT_NEXT_PAGE_TIMEOUT_MS).unref();
    this.#paused = { thread, page, timer };
  }

  #takePaused(page: string): AuditThread | null {
    if (this.#paused?.page !== page) return null;
    const { thread, timer } = this.#paused;
    clearTimeout(timer);
    this.#paused = null;
    return thread;
  }

  #endPaused(): void {
    if (this.#paused !== null) this.#takePaused(this.#paused.page)?.end();
  }

  async #takePlace(keyId: string, signal: AbortSignal): Promise<void> {
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
    this.#endPaused();
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

/** A page of a question of one key, by where it begins. */
function pageOf(question: AuditQuestion, { keyId, after = '' }: { keyId: string; after?: string | undefined }): string {
  return `${keyId} ${after} ${subjectOf(question)}`;
}

/** An answer once there is something to read of it; it ends with the signal. */
async function begun(answer: Readable, signal: AbortSignal): Promise<Readable> {
  const end = (): void => void answer.destroy(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  answer.once('close', () => signal.removeEventListener('abort', end));
  await once(answer, 'readable');
  return answer;
}
