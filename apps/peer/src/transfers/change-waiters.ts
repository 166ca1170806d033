// Owns waiting for a bounded time: for transfers to become what somebody waits for, and for an answer.
import { setTimeout as sleep } from 'node:timers/promises';

/** Those who wait until something is true. */
export class ChangeWaiters {
  readonly #waiting = new Set<() => void>();

  /** Resolves when it is true at a `wake`, or after the time. */
  async until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
    const wait = Promise.withResolvers<void>();
    const look = (): void => {
      if (isTrue()) wait.resolve();
    };
    this.#waiting.add(look);
    const timer = setTimeout(wait.resolve, timeoutMs);
    await wait.promise;
    clearTimeout(timer);
    this.#waiting.delete(look);
  }

  /** Something has changed: everybody looks again. */
  wake(): void {
    for (const look of this.#waiting) look();
  }
}

/** What a promise comes to, or null when it takes longer. */
export async function within<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value | null> {
  const inTime = new AbortController();
  const late = sleep(timeoutMs, null, { signal: inTime.signal }).catch(() => null);
  return Promise.race([promise, late]).finally(() => inTime.abort());
}
