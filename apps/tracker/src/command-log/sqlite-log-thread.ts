// Owns the worker that holds the SQLite driver: numbers requests, matches answers, and starts a fresh worker when one died.
// What a dead worker had not answered is log_unavailable: it may or may not be in the log.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LogFailure } from './command-log.ts';
import type { SqliteAnswer, SqliteExchange, SqliteWorkerData } from './sqlite-log-messages.ts';

interface PendingRequest {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (result: SqliteExchange[keyof SqliteExchange]['result']) => void;
  readonly reject: (failure: LogFailure) => void;
}

type ExchangeKind = keyof SqliteExchange;

const ANSWER_TIMEOUT_MS = 4_000;

/** The worker as the adapter talks to it. */
export class SqliteLogThread {
  readonly #file: string;
  readonly #readsOnly: boolean;
  readonly #pending = new Map<number, PendingRequest>();
  #fileIdentity: string | null = null;
  #worker: Worker | null = null;
  #lastId = 0;
  #closed = false;

  constructor(file: string, readsOnly: boolean) {
    this.#file = file;
    this.#readsOnly = readsOnly;
  }

  /** Opens the log; whoever may append creates it when it is missing, by this call only: a log that vanishes later stays away. */
  async open(): Promise<void> {
    const { fileIdentity } = await this.request({ kind: 'open' });
    this.#fileIdentity = fileIdentity;
  }

  /** Sends one request, handing over the buffers in it that are named; rejects with a `LogFailure` after at most 4 s. */
  request<Kind extends ExchangeKind>(
    request: SqliteExchange[Kind]['request'] & { kind: Kind },
    handedOver: readonly ArrayBuffer[] = [],
  ): Promise<SqliteExchange[Kind]['result']> {
    if (this.#closed) return Promise.reject(new LogFailure('log_unavailable', 'The log is closed.'));
    return new Promise((resolve, reject) => {
      const id = (this.#lastId += 1);
      const timer = setTimeout(() => this.#expire(id), ANSWER_TIMEOUT_MS);
      this.#pending.set(id, { timer, resolve: resolve as PendingRequest['resolve'], reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, request }, handedOver);
    });
  }

  /** Gives the file back and ends the worker. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#worker !== null) await this.request({ kind: 'close' }).catch(() => undefined);
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const data: SqliteWorkerData = {
      file: this.#file,
      fileIdentity: this.#fileIdentity,
      readsOnly: this.#readsOnly,
    };
    const here = extname(import.meta.url);
    const worker = new Worker(new URL(`./sqlite-log-worker${here}`, import.meta.url), { workerData: data });
    let cause: unknown = null;
    worker.on('message', (answer: SqliteAnswer) => this.#answered(answer));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => this.#died(worker, cause));
    return worker;
  }

  #answered(answer: SqliteAnswer): void {
    const pending = this.#take(answer.id);
    if (pending === null) return;
    if ('result' in answer) pending.resolve(answer.result);
    else pending.reject(new LogFailure(answer.failure.code, answer.failure.message, answer.failure.cause));
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = null;
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new LogFailure('log_unavailable', 'The thread that holds the log ended.', cause));
    }
  }

  #expire(id: number): void {
    const message = `${this.#file} gave no answer within ${ANSWER_TIMEOUT_MS} ms.`;
    this.#take(id)?.reject(new LogFailure('log_unavailable', message));
  }

  #take(id: number): PendingRequest | null {
    const pending = this.#pending.get(id);
    if (pending === undefined) return null;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }
}
