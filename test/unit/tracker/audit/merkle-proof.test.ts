import { expect, it } from 'vitest';
import {
  consistencyPath,
  inclusionPath,
  isConsistent,
  LeafHashes,
  rootOfPath,
} from '../../../../apps/tracker/src/audit/merkle-proof.ts';
import { leafHash, MerkleFrontier } from '../../../../apps/tracker/src/replica/merkle-frontier.ts';
import { sha256 } from '../../../../apps/tracker/src/replica/sha256.ts';

const SIZE_MAX = 40;
const leaves = new LeafHashes();
const tree = new MerkleFrontier();
const roots = [tree.root()];
for (let index = 0; index < SIZE_MAX; index++) {
  const leaf = leafHash(Buffer.from(`record ${index}`));
  leaves.append(leaf);
  tree.append(leaf);
  roots.push(tree.root());
}

it('a path leads from every record to the root of every size, and from no other', () => {
  for (let size = 1; size <= SIZE_MAX; size++) {
    for (let index = 0; index < size; index++) {
      const path = inclusionPath(leaves, { index, size });
      expect(rootOfPath(leaves.at(index), path, { index, size })).toEqual(roots[size]);
      const others = [
        rootOfPath(leaves.at((index + 1) % SIZE_MAX), path, { index, size }),
        rootOfPath(leaves.at(index), path.slice(1), { index, size }),
      ];
      if (size > 1) for (const other of others) expect(other).not.toEqual(roots[size]);
    }
  }
});

it('every size is proved to be the beginning of every larger one, and of no other', () => {
  for (let newer = 1; newer <= SIZE_MAX; newer++) {
    for (let older = 1; older <= newer; older++) {
      const path = consistencyPath(leaves, { older, newer });
      const [first, second] = [
        { size: older, root: roots[older]! },
        { size: newer, root: roots[newer]! },
      ];
      expect(isConsistent(path, first, second)).toBe(true);
      expect(isConsistent(path, { ...first, root: roots[0]! }, second)).toBe(false);
      expect(isConsistent(path, first, { ...second, root: roots[0]! })).toBe(false);
      if (path.length > 0) expect(isConsistent(path.slice(1), first, second)).toBe(false);
    }
  }
});

it('a log of more than four thousand million records is proved to go on', () => {
  // By RFC 6962, 2.1.2: of 2^32 + 1 records, the last one is a tree of its own beside the first 2^32.
  const [whole, last, next] = ['first 2^32', 'last', 'next'].map((text) => leafHash(Buffer.from(text)));
  const nodeHash = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.from([1]), left, right);
  const older = { size: 2 ** 32 + 1, root: nodeHash(whole!, last!) };
  const newer = { size: 2 ** 32 + 2, root: nodeHash(whole!, nodeHash(last!, next!)) };
  expect(isConsistent([last!, next!, whole!], older, newer)).toBe(true);
  expect(isConsistent([last!, next!, next!], older, newer)).toBe(false);
});
