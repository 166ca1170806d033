// Facts about the list of packages: one that leaves something out, or says something else than the lock file, is noticed.
import { expect, it } from 'vitest';
import { type Sbom, sbomProblems } from '../../../../infra/supply-chain/sbom-problems.ts';

const hash = (letter: string): string => letter.repeat(128);
const integrity = (letter: string): string => `sha512-${Buffer.from(hash(letter), 'hex').toString('base64')}`;
const LOCK = {
  packages: {
    '': {},
    'node_modules/left': { version: '1.0.0', integrity: integrity('a') },
    'node_modules/left/node_modules/@scope/right': { version: '2.0.0', integrity: integrity('b') },
    'node_modules/other/node_modules/@scope/right': { version: '2.0.0', integrity: integrity('b') },
  },
};

function component(name: string, version: string, letter: string): Sbom['components'][number] {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { name, version, purl, hashes: [{ alg: 'SHA-512', content: hash(letter) }] };
}

const LEFT = component('left', '1.0.0', 'a');
const RIGHT = component('@scope/right', '2.0.0', 'b');
const sbom = (...components: Sbom['components']): Sbom => ({ bomFormat: 'CycloneDX', specVersion: '1.5', components });

it('every package in its version, with its hash, is right', () => {
  expect(sbomProblems(sbom(LEFT, RIGHT), LOCK)).toEqual([]);
});

it.each([
  ['a package that is missing', sbom(LEFT), 'pkg:npm/%40scope/right@2.0.0 is missing'],
  ['one too many', sbom(LEFT, RIGHT, component('more', '1.0.0', 'c')), 'more@1.0.0 is not in package-lock.json'],
  ['another hash', sbom({ ...LEFT, hashes: [] }, RIGHT), 'left@1.0.0 has another hash'],
  ['another name', sbom({ ...LEFT, purl: 'pkg:npm/right@1.0.0' }, RIGHT), 'calls itself pkg:npm/right@1.0.0'],
  ['another format', { ...sbom(LEFT, RIGHT), bomFormat: 'SPDX' }, 'is no CycloneDX document'],
])('%s is noticed', (_what, list, problem) => {
  expect(sbomProblems(list, LOCK)).toEqual([expect.stringContaining(problem)]);
});

it('another version is one that is missing, and one too many', () => {
  expect(sbomProblems(sbom(component('left', '1.0.1', 'a'), RIGHT), LOCK)).toHaveLength(2);
});
