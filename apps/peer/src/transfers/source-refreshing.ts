// Owns when sources and grant of a download are asked for again: one question at a time, once more when there was news meanwhile,
// and sooner while nothing comes.
import type { TransferState } from '#wire/control-api';

/** While bytes move, and while they do not. */
const REFRESH_MS = 10_000;
const REFRESH_STALLED_MS = 2_000;

/** The download whose sources they are. */
interface RefreshedDownload {
  readonly ask: (signal: AbortSignal) => Promise<void>;
  /** Aborted when what is under way is of no interest any more. */
  readonly signal: () => AbortSignal;
  readonly state: () => TransferState;
  readonly isRunning: () => boolean;
  /** It waits for its turn, and needs nothing until then. */
  readonly isWaiting: () => boolean;
}

export class SourceRefreshing {
  readonly #download: RefreshedDownload;
  #timer: NodeJS.Timeout | null = null;
  #asking: Promise<void> | null = null;
  #isAskedAgain = false;

  constructor(download: RefreshedDownload) {
    this.#download = download;
  }

  /** Resolves when it has been asked. */
  now(): Promise<void> {
    if (this.#download.isWaiting()) return Promise.resolve();
    // What is answered just now may be older than the news that this is asked for.
    this.#isAskedAgain = this.#asking !== null;
    const signal = this.#download.signal();
    this.#asking ??= this.#download.ask(signal).finally(() => {
      if (signal.aborted) return;
      this.#asking = null;
      if (this.#isAskedAgain && this.#download.isRunning()) void this.now();
      else this.later();
    });
    return this.#asking;
  }

  /** Asks after a while, counted from here. */
  later(): void {
    this.#clear();
    const { isRunning, isWaiting, state } = this.#download;
    if (!isRunning() || isWaiting()) return;
    this.#timer = setTimeout(() => void this.now(), state() === 'downloading' ? REFRESH_MS : REFRESH_STALLED_MS);
  }

  /** Asks no more; whoever calls this has aborted the signal of what is being asked. */
  callOff(): void {
    this.#asking = null;
    this.#clear();
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
