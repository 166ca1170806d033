// Owns when sources and grant of a download are asked for again: sooner while nothing comes.
import type { TransferState } from '#wire/control-api';

/** While bytes move, and while they do not. */
const REFRESH_MS = 10_000;
const REFRESH_STALLED_MS = 2_000;

export class RefreshTimer {
  readonly #refresh: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(refresh: () => void) {
    this.#refresh = refresh;
  }

  start(state: TransferState): void {
    this.clear();
    this.#timer = setTimeout(this.#refresh, state === 'downloading' ? REFRESH_MS : REFRESH_STALLED_MS);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
