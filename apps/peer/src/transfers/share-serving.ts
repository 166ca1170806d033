// Owns serving a copy that is on disk: again after a restart or a pause, and only when it still is what was shared.
import type { SharedContent } from '#domain/outcome';
import type { TransferReasonView } from '#wire/control-api';
import { openManifest } from '#wire/manifest-table';
import { type ReadableCopy, TransferFailure } from '../swarm/transfer-engine.ts';
import type { TransferContext } from './transfer-context.ts';
import { changedReason, restReason, SOURCE_CHANGED } from './transfer-reasons.ts';
import { type DownloadRecord, shareRef } from './transfer-record.ts';

export interface CopyOnDisk {
  readonly share: SharedContent;
  readonly path: string;
  /** As the copy was when it was last known to be whole; null when it has to be read first. */
  readonly stamp: string | null;
  /** Globs of what was left out when it was shared; nothing when absent. */
  readonly exclude?: readonly string[];
}

/** The copy's stamp now that it is served, or why it is not. */
export type Served =
  { readonly ok: true; readonly stamp: string } | { readonly ok: false; readonly reason: TransferReasonView };

type Parts = Pick<TransferContext, 'engine' | 'store'>;

/** How one transfer serves its copy: one attempt after the other, and what was called off is not served. */
export class CopyServing {
  readonly #parts: Parts;
  #attempt: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Serves a copy; one that was touched since is read and verified first. Null when it was called off meanwhile. */
  serve(copy: CopyOnDisk, signal: AbortSignal): Promise<Served | null> {
    const attempt = this.#attempt.then(() => this.#serveUnlessCalledOff(copy, signal));
    this.#attempt = attempt.catch(() => undefined);
    return attempt;
  }

  /**
   * What is at a place may be this very content, put there by a process that died before it could say so: serves it then, unless it
   * is private.
   */
  async takePutInPlace(
    { isPrivate, ...place }: Pick<CopyOnDisk, 'share' | 'path'> & { readonly isPrivate: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly manifestBytes: Uint8Array; readonly stamp: string } | null> {
    const { engine, store } = this.#parts;
    const manifestBytes = await store.readManifest(place.share.contentId);
    if (manifestBytes === null) return null;
    const copy = { ...place, stamp: null };
    const served = isPrivate ? await verified({ engine, manifestBytes }, copy, signal) : await this.serve(copy, signal);
    if (served?.ok !== true) return null;
    // A journal that is left beside it, and cannot be removed, is in nobody's way.
    await engine.removeData({ destination: place.path, isFinished: false }).catch(() => undefined);
    return { manifestBytes, stamp: served.stamp };
  }

  async #serveUnlessCalledOff(copy: CopyOnDisk, signal: AbortSignal): Promise<Served | null> {
    if (signal.aborted) return null;
    try {
      const served = await serveCopy(this.#parts, copy, signal);
      if (!signal.aborted) return served;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    // It may have come to be served before it noticed.
    this.#parts.engine.withdraw(shareRef(copy.share));
    return null;
  }
}

async function serveCopy({ engine, store }: Parts, copy: CopyOnDisk, signal: AbortSignal): Promise<Served> {
  const { share, path, stamp } = copy;
  const { contentId } = share;
  const manifestBytes = await manifestOf({ engine, store }, copy, signal);
  if ('code' in manifestBytes) return { ok: false, reason: manifestBytes };
  const serve = async (withStamp: string): Promise<Served> => {
    await engine.serve({ share: shareRef(share), contentId, manifestBytes, path, stamp: withStamp });
    return { ok: true, stamp: withStamp };
  };
  try {
    if (stamp !== null) return await serve(stamp);
  } catch (error) {
    if (!isFailure(error, 'source_changed')) return { ok: false, reason: reasonOfFailure(error) };
  }
  const found = await verified({ engine, manifestBytes }, copy, signal);
  try {
    return found.ok ? await serve(found.stamp) : found;
  } catch (error) {
    return { ok: false, reason: reasonOfFailure(error) };
  }
}

/** The stamp of a copy that is whole, or why it is not. */
async function verified(
  { engine, manifestBytes }: Pick<Parts, 'engine'> & { readonly manifestBytes: Uint8Array },
  { path }: CopyOnDisk,
  signal: AbortSignal,
): Promise<Served> {
  try {
    const { complete, stamp } = await engine.verify({ path, manifestBytes, signal });
    return complete ? { ok: true, stamp } : { ok: false, reason: SOURCE_CHANGED };
  } catch (error) {
    return { ok: false, reason: reasonOfFailure(error) };
  }
}

/** Offers again what there is of a download that has some files of a share. Where that can be read, or why it is not served. */
export async function serveRest(
  { engine }: Pick<Parts, 'engine'>,
  { share, path: destination }: DownloadRecord,
  signal: AbortSignal,
): Promise<TransferReasonView | ReadableCopy> {
  const { contentId, pieceCount } = share!;
  try {
    const rest = await engine.serveRest({ share: shareRef(share!), contentId, pieceCount, destination, signal });
    if (signal.aborted) engine.withdraw(shareRef(share!));
    return rest;
  } catch (error) {
    if (!(error instanceof TransferFailure)) throw error;
    return restReason(error.code, error.message);
  }
}

/** The manifest of a copy, or why there is none. */
export async function manifestOf(parts: Parts, copy: CopyOnDisk, signal: AbortSignal) {
  return (await parts.store.readManifest(copy.share.contentId)) ?? (await manifestAnew(parts, copy, signal));
}

/** The manifest of a copy whose own was lost, or why there is none: the copy is read as when it was shared. */
async function manifestAnew(
  { engine, store }: Parts,
  { share, path, exclude = [] }: CopyOnDisk,
  signal: AbortSignal,
): Promise<Uint8Array | TransferReasonView> {
  const { contentId, hash, pieceBytes } = share;
  try {
    const digested = await engine.digest({ path, hash, pieceBytes, exclude, likelyContentId: contentId, signal });
    if (digested.contentId !== contentId) return SOURCE_CHANGED;
    await store.saveManifest(contentId, digested.manifestBytes);
    return digested.manifestBytes;
  } catch (error) {
    return reasonOfFailure(error);
  }
}

/** The SHA-1 of content that is one file, in hex; null for a folder. Of an accepted manifest. */
export function singleFileSha1(manifestBytes: Uint8Array): string | null {
  const { files } = openManifest(manifestBytes);
  return files.count === 1 && files.fileOf(0).path === '' ? files.sha1Of(0) : null;
}

function reasonOfFailure(error: unknown): TransferReasonView {
  if (!(error instanceof TransferFailure)) throw error;
  // Which of the files of a folder is missing is said, too.
  return error.code === 'source_missing' ? changedReason(error.code, error.message) : SOURCE_CHANGED;
}

function isFailure(error: unknown, code: TransferFailure['code']): boolean {
  return error instanceof TransferFailure && error.code === code;
}
