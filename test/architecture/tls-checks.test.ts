// Facts about who skips the checks of TLS: certificates here are self-signed, so TLS itself checks nothing, and whoever skips
// its checks has to compare the key with the one it expects.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const SKIPS = /\b(?:rejectUnauthorized|checkServerIdentity|NODE_TLS_REJECT_UNAUTHORIZED|mutualTlsOptions\()/;
const COMPARES = /\b(?:idOfSocket|claimedPeerId)\(/;

/** Files that make a connection for another file, which compares the key before it sends a byte. */
const COMPARED_IN: Readonly<Record<string, string>> = {
  'apps/peer/src/data-plane/dial-socket.ts': 'apps/peer/src/data-plane/fetch-session.ts',
  'apps/peer/src/data-plane/lane.ts': 'apps/peer/src/data-plane/fetch-session.ts',
};

function isUnchecked(file: string, text: string): boolean {
  if (!SKIPS.test(text)) return false;
  const compared = COMPARED_IN[file];
  return !COMPARES.test(compared === undefined ? text : read(compared));
}

it('every file that skips the checks of TLS compares the key', () => {
  const files = globSync('{apps,libs,infra}/**/*.{ts,mts,mjs}', { cwd: root, exclude: ['**/node_modules/**'] });
  const skipping = files.filter((file) => SKIPS.test(read(file)));
  expect(skipping).toEqual(expect.arrayContaining(['libs/identity/src/tls.ts', ...Object.keys(COMPARED_IN)]));
  expect(files.filter((file) => isUnchecked(file, read(file)))).toEqual([]);
});

it.each([
  ['an option that skips them', `connect({ host, port, rejectUnauthorized: false });`],
  ['our options', `createServer(mutualTlsOptions(identity));`],
  ['a check that says yes', `connect({ host, port, checkServerIdentity: () => undefined });`],
  ['a variable that skips them everywhere', `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';`],
])('%s with no comparison beside it is found', (_what, text) => {
  expect(isUnchecked('apps/peer/src/a.ts', text)).toBe(true);
  expect(isUnchecked('apps/peer/src/a.ts', `${text} if (idOfSocket(socket) !== peerId) socket.destroy();`)).toBe(false);
});
