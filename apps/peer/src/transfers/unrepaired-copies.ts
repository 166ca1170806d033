// Owns the damage that scrubbing found and nobody could repair yet: it is tried again now and then, as long as the copy is as
// it was, and until it is whole, is changed by somebody, or is of no interest any more.
import { bitMask, fullBitfield } from '#domain/bitfield';
import { damagedFiles } from '#domain/content-damage';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import { decodeManifest } from '#wire/manifest-codec';
import type { CopyReader, Inspected, ReadPieces } from '../swarm/transfer-engine.ts';
import type { KnownDamage, RecheckOptions } from './copy-recheck.ts';
import type { UnrepairedCopy } from './kept-scrub.ts';
import { sourcesOf } from './share-sources.ts';
import type { TransferContext } from './transfer-context.ts';
import { isAboutCopy } from './transfer-reasons.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';

/** How often it is looked whether somebody is online now. */
const TRY_AGAIN_MS = 60_000;

interface UnrepairedParts {
  readonly context: TransferContext;
  readonly transfers: TransferSet;
  readonly recheck: (transfer: Transfer, options: RecheckOptions) => Promise<unknown>;
}

/** Damage that was just found, and the copy as it was then. */
export interface FoundDamage extends ReadPieces {
  readonly copy: CopyReader;
  readonly stamp: string;
  readonly firstPiece: number;
}

export class UnrepairedCopies {
  readonly #parts: UnrepairedParts;
  readonly #stamps = new Map<string, string>();
  #triedMs = -Infinity;

  constructor(parts: UnrepairedParts) {
    this.#parts = parts;
  }

  /** Those that an earlier run of the peer left. */
  take(copies: readonly UnrepairedCopy[]): void {
    for (const [transferId, stamp] of copies) this.#stamps.set(transferId, stamp);
  }

  list(): UnrepairedCopy[] {
    return [...this.#stamps];
  }

  /** Repairs damage that was just found. */
  async repair(transfer: Transfer, { copy, stamp, damaged, ...read }: FoundDamage): Promise<void> {
    const { manifest, manifestBytes } = copy;
    const bitfield = fullBitfield(manifestGeometry(manifest).pieceCount);
    for (const piece of damaged) bitfield[piece >>> 3]! &= ~bitMask(piece);
    const found = foundOf(manifest, bitfield, stamp);
    await this.#repair(transfer, { manifest, manifestBytes, found, checkedPieces: read.nextPiece - read.firstPiece });
  }

  /** Does nothing until it is time. */
  async tryAgain(): Promise<void> {
    const { context, transfers } = this.#parts;
    if (context.now() - this.#triedMs < TRY_AGAIN_MS) return;
    this.#triedMs = context.now();
    for (const [transferId, stamp] of this.list()) {
      const transfer = transfers.get(transferId);
      if (transfer?.record.damage === undefined) this.#stamps.delete(transferId);
      else if (await this.#isWorthIt(transfer)) await this.#again(transfer, stamp);
    }
  }

  async #isWorthIt(transfer: Transfer): Promise<boolean> {
    const { link } = this.#parts.context;
    const { user, reason, state } = transfer.record;
    const isAtRest = state === 'failed' || state === 'complete';
    if (!isAtRest || !isAboutCopy(reason) || user !== link.user() || transfer.isRechecking) return false;
    const answer = await sourcesOf(link, transfer.record);
    return answer.status === 'accepted' && answer.view.sources.length > 0;
  }

  async #again(transfer: Transfer, stamp: string): Promise<void> {
    const { share, damage } = transfer.record;
    const manifestBytes = await this.#parts.context.store.readManifest(share!.contentId);
    const decoded = manifestBytes === null ? null : decodeManifest(manifestBytes);
    if (manifestBytes === null || decoded?.ok !== true || damage === undefined) return;
    const { manifest } = decoded;
    const bitfield = new Uint8Array(Buffer.from(damage.bitfield, 'base64'));
    await this.#repair(transfer, {
      manifest,
      manifestBytes,
      found: foundOf(manifest, bitfield, stamp),
      checkedPieces: 0,
    });
  }

  async #repair(transfer: Transfer, known: KnownDamage): Promise<void> {
    const { transferId } = transfer.record;
    this.#stamps.set(transferId, known.found.stamp);
    await this.#parts.recheck(transfer, { repair: true, known });
    if (transfer.record.damage === undefined) this.#stamps.delete(transferId);
  }
}

/** What an inspection of the whole copy would say, when all that was not read is as it was. */
function foundOf(manifest: Manifest, bitfield: Uint8Array, stamp: string): Inspected {
  return {
    ...{ bitfield, complete: false, isThere: true, stamp },
    ...{ absentFiles: [], misfitFiles: [], sha1Mismatches: [] },
    wrongFiles: damagedFiles(manifest, bitfield),
  };
}
