// Owns checking the sharer's word for the SHA-1 of whole files, in the background and one copy at a time: the pieces prove the
// bytes already, so nobody waits for it, and what cannot be read now is looked at after the next start.
import { TransferFailure } from '../swarm/transfer-engine.ts';
import type { TransferContext } from './transfer-context.ts';

type Parts = Pick<TransferContext, 'engine' | 'store'>;

export class Sha1Checks {
  readonly #parts: Parts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether the files of a copy have the SHA-1 that was said; null when that could not be told, or was called off. */
  check(copy: { readonly contentId: string; readonly path: string }, signal: AbortSignal): Promise<boolean | null> {
    const check = this.#last.then(() => this.#check(copy, signal));
    this.#last = check;
    return check;
  }

  async #check(
    { contentId, path }: { readonly contentId: string; readonly path: string },
    signal: AbortSignal,
  ): Promise<boolean | null> {
    const manifestBytes = signal.aborted ? null : await this.#parts.store.readManifest(contentId);
    if (manifestBytes === null || signal.aborted) return null;
    try {
      return await this.#parts.engine.checkSha1({ path, manifestBytes, signal });
    } catch (error) {
      if (error instanceof TransferFailure) return null;
      throw error;
    }
  }
}
