// Owns what a software bill of materials has to say: every package of the lock file in its version, with the hash that the lock
// file pins, once, and nothing else.

/** As much of CycloneDX as is looked at. */
export interface Sbom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly SbomComponent[];
}

interface SbomComponent {
  readonly type?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

/** As much of package-lock.json as is looked at. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
}

/** What is wrong with it, as parts of a sentence; none when it is right. */
export function sbomProblems(sbom: Sbom, lock: LockFile): string[] {
  if (sbom.bomFormat !== 'CycloneDX' || !/^1\.[0-9]+$/.test(sbom.specVersion)) return ['it is no CycloneDX document'];
  const locked = new Map(Object.entries(lock.packages).flatMap(lockedEntry));
  const listed = new Map(sbom.components.map((component) => [purlOf(component.name, component.version), component]));
  return [
    ...[...locked.keys()].filter((purl) => !listed.has(purl)).map((purl) => `${purl} is missing`),
    ...[...listed.keys()].filter((purl) => !locked.has(purl)).map((purl) => `${purl} is not in package-lock.json`),
    ...[...listed].flatMap(([purl, component]) => componentProblems(purl, component, locked.get(purl))),
  ];
}

function lockedEntry([path, { name, version = '', integrity }]: [string, LockedPackage]): [
  string,
  string | undefined,
][] {
  if (path === '') return [];
  return [[purlOf(name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version), integrity]];
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function componentProblems(purl: string, { purl: own, hashes = [] }: SbomComponent, integrity?: string): string[] {
  const pinned = integrity?.replace(/^sha512-/, '') ?? '';
  const expected = Buffer.from(pinned, 'base64').toString('hex');
  const isHashed = hashes.some(({ alg, content }) => alg === 'SHA-512' && content === expected);
  return [
    ...(own === purl ? [] : [`${purl} calls itself ${own}`]),
    ...(expected === '' || isHashed ? [] : [`${purl} has another hash than package-lock.json`]),
  ];
}
