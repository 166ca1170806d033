import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomBytes, requestFor, sha1, shareFile, startPeer } from './engine-harness.ts';

it('a file arrives whole over TLS', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const path = join(alice.folder, 'film');
  const bytes = randomBytes(20 * 1024 * 1024 + 1);
  writeFileSync(path, bytes);
  const digested = await shareFile(alice, path);
  expect(digested.manifest.files[0]?.sha1).toBe(sha1(bytes));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete', reason: null });
  expect(sha1(readFileSync(join(bob.folder, 'fetched')))).toBe(sha1(bytes));
});
