// Owns the RFC 6962 Merkle root over the records from offset 0, kept by adding one leaf at a time: only the roots of the
// complete subtrees on the right edge are held, largest first, so a log of n records costs log2(n) hashes of memory.
import { hash } from 'node:crypto';

const LEAF = Buffer.from([0x00]);
const NODE = Buffer.from([0x01]);

/** A Merkle tree that grows at its right edge. */
export class MerkleFrontier {
  #size = 0;
  readonly #subtrees: Buffer[] = [];

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Adds the exact bytes of the next record. */
  append(record: Uint8Array): void {
    let subtree: Buffer = hash('sha256', Buffer.concat([LEAF, record]), 'buffer');
    // As many complete subtrees join as the size has ones at its end: that is binary addition with carry.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      subtree = nodeHash(this.#subtrees.pop()!, subtree);
    }
    this.#subtrees.push(subtree);
    this.#size += 1;
  }

  /** The root over all leaves (RFC 6962, 2.1); of no leaves it is the SHA-256 of nothing. */
  root(): Buffer {
    const [rightmost, ...others] = this.#subtrees.toReversed();
    if (rightmost === undefined) return hash('sha256', Buffer.alloc(0), 'buffer');
    return others.reduce((right, left) => nodeHash(left, right), rightmost);
  }
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}
