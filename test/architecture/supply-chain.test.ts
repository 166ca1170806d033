// Facts about the packages that this project stands on: what is installed is what the lock file pins, wherever it comes from, and
// none of it runs anything while it is installed but what is named.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

/** Installs nothing for us: it would tell its maker that it was installed. */
const INSTALL_SCRIPTS = ['@scarf/scarf'];

/** What is wrong with a lock file, a line each. */
function lockProblems(text: string): string[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  const problems: string[] = [];
  for (const [path, { integrity = '', resolved, hasInstallScript }] of Object.entries(packages)) {
    if (path === '') continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) problems.push(`${name} is not pinned by its hash`);
    if (resolved !== undefined) problems.push(`${name} is taken from one address`);
    if (hasInstallScript === true && !INSTALL_SCRIPTS.includes(name)) problems.push(`${name} runs a script`);
  }
  return problems;
}

describe('package-lock.json', () => {
  it('pins every package by its hash, names no address, and no scripts run but the named ones', () => {
    const text = read('package-lock.json');
    expect(lockProblems(text)).toEqual([]);
    expect(text.match(/"integrity"/g)?.length).toBeGreaterThan(400);
  });

  it.each([
    ['no hash', {}, 'is not pinned by its hash'],
    ['a weak hash', { integrity: 'sha1-abc=' }, 'is not pinned by its hash'],
    ['an address', { resolved: 'https://packages.example/a.tgz' }, 'is taken from one address'],
    ['a script', { hasInstallScript: true }, 'runs a script'],
  ])('%s is found', (_what, change, problem) => {
    const sound = { integrity: `sha512-${'A'.repeat(86)}==` };
    const locked = 'integrity' in change || Object.keys(change).length === 0 ? change : { ...sound, ...change };
    const text = JSON.stringify({ packages: { '': {}, 'node_modules/@a/b': locked } });
    expect(lockProblems(text)).toEqual([`@a/b ${problem}`]);
  });
});

describe('what soak:openapi needs of Python', () => {
  /** Packages that any file of their version could be installed of, or one from an address. */
  const loose = (text: string): string[] => {
    const lines = text
      .replace(/^#.*\n/gm, '')
      .replace(/ \\\n/g, '')
      .split('\n');
    const pinned =
      /^[a-z0-9_-]+==[0-9][0-9a-z.]*(?: ; python_version < "[0-9.]+")?(?:    --hash=sha256:[0-9a-f]{64})+$/;
    return lines.filter((line) => line !== '' && !pinned.test(line));
  };

  it('is pinned by its hashes, and from no address', () => {
    const text = read('test/fuzz/openapi-requirements.txt');
    expect(loose(text)).toEqual([]);
    expect(text.match(/^schemathesis==/m)).not.toBeNull();
  });

  it.each(['rich==15.0.0', 'rich', '--find-links /tmp', '--index-url https://packages.example'])(
    '%s is found',
    (line) => {
      expect(loose(`${line}\n`)).toEqual([line]);
    },
  );
});

describe('package.json', () => {
  const { dependencies, devDependencies, optionalDependencies, allowScripts } = JSON.parse(
    read('package.json'),
  ) as Record<string, Record<string, unknown>>;

  it('asks for one version of each package', () => {
    const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(versions.filter((version) => !/^[0-9]+\.[0-9]+\.[0-9]+$/.test(String(version)))).toEqual([]);
  });

  it('lets no package run a script while it is installed', () => {
    expect(allowScripts).toEqual(Object.fromEntries(INSTALL_SCRIPTS.map((name) => [name, false])));
  });
});
