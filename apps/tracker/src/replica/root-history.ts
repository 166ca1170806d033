// Owns the Merkle roots of past sizes, so that what another tracker signed a while ago can be compared: the leaves of the
// last million records are kept, and of every 1,024th size the frontier, from which any size after it is a few hashes away.
import { leafHash, MerkleFrontier } from './merkle-frontier.ts';

const CHUNK_LEAVES = 1024;
const HASH_BYTES = 32;
/** So many leaves have a root of their own, which is kept once it was asked for: the next question takes 64 hashes, and not 1,024. */
const GROUP_LEAVES = 32;

/** The roots over the first records, by their number. */
export class RootHistory {
  #frontier = new MerkleFrontier();
  /** The tree as it was at each multiple of 1,024. */
  readonly #starts: MerkleFrontier[] = [];
  readonly #leaves = new Map<number, Buffer>();
  /** Roots of complete groups of leaves, by chunk and place in it, as far as they were asked for. */
  readonly #groups = new Map<number, Buffer[]>();
  readonly #chunksMax: number;

  /** Knows the roots of at least the last `denseCount` sizes, and of every multiple of 1,024. */
  constructor(denseCount = 1_000_000) {
    this.#chunksMax = Math.ceil(denseCount / CHUNK_LEAVES) + 1;
  }

  /** Adds the exact bytes of the next record. */
  append(record: Uint8Array): void {
    const chunkIndex = Math.floor(this.#frontier.size / CHUNK_LEAVES);
    const place = this.#frontier.size % CHUNK_LEAVES;
    if (place === 0) this.#begin(chunkIndex);
    const leaf = leafHash(record);
    this.#leaves.get(chunkIndex)!.set(leaf, place * HASH_BYTES);
    this.#frontier.append(leaf);
  }

  /** The number of records so far. */
  get size(): number {
    return this.#frontier.size;
  }

  /** The hash of the last record, or null before the first. */
  get lastLeaf(): Buffer | null {
    const last = this.#frontier.size - 1;
    const place = last % CHUNK_LEAVES;
    return (
      this.#leaves.get(Math.floor(last / CHUNK_LEAVES))?.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES) ?? null
    );
  }

  /** The root over everything so far. */
  root(): Buffer {
    return this.#frontier.root();
  }

  /** The root over the first `size` records, or null when it is not known any more, or not yet. */
  at(size: number): Buffer | null {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.#frontier.size) return null;
    if (size === this.#frontier.size) return this.root();
    const chunkIndex = Math.floor(size / CHUNK_LEAVES);
    const tree = this.#starts[chunkIndex]!.copy();
    const count = size - tree.size;
    const leaves = this.#leaves.get(chunkIndex);
    if (count > 0 && leaves === undefined) return null;
    for (let place = 0; place < count;) {
      if (place + GROUP_LEAVES <= count) {
        tree.append(this.#groupAt(chunkIndex, place / GROUP_LEAVES), GROUP_LEAVES);
        place += GROUP_LEAVES;
      } else {
        tree.append(leafAt(leaves!, place));
        place += 1;
      }
    }
    return tree.root();
  }

  /** The tree at each multiple of 1,024 leaves that has been reached, from none on. */
  get starts(): readonly MerkleFrontier[] {
    return this.#starts;
  }

  /** The leaves that are kept, by chunk in ascending order: 32 bytes each, of the last chunk as many as there are. */
  *chunks(): Generator<readonly [chunkIndex: number, leaves: Uint8Array]> {
    for (const [chunkIndex, leaves] of this.#leaves) {
      yield [chunkIndex, leaves.subarray(0, (this.#frontier.size - chunkIndex * CHUNK_LEAVES) * HASH_BYTES)];
    }
  }

  /** Puts back the next of another history's `starts`, all of which come before its chunks; false when it is not the next. */
  putStart(start: MerkleFrontier): boolean {
    this.#starts.push(start);
    return start.size === (this.#starts.length - 1) * CHUNK_LEAVES;
  }

  /** Puts back the next of another history's `chunks`; false when no tree begins there, or these are no leaves of one. */
  putChunk(chunkIndex: number, leaves: Uint8Array): boolean {
    const start = this.#starts[chunkIndex];
    if (start === undefined || leaves.length % HASH_BYTES !== 0 || leaves.length > CHUNK_LEAVES * HASH_BYTES)
      return false;
    const chunk = Buffer.alloc(CHUNK_LEAVES * HASH_BYTES);
    chunk.set(leaves);
    this.#leaves.set(chunkIndex, chunk);
    if (chunkIndex < this.#starts.length - 1) return true;
    this.#frontier = start.copy();
    for (let at = 0; at < leaves.length; at += HASH_BYTES) this.#frontier.append(chunk.subarray(at, at + HASH_BYTES));
    return true;
  }

  #groupAt(chunkIndex: number, group: number): Buffer {
    const roots = this.#groups.get(chunkIndex) ?? [];
    this.#groups.set(chunkIndex, roots);
    return (roots[group] ??= groupRoot(this.#leaves.get(chunkIndex)!, group));
  }

  #begin(chunkIndex: number): void {
    this.#starts.push(this.#frontier.copy());
    this.#leaves.set(chunkIndex, Buffer.alloc(CHUNK_LEAVES * HASH_BYTES));
    this.#leaves.delete(chunkIndex - this.#chunksMax);
    this.#groups.delete(chunkIndex - this.#chunksMax);
  }
}

function groupRoot(leaves: Buffer, group: number): Buffer {
  const tree = new MerkleFrontier();
  const first = group * GROUP_LEAVES;
  for (let place = first; place < first + GROUP_LEAVES; place++) tree.append(leafAt(leaves, place));
  return tree.root();
}

function leafAt(leaves: Buffer, place: number): Buffer {
  return leaves.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
}
