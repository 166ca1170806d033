// Owns the place where a consumer that pushes batches meets a reader that pulls them. Each batch waits until it is taken,
// so a slow reader slows the consumer down and nothing piles up.

interface OfferedBatch<Batch> {
  readonly batch: Batch;
  readonly taken: () => void;
}

/** One consumer offers, one reader takes. */
export class BatchHandover<Batch> {
  readonly #offered: OfferedBatch<Batch>[] = [];
  #failure: { readonly error: unknown } | null = null;
  #ended = false;
  #wake: () => void = () => {};

  /** Resolves when the batch was taken, or nobody takes any more. */
  offer(batch: Batch): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((taken) => {
      this.#offered.push({ batch, taken });
      this.#wake();
    });
  }

  /** Lets `take` throw the error once the batches before it were taken. The first error stays. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Ends `take`, and lets go of every offer. */
  end(): void {
    this.#ended = true;
    for (const { taken } of this.#offered.splice(0)) taken();
    this.#wake();
  }

  /** The next batch, or null after `end`. */
  async take(): Promise<Batch | null> {
    while (!this.#ended) {
      const offered = this.#offered.shift();
      if (offered !== undefined) {
        offered.taken();
        return offered.batch;
      }
      if (this.#failure !== null) throw this.#failure.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return null;
  }
}
