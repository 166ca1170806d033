// Owns the RFC 6962 Merkle root over the records from offset 0, kept by adding one leaf at a time: only the roots of the
// complete subtrees on the right edge are held, largest first, so a log of n records costs log2(n) hashes of memory.
import { sha256 } from './sha256.ts';

const LEAF = Buffer.from([0x00]);
const NODE = Buffer.from([0x01]);

/** The hash of a leaf: of the exact bytes of a record. */
export function leafHash(record: Uint8Array): Buffer {
  return sha256(LEAF, record);
}

/** The hash of a node over two trees. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(NODE, left, right);
}

/** Of how many complete subtrees a tree of so many leaves consists: as many as its size has ones in binary. */
export function subtreeCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** A Merkle tree that grows at its right edge. */
export class MerkleFrontier {
  #size = 0;
  #subtrees: Buffer[] = [];

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** The tree of that many leaves, from the roots of its complete subtrees, largest first. */
  static of(size: number, subtrees: readonly Buffer[]): MerkleFrontier {
    const tree = new MerkleFrontier();
    tree.#size = size;
    tree.#subtrees = [...subtrees];
    return tree;
  }

  /** The roots of the complete subtrees on the right edge, largest first. */
  get subtrees(): readonly Buffer[] {
    return this.#subtrees;
  }

  /** Adds the hash of the next leaf, or the root of as many leaves as a power of two, of which the size has to be a multiple. */
  append(root: Buffer, leafCount = 1): void {
    let subtree = root;
    // As many complete subtrees join as the size has ones at its end: that is binary addition with carry.
    for (let rest = this.#size / leafCount; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      subtree = nodeHash(this.#subtrees.pop()!, subtree);
    }
    this.#subtrees.push(subtree);
    this.#size += leafCount;
  }

  /** The root over all leaves (RFC 6962, 2.1); of no leaves it is the SHA-256 of nothing. */
  root(): Buffer {
    const [rightmost, ...others] = this.#subtrees.toReversed();
    if (rightmost === undefined) return sha256();
    return others.reduce((right, left) => nodeHash(left, right), rightmost);
  }

  /** A tree of its own with the same leaves. */
  copy(): MerkleFrontier {
    return MerkleFrontier.of(this.#size, this.#subtrees);
  }
}
