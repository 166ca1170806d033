// Owns waiting for "something may have changed": a notification that comes between looking and waiting is not lost, because
// the waiter says up to which notification it had looked.

/** What a waiter waits for, and for how long. */
export interface ChangeWait {
  /** `version` as it stood before the waiter looked. */
  readonly since: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Wakes every waiter when notified. */
export class ChangeSignal {
  #version = 0;
  readonly #wakes = new Set<() => void>();

  get version(): number {
    return this.#version;
  }

  notify(): void {
    this.#version += 1;
    for (const wake of this.#wakes) wake();
  }

  /** Resolves on the next notification after `since`, the timeout or the abort; says whether there was a notification. */
  async wait({ since, timeoutMs, signal }: ChangeWait): Promise<boolean> {
    if (this.#version === since && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      const timer = setTimeout(wake, timeoutMs);
      this.#wakes.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      clearTimeout(timer);
      this.#wakes.delete(wake);
      signal.removeEventListener('abort', wake);
    }
    return this.#version !== since;
  }
}
