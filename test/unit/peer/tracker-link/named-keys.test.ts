// Facts about the keys that a peer takes over from trackers, and keeps: whatever is among them, workers can check grants with.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { idOfPublicKey } from '#identity/identity';
import type { KnownTracker } from '#wire/tracker-api';
import { TrackerTrust } from '../../../../apps/peer/src/tracker-link/tracker-trust.ts';

const directory = mkdtempSync(join(tmpdir(), 'cohort-trust-'));
const path = join(directory, 'known-trackers.json');
const LOG_ID = 'ab'.repeat(32);
const damaged: string[] = [];
const open = (): Promise<TrackerTrust> =>
  TrackerTrust.open([{ host: '127.0.0.1', port: 9001, trackerId: null }], path, {
    writeFailed: (_path, error) => {
      throw error;
    },
    damaged: (file) => damaged.push(file),
  });
beforeEach(() => {
  rmSync(path, { force: true });
  damaged.length = 0;
});
afterAll(() => rmSync(directory, { recursive: true }));

function tracker(publicKeyDer: Uint8Array): KnownTracker {
  const publicKey = Buffer.from(publicKeyDer).toString('base64');
  return { trackerId: idOfPublicKey(publicKeyDer), publicKey, address: '127.0.0.1:9009' };
}

const spki = { type: 'spki', format: 'der' } as const;
const good = tracker(generateKeyPairSync('ed25519').publicKey.export(spki));
const NO_KEYS: readonly [string, KnownTracker][] = [
  ['bytes that are no key', tracker(Buffer.from('no key'))],
  ['a key of RSA', tracker(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(spki))],
  ['a key of X25519', tracker(generateKeyPairSync('x25519').publicKey.export(spki))],
];

describe.each(NO_KEYS)('%s', (_what, bad) => {
  test('that a trusted tracker names under the right id is passed over', async () => {
    const trust = await open();
    trust.learn({ address: '127.0.0.1:9001', shownId: good.trackerId }, LOG_ID, [bad, good]);
    await trust.settled();
    expect(trust.trust()?.trackers.map(({ trackerId }) => trackerId)).toEqual([good.trackerId]);
    expect(readFileSync(path, 'utf8')).not.toContain(bad.trackerId);
  });

  test('that stands in the file puts the file aside', async () => {
    writeFileSync(path, JSON.stringify({ logId: LOG_ID, ids: {}, keys: { [bad.trackerId]: bad.publicKey } }));
    const trust = await open();
    expect(damaged).toEqual([path]);
    expect(trust.trust()).toBeNull();
  });
});

test('keys that are kept are there after a restart, and can be read', async () => {
  const before = await open();
  before.learn({ address: '127.0.0.1:9001', shownId: good.trackerId }, LOG_ID, [good]);
  await before.settled();
  const [kept] = (await open()).trust()?.trackers ?? [];
  expect(kept?.trackerId).toBe(good.trackerId);
  expect(createPublicKey({ key: Buffer.from(kept!.publicKeyDer), ...spki }).asymmetricKeyType).toBe('ed25519');
});
