// Owns how far the hashing of one copy has come, and what a person sees of it.
import type { HashProgress } from '../swarm/transfer-engine.ts';
import type { TransferProgress } from './transfer-record.ts';

export class HashingProgress {
  readonly #now: () => number;
  #sinceMs = 0;
  #doneBytes = 0;
  #totalBytes = 0;

  /** `now` is milliseconds of any clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  begin(): void {
    this.#sinceMs = this.#now();
    this.#doneBytes = 0;
  }

  /** Takes what the engine reports. */
  readonly follow: HashProgress = (doneBytes, totalBytes) => {
    this.#doneBytes = doneBytes;
    this.#totalBytes = totalBytes;
  };

  /** How far it is now; without a rate as long as nothing has come of it. */
  view(): Pick<TransferProgress, 'totalBytes' | 'verifiedBytes' | 'bytesPerSecond' | 'etaSeconds'> {
    const [totalBytes, verifiedBytes] = [this.#totalBytes, this.#doneBytes];
    const seconds = (this.#now() - this.#sinceMs) / 1000;
    const bytesPerSecond = seconds > 0 ? Math.round(verifiedBytes / seconds) : 0;
    const etaSeconds = bytesPerSecond > 0 ? (totalBytes - verifiedBytes) / bytesPerSecond : null;
    return { totalBytes, verifiedBytes, bytesPerSecond, etaSeconds };
  }
}
