import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { leafHash, MerkleFrontier } from '../../../../apps/tracker/src/replica/merkle-frontier.ts';

// The leaves and roots that implementations of RFC 6962 test themselves with.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the Merkle frontier', () => {
  it('of no records has the hash of nothing as its root', () => {
    expect(new MerkleFrontier().root().toString('hex')).toBe(createHash('sha256').digest('hex'));
  });

  it("has RFC 6962's roots at every size of the reference leaves", () => {
    const frontier = new MerkleFrontier();
    const roots = LEAVES.map((leaf) => {
      frontier.append(leafHash(Buffer.from(leaf, 'hex')));
      return frontier.root().toString('hex');
    });
    expect(roots).toEqual(ROOTS);
    expect(frontier.size).toBe(8);
  });

  it('has the root that the recursive definition gives, at every size up to 300', () => {
    const frontier = new MerkleFrontier();
    const leaves: Buffer[] = [];
    for (let size = 1; size <= 300; size++) {
      const leaf = Buffer.from(`record ${size}`);
      leaves.push(leaf);
      frontier.append(leafHash(leaf));
      expect(frontier.root().equals(definition(leaves)), `size ${size}`).toBe(true);
    }
  });
});

/** RFC 6962, 2.1, word for word. */
function definition(leaves: readonly Buffer[]): Buffer {
  const sha256 = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.from([1]), definition(leaves.slice(0, split)), definition(leaves.slice(split)));
}
