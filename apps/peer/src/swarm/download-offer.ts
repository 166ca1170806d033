// Owns what others are offered of one download: what is verified while it goes on, what rests, and the whole in the end. Of one that
// is private nobody is offered anything; that it is may turn out only when it is known what was taken of this disk.
import type { DownloadContext, ServedPart } from './download-context.ts';

type Serving = Pick<DownloadContext, 'servePart' | 'serveWhole' | 'withdrawPart'>;

export class DownloadOffer {
  readonly #serving: Serving;
  /** What is offered now, unless something else of the same share is; null for nothing. */
  #part: ServedPart | null = null;
  isPrivate: boolean;

  constructor(serving: Serving, isPrivate: boolean) {
    this.#serving = serving;
    this.isPrivate = isPrivate;
  }

  part(part: ServedPart): void {
    if (this.isPrivate) return;
    this.#part = part;
    this.#serving.servePart(part);
  }

  whole(whole: Parameters<Serving['serveWhole']>[0]): void {
    this.#part = null;
    if (!this.isPrivate) this.#serving.serveWhole(whole);
  }

  /** What was offered of the same share beside it, and perhaps in its stead, is gone. */
  again(): void {
    if (this.#part !== null) this.#serving.servePart(this.#part);
  }

  withdraw(): void {
    const hasOffered = this.#part !== null;
    this.#part = null;
    if (hasOffered) this.#serving.withdrawPart();
  }
}
