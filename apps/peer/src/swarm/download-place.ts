// Owns where a download is on disk, from the first look to the finished content: a part beside the destination that is renamed
// to it, or, for content that is there and damaged, a part for the damaged pieces alone, which are put into it at the end.
import { bitfieldBytes, countBits, setBit } from '#domain/bitfield';
import { damagedPieces, soundBytes } from '#domain/content-damage';
import type { Manifest } from '#domain/manifest';
import type { PieceIndex } from '#domain/piece-geometry';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { inSharedMemory, stampsInSharedMemory } from '../data-plane/shared-memory.ts';
import type { FileStamp } from '../storage/content-files.ts';
import { partPath, type PlacedApart } from '../storage/content-layout.ts';
import type { EarlierPart } from '../storage/destination.ts';
import { acceptManifest, type ContentHashing, stampText, valueOf } from './content-hashing.ts';
import { findPlacedFiles, placedApart, type PlacedFiles } from './placed-files.ts';
import { reuseCopies } from './reuse.ts';
import { type DownloadRequest, type LocalCopy, type RepairPlan, TransferFailure } from './transfer-engine.ts';

/** Every method throws TransferFailure: destination_*, disk_full, source_changed, placed_changed, aborted. */
export interface DownloadPlace {
  /** Where lanes write. */
  readonly writtenRoots: readonly string[];
  /** Where lanes read what they serve meanwhile. */
  readonly servedRoots: readonly string[];
  /** Which pieces they serve meanwhile; null for those that are verified as the download goes. */
  readonly servedPieces: Uint8Array | null;
  /** Whether it can go here, and what an earlier start left of it. */
  look(): Promise<EarlierPart | null>;
  /** Makes the part, or takes the one that is there. */
  open(part: OpenedPart, signal: AbortSignal): Promise<OpenedPlace>;
  /** Every piece is verified: the destination becomes the content. The answer is what its files are then, in shared memory. */
  finish(manifest: Manifest): Promise<Float64Array>;
  /** Every piece of these files is verified: they are put in place, the others stay where they are. */
  rest(manifest: Manifest, wanted: readonly number[]): Promise<RestedPlace>;
  /** The files of the content that the part has. */
  filesOf(manifest: Manifest): Manifest['files'];
}

/** What is known when a part is made. `listed` comes from an earlier start and is still to be checked. */
export interface OpenedPart {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly listed: Uint8Array | null;
  /** Which pieces are wanted; null for all. */
  readonly wanted: Uint8Array | null;
}

export interface OpenedPlace {
  /** Which pieces need not be fetched. */
  readonly sound: Uint8Array;
  /** Those of them that were taken of other copies on this disk just now. */
  readonly reused: Uint8Array;
  /** Whether one of those came of a copy of another group. */
  readonly isElsewheres: boolean;
  /** Which root is written, and which served: as `identityOf` has it, or null where any does. */
  readonly writtenIdentity: string | null;
  readonly servedIdentity: string | null;
  /** What the files that are served were when their pieces were verified; null for those that the download writes. */
  readonly servedStamps: readonly (FileStamp | null)[] | null;
  /** Files that are in their final place already. */
  readonly placed: PlacedApart | null;
  /** Files that their owner has changed after they were put in place: nobody fetches them, nor writes to them. */
  readonly left: ReadonlySet<number>;
}

/** Where what was put in place is, and what not. */
type RestedPlace = Omit<OpenedPlace, 'sound' | 'reused' | 'isElsewheres' | 'left'>;

interface Parts {
  readonly pool: WorkerPool;
  readonly workers: number;
  readonly hashing: ContentHashing;
}

/** The place of a download. */
export function placeOf(request: DownloadRequest, parts: Parts): DownloadPlace {
  const { repairs } = request;
  return repairs === undefined ? new NewContent(request, parts) : new DamagedContent({ ...request, repairs }, parts);
}

class NewContent implements DownloadPlace {
  readonly servedPieces = null;
  readonly writtenRoots: readonly string[];
  readonly #request: DownloadRequest;
  readonly #parts: Parts;
  #identity: string | null = null;
  #manifestBytes: Uint8Array = new Uint8Array();
  /** Files are in place: what is at the destination is the download's own. */
  #hasPlaced = false;
  /** What was in place when it was opened; null when nothing was. */
  #before: PlacedFiles | null = null;

  constructor(request: DownloadRequest, parts: Parts) {
    this.#request = request;
    this.#parts = parts;
    this.writtenRoots = [partPath(request.destination), request.destination];
  }

  get servedRoots(): readonly string[] {
    return this.writtenRoots;
  }

  async look(): Promise<EarlierPart | null> {
    const { destination, contentId, pieceCount, overwrite, totalBytes, priorities } = this.#request;
    const { pool } = this.#parts;
    const earlier = valueOf(await pool.run('findEarlierPart', { destination, contentId, pieceCount }));
    this.#hasPlaced = earlier?.hasPlaced ?? false;
    // How much is wanted is not known yet.
    const neededBytes = priorities === undefined ? totalBytes : 0;
    const checked = { destination, overwrite: overwrite || this.#hasPlaced, totalBytes: neededBytes };
    valueOf(await pool.run('checkDestination', checked));
    return earlier;
  }

  async open(part: OpenedPart, signal: AbortSignal): Promise<OpenedPlace> {
    const { manifest, manifestBytes } = part;
    const { destination, contentId } = this.#request;
    const { pool } = this.#parts;
    this.#manifestBytes = manifestBytes;
    const { listed } = part;
    const inPlace = this.#hasPlaced
      ? await findPlacedFiles({ destination, manifest, listed: listed ?? new Uint8Array() }, this.#parts, signal)
      : null;
    const prepared = { destination, contentId, manifestBytes };
    const identity = valueOf(
      await (inPlace === null
        ? pool.run('prepareWhole', prepared)
        : pool.run('preparePart', {
            ...prepared,
            files: manifest.files.filter((_, position) => inPlace.stamps[position] === null),
          })),
    );
    const {
      apart: placed = null,
      stamps = null,
      left = new Set<number>(),
      newlyLeft = new Set<number>(),
    } = inPlace ?? {};
    if (newlyLeft.size > 0) valueOf(await pool.run('noteLeft', { destination, contentId, positions: [...newlyLeft] }));
    const earlier = inPlace?.sound ?? (await soundPieces(this.#request, this.#parts, { ...part, signal }));
    this.#identity = identity;
    this.#before = inPlace;
    const { copies = [], elsewhere = [] } = this.#request.reuse ?? {};
    const empty = new Uint8Array(bitfieldBytes(this.#request.pieceCount));
    const own = await this.#reuse(copies, { part, placed, sound: withBits(empty, earlier) }, signal);
    const others = await this.#reuse(elsewhere, { part, placed, sound: withBits(own, earlier) }, signal);
    const reused = withBits(own, others);
    const taken = { sound: withBits(reused, earlier), reused, isElsewheres: countBits(others) > 0 };
    return { ...taken, writtenIdentity: identity, servedIdentity: identity, servedStamps: stamps, placed, left };
  }

  /** Before anything is asked of others. Of a copy no more is taken than what is wanted. */
  async #reuse(
    copies: readonly LocalCopy[],
    { part, placed, sound }: { part: OpenedPart; placed: PlacedApart | null; sound: Uint8Array },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    if (copies.length === 0) return new Uint8Array(sound.length);
    const { destination, contentId } = this.#request;
    const { manifest, manifestBytes, wanted } = part;
    const passed = wanted === null ? sound : sound.map((byte, at) => byte | ~wanted[at]!);
    const plan = { destination, contentId, identity: this.#identity, placed, manifest, manifestBytes, passed, copies };
    return reuseCopies(this.#parts, plan, signal);
  }

  async finish({ files, emptyFolders = [], pieceBytes }: Manifest): Promise<Float64Array> {
    const { contentId, destination, overwrite } = this.#request;
    const { pool } = this.#parts;
    const finished = { destination, overwrite, identity: this.#identity };
    const before = this.#before?.stamps ?? null;
    if (!this.#hasPlaced) {
      return valueOf(await pool.run('finishWhole', { ...finished, manifestBytes: this.#manifestBytes }));
    }
    const content = { contentId, files, emptyFolders, pieceBytes };
    return stampsInSharedMemory(valueOf(await pool.run('finishPlaced', { ...finished, ...content, before })));
  }

  async rest({ files, pieceBytes }: Manifest, wanted: readonly number[]): Promise<RestedPlace> {
    const { contentId, destination, overwrite } = this.#request;
    const identity = this.#identity;
    const { stamps: before = null, left = new Set<number>() } = this.#before ?? {};
    const placing = { contentId, destination, overwrite, identity, files, pieceBytes, wanted, before, left };
    const stamps = valueOf(await this.#parts.pool.run('placeFiles', placing));
    this.#hasPlaced = true;
    const placed = placedApart(destination, stamps, left);
    return { writtenIdentity: identity, servedIdentity: identity, servedStamps: stamps, placed };
  }

  filesOf({ files }: Manifest): Manifest['files'] {
    return files;
  }
}

class DamagedContent implements DownloadPlace {
  readonly servedRoots: readonly string[];
  readonly servedPieces: Uint8Array;
  readonly writtenRoots: readonly string[];
  readonly #request: DownloadRequest & { readonly repairs: RepairPlan };
  readonly #parts: Parts;
  #identity: string | null = null;

  constructor(request: DownloadRequest & { readonly repairs: RepairPlan }, parts: Parts) {
    this.#request = request;
    this.#parts = parts;
    // Nothing that is not verified may come into the content itself.
    this.writtenRoots = [partPath(request.destination)];
    this.servedRoots = [request.destination];
    this.servedPieces = inSharedMemory(request.repairs.found.bitfield);
  }

  async look(): Promise<EarlierPart> {
    const { destination, contentId, pieceCount, totalBytes, repairs } = this.#request;
    const { manifestBytes, found, throughLink = false } = repairs;
    const { pool } = this.#parts;
    const manifest = acceptManifest(manifestBytes);
    const missingBytes = totalBytes - soundBytes(manifest, found.bitfield);
    const files = this.filesOf(manifest);
    valueOf(await pool.run('checkRepair', { destination, contentId, files, missingBytes, throughLink }));
    const earlier = valueOf(await pool.run('findEarlierPart', { destination, contentId, pieceCount }));
    return {
      manifestBytes,
      hasPlaced: false,
      listed: withoutBits(earlier?.listed ?? new Uint8Array(), found.bitfield),
    };
  }

  async open(part: OpenedPart, signal: AbortSignal): Promise<OpenedPlace> {
    const { bitfield } = this.#request.repairs.found;
    const { destination, contentId } = this.#request;
    const { manifest, manifestBytes } = part;
    const prepared = { destination, contentId, manifestBytes, files: this.filesOf(manifest) };
    const identity = valueOf(await this.#parts.pool.run('preparePart', prepared));
    const fetched = await soundPieces(this.#request, this.#parts, { ...part, signal });
    this.#identity = identity;
    const sound = bitfield.map((byte, at) => byte | (fetched[at] ?? 0));
    const servedStamps = await this.#stampsAsFound(part.manifest);
    return {
      sound,
      reused: new Uint8Array(),
      isElsewheres: false,
      writtenIdentity: identity,
      servedIdentity: null,
      servedStamps,
      placed: null,
      left: new Set(),
    };
  }

  rest(): never {
    throw new Error('a repair wants every piece');
  }

  async finish(manifest: Manifest): Promise<Float64Array> {
    const { destination, repairs } = this.#request;
    const { pool, hashing } = this.#parts;
    await this.#stampsAsFound(manifest);
    const pieces = damagedPieces(manifest, repairs.found.bitfield);
    const files = this.filesOf(manifest);
    valueOf(await pool.run('finishRepair', { destination, identity: this.#identity, manifest, pieces, files }));
    await this.#checkRepaired(manifest, pieces, hashing);
    valueOf(await pool.run('removePart', { destination }));
    return stampsInSharedMemory(await hashing.stampsOf(destination, manifest.files));
  }

  filesOf({ files }: Manifest): Manifest['files'] {
    return this.#request.repairs.found.wrongFiles.map((position) => files[position]!);
  }

  async #stampsAsFound({ files }: Manifest): Promise<readonly (FileStamp | null)[]> {
    const { destination, repairs } = this.#request;
    const { stamps } = valueOf(await this.#parts.pool.run('findFiles', { root: destination, files }));
    if (stampText(stamps) === repairs.found.stamp) return stamps;
    throw new TransferFailure('source_changed', `${destination} was changed while it was repaired`);
  }

  /** Reads back what was put in place: only then is the part of no more use. */
  async #checkRepaired(manifest: Manifest, pieces: readonly PieceIndex[], hashing: ContentHashing): Promise<void> {
    const { destination, repairs } = this.#request;
    const listed = new Uint8Array(repairs.found.bitfield.length);
    for (const piece of pieces) setBit(listed, piece);
    const sound = await hashing.checkListed({ root: destination, manifest, listed }, new AbortController().signal);
    if (Buffer.from(sound).equals(listed)) return;
    throw new TransferFailure('source_changed', `${destination} does not hold what was just written to it`);
  }
}

/** What the part holds of what is listed. */
async function soundPieces(
  { destination }: DownloadRequest,
  { hashing }: Parts,
  { manifest, listed, signal }: OpenedPart & { signal: AbortSignal },
): Promise<Uint8Array> {
  if (listed === null) return new Uint8Array();
  return hashing.checkListed({ root: partPath(destination), manifest, listed }, signal);
}

function withBits(bitfield: Uint8Array, others: Uint8Array): Uint8Array {
  return bitfield.map((byte, at) => byte | (others[at] ?? 0));
}

function withoutBits(bitfield: Uint8Array, others: Uint8Array): Uint8Array {
  return bitfield.map((byte, at) => byte & ~(others[at] ?? 0));
}
