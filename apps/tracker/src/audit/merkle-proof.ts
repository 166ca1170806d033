// Owns proofs over the Merkle tree of a log (RFC 6962, 2.1.1 and 2.1.2; how they are checked: RFC 9162, 2.1.3.2 and 2.1.4.2): that a
// record is at an offset of a log of so many records, and that a log is the beginning of a longer one.
import { nodeHash } from '../replica/merkle-frontier.ts';

/** The hashes of all leaves of a log, in order: 32 bytes each. */
export class LeafHashes {
  #bytes = Buffer.alloc(1024 * 32);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  append(leaf: Uint8Array): void {
    if (this.#bytes.length === this.#count * 32) {
      const larger = Buffer.alloc(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(leaf, this.#count * 32);
    this.#count += 1;
  }

  at(index: number): Buffer {
    return this.#bytes.subarray(index * 32, index * 32 + 32);
  }

  /** The root over the first `size` of them, of which there is at least one. */
  rootOf(size: number): Buffer {
    return rootOf(this, { from: 0, size });
  }
}

/** The path of the leaf at `index` in the tree over the first `size` leaves, from the leaf's sibling up. */
export function inclusionPath(leaves: LeafHashes, { index, size }: { index: number; size: number }): Buffer[] {
  return pathIn(leaves, { from: 0, size }, index);
}

/** The root that a leaf and its path lead to, or null when the path is none of such a leaf. */
export function rootOfPath(leaf: Buffer, path: readonly Buffer[], at: { index: number; size: number }): Buffer | null {
  let [node, last, root] = [at.index, at.size - 1, leaf];
  if (node > last || node < 0) return null;
  for (const sibling of path) {
    if (last === 0) return null;
    if (node % 2 === 1 || node === last) {
      root = nodeHash(sibling, root);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else {
      root = nodeHash(root, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 ? root : null;
}

/** What proves that the tree over the first `older` leaves is the beginning of that over the first `newer`; 0 < older <= newer. */
export function consistencyPath(leaves: LeafHashes, { older, newer }: { older: number; newer: number }): Buffer[] {
  return subproof(leaves, { from: 0, size: newer }, { older, isWhole: true });
}

/** Whether a path proves that the older root is of the beginning of what the newer root is of. */
export function isConsistent(
  path: readonly Buffer[],
  older: { readonly size: number; readonly root: Buffer },
  newer: { readonly size: number; readonly root: Buffer },
): boolean {
  if (older.size < 1 || older.size > newer.size) return false;
  if (older.size === newer.size) return path.length === 0 && older.root.equals(newer.root);
  const [first, ...rest] = isPowerOfTwo(older.size) ? [older.root, ...path] : path;
  if (first === undefined) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  let [oldRoot, newRoot] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && oldRoot.equals(older.root) && newRoot.equals(newer.root);
}

/** Sizes come from whoever made the proof: more than what bitwise operators of numbers know. */
function isPowerOfTwo(size: number): boolean {
  return (BigInt(size) & (BigInt(size) - 1n)) === 0n;
}

interface Part {
  readonly from: number;
  readonly size: number;
}

function pathIn(leaves: LeafHashes, { from, size }: Part, index: number): Buffer[] {
  if (size === 1) return [];
  const left = { from, size: leftSize(size) };
  const right = { from: from + left.size, size: size - left.size };
  if (index < left.size) return [...pathIn(leaves, left, index), rootOf(leaves, right)];
  return [...pathIn(leaves, right, index - left.size), rootOf(leaves, left)];
}

function subproof(leaves: LeafHashes, part: Part, { older, isWhole }: { older: number; isWhole: boolean }): Buffer[] {
  const { from, size } = part;
  if (older === size) return isWhole ? [] : [rootOf(leaves, part)];
  const left = { from, size: leftSize(size) };
  const right = { from: from + left.size, size: size - left.size };
  if (older <= left.size) return [...subproof(leaves, left, { older, isWhole }), rootOf(leaves, right)];
  return [...subproof(leaves, right, { older: older - left.size, isWhole: false }), rootOf(leaves, left)];
}

/** The root over a part of the leaves. */
function rootOf(leaves: LeafHashes, { from, size }: Part): Buffer {
  if (size === 1) return Buffer.from(leaves.at(from));
  const left = leftSize(size);
  return nodeHash(rootOf(leaves, { from, size: left }), rootOf(leaves, { from: from + left, size: size - left }));
}

/** The largest power of two that is smaller than the size. */
function leftSize(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}
