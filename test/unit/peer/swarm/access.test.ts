// Who a seeder opens its door to: nothing but hello is said before the grant holds.
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { X509CertificateGenerator } from '@peculiar/x509';
import { describe, expect, it, vi } from 'vitest';
import { mutualTlsOptions } from '#identity/tls';
import type { GrantClaims } from '#wire/grant';
import { encodeFrame, type Frame, FrameDecoder } from '#wire/transfer-frame';
import {
  grantFor,
  newFile,
  onTestEnd,
  randomBytes,
  requestFor,
  SHARE,
  shareFile,
  sourceOf,
  startPeer,
  type TestPeer,
  until,
} from './engine-harness.ts';

const MIB = 1024 * 1024;

async function twoPeers(bytes = MIB) {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  return { alice, bob, digested: await shareFile(alice, newFile(alice, randomBytes(bytes))) };
}

/** What the listener says to hello and this grant, until it closes or admits. */
function ask(peer: TestPeer, listener: TestPeer, frames: readonly Frame[]): Promise<string[]> {
  const { host, port } = listener.engine.listenAddress;
  return new Promise((resolve) => {
    const said: string[] = [];
    const decoder = new FrameDecoder();
    const socket = connectTls({ host, port, ...mutualTlsOptions(peer.identity) }, () => {
      for (const frame of frames) socket.write(encodeFrame(frame));
    });
    const finish = (): void => {
      socket.destroy();
      resolve(said);
    };
    const sink = {
      frame: (frame: Frame) => {
        said.push(frame.kind === 'refuse' ? frame.code : frame.kind);
        if (frame.kind === 'bitfield' || frame.kind === 'refuse') finish();
      },
      blockStart: () => said.push('piece'),
      blockBytes: () => {},
      blockEnd: () => {},
    };
    socket.on('data', (chunk: Buffer) => decoder.push(chunk, sink));
    socket.on('close', finish);
    socket.on('error', finish);
    onTestEnd(() => void socket.destroy());
  });
}

/** A self-signed certificate of a P-256 key. */
async function otherCertificate() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=cohort', signingAlgorithm: algorithm, keys },
    webcrypto as unknown as Crypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { key, cert: certificate.toString('pem') };
}

const hello: Frame = {
  kind: 'hello',
  version: 1,
  lane: 0,
  laneCount: 1,
  nonce: new Uint8Array(32),
  key: new Uint8Array(0),
};

describe('a grant', () => {
  const refused: readonly [string, Partial<GrantClaims>, string][] = [
    ['for another peer', { peerId: 'cd'.repeat(32) }, 'grant_mismatch'],
    ['for another content', { contentId: 'cd'.repeat(32) }, 'grant_mismatch'],
    ['of another log', { logId: 'cd'.repeat(32) }, 'grant_mismatch'],
    ['for another share', { shareId: 8 }, 'unknown_share'],
    ['for another group', { groupId: 4 }, 'unknown_share'],
    ['that has expired', { expiresAtMs: 1 }, 'grant_expired'],
    ['for longer than any tracker signs one', { expiresAtMs: Date.now() + 24 * 3_600_000 }, 'grant_mismatch'],
    ['of an unknown tracker', { trackerId: 'cd'.repeat(32) }, 'grant_not_signed'],
  ];
  it.each(refused)('%s is refused', async (_title, claims, code) => {
    const { alice, bob, digested } = await twoPeers();
    const grant = grantFor(bob, digested.contentId, claims);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', code]);
  });

  it('that is genuine is admitted', async () => {
    const { alice, bob, digested } = await twoPeers();
    const grant = grantFor(bob, digested.contentId);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'bitfield']);
  });

  it('that was changed after it was signed is refused', async () => {
    const { alice, bob, digested } = await twoPeers();
    const grant = grantFor(bob, digested.contentId);
    grant[grant.length - 1]! ^= 1;
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'grant_not_signed']);
  });

  it('that is genuine is admitted again on another connection of its peer, and not on one of anybody else', async () => {
    const { alice, bob, digested } = await twoPeers();
    const eve = await startPeer('eve');
    const grant = grantFor(bob, digested.contentId);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'bitfield']);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'bitfield']);
    expect(await ask(eve, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'grant_mismatch']);
  });

  it('whose claims were exchanged under a genuine signature is refused', async () => {
    const { alice, bob, digested } = await twoPeers();
    const eve = await startPeer('eve');
    const [stolen, own] = [grantFor(bob, digested.contentId), grantFor(eve, 'cd'.repeat(32))];
    const forged = Uint8Array.of(...own.subarray(0, -64), ...stolen.subarray(-64));
    expect(await ask(eve, alice, [hello, { kind: 'grant', grant: forged }])).toEqual(['hello', 'grant_not_signed']);
  });

  it('older than a revocation of the peer is refused, a newer one is not', async () => {
    const { alice, bob, digested } = await twoPeers();
    alice.engine.revoke({ peerId: bob.identity.id, asOfOffset: 20 });
    const older = grantFor(bob, digested.contentId, { asOfOffset: 19 });
    const newer = grantFor(bob, digested.contentId, { asOfOffset: 20 });
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant: older }])).toEqual(['hello', 'grant_revoked']);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant: newer }])).toEqual(['hello', 'bitfield']);
  });
});

describe('the same content in another group', () => {
  const elsewhere = { groupId: 4, shareId: 9 };

  async function servedElsewhere() {
    const { alice, bob, digested } = await twoPeers();
    await alice.engine.serve({ share: elsewhere, path: join(alice.folder, 'film'), ...digested });
    return { alice, bob, digested };
  }

  it('is not opened by a grant for this one, and not told of', async () => {
    const { alice, bob, digested } = await servedElsewhere();
    alice.engine.withdraw(SHARE);
    const grant = grantFor(bob, digested.contentId);
    const said = await ask(bob, alice, [hello, { kind: 'grant', grant }]);
    alice.engine.withdraw(elsewhere);
    expect(said).toEqual(['hello', 'unknown_share']);
    expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(said);
  });

  it('is not gone over to with a grant for it', async () => {
    const { alice, bob, digested } = await servedElsewhere();
    const grants = [grantFor(bob, digested.contentId), grantFor(bob, digested.contentId, elsewhere)];
    const socket = connectTls({ ...alice.engine.listenAddress, ...mutualTlsOptions(bob.identity) });
    onTestEnd(() => void socket.destroy());
    socket.on('error', () => {});
    for (const frame of [hello, ...grants.map((grant) => ({ kind: 'grant', grant }) as const)]) {
      socket.write(encodeFrame(frame));
    }
    expect(await saidOn(socket)).toEqual(['hello', 'bitfield', 'grant_mismatch']);
  });
});

it.each<[string, Partial<GrantClaims>]>([
  ['of somebody else', { peerId: 'cd'.repeat(32) }],
  ['that has expired', { expiresAtMs: 1 }],
  ['older than a revocation', { asOfOffset: 19 }],
  ['of another log', { logId: 'cd'.repeat(32) }],
])('a grant %s is refused alike whether there is such a share or not', async (_title, claims) => {
  const { alice, bob, digested } = await twoPeers();
  alice.engine.revoke({ peerId: bob.identity.id, asOfOffset: 20 });
  const frames: Frame[] = [hello, { kind: 'grant', grant: grantFor(bob, digested.contentId, claims) }];
  const said = await ask(bob, alice, frames);
  alice.engine.withdraw(SHARE);
  expect(await ask(bob, alice, frames)).toEqual(said);
  expect(said).not.toContain('unknown_share');
});

it.each([
  ['a request', { kind: 'request', piece: 0, begin: 0, length: 1 }],
  ['a question for the manifest', { kind: 'askManifest', begin: 0, length: 1 }],
] satisfies [string, Frame][])('%s before the grant is a breach', async (_title, frame) => {
  const { alice, bob } = await twoPeers();
  expect(await ask(bob, alice, [hello, frame])).toEqual(['hello', 'protocol_error']);
});

it('a grant before hello is a breach', async () => {
  const { alice, bob, digested } = await twoPeers();
  const grant = grantFor(bob, digested.contentId);
  expect(await ask(bob, alice, [{ kind: 'grant', grant }, hello])).toEqual(['protocol_error']);
});

it('another version of the protocol is named', async () => {
  const { alice, bob } = await twoPeers();
  expect(await ask(bob, alice, [{ ...hello, version: 2 }])).toEqual(['version_mismatch']);
});

it('a revocation closes live connections within the download, which says why', async () => {
  const { alice, bob, digested } = await twoPeers(256 * MIB);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ peers }) => peers[0]?.state === 'connected');
  alice.engine.revoke({ ...SHARE, user: 'bob', asOfOffset: 11 });
  await until(download, ({ reason }) => reason?.code === 'not_a_member');
  expect(download.view().state).toBe('stalled');
});

it('a grant that nobody renews ends the connection, and a new one opens it again', async () => {
  const { alice, bob, digested } = await twoPeers();
  const grant = grantFor(bob, digested.contentId, { expiresAtMs: Date.now() - 1 });
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], grant }));
  await until(download, ({ reason }) => reason?.code === 'trackers_unreachable');
  download.updateGrant(grantFor(bob, digested.contentId));
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it.each([
  ['no certificate', () => Promise.resolve({})],
  ['a certificate of another kind of key', otherCertificate],
])('a caller with %s is not told a byte', async (_what, certificate) => {
  const { alice } = await twoPeers();
  const { host, port } = alice.engine.listenAddress;
  const socket = connectTls({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', ...(await certificate()) });
  onTestEnd(() => void socket.destroy());
  let heard = 0;
  socket.on('data', (chunk: Buffer) => (heard += chunk.length));
  socket.on('error', () => {});
  socket.write(encodeFrame(hello));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(heard).toBe(0);
});

it('a share that was withdrawn is unknown', async () => {
  const { alice, bob, digested } = await twoPeers();
  alice.engine.withdraw(SHARE);
  const grant = grantFor(bob, digested.contentId);
  expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'unknown_share']);
});

it('a peer without TLS and one with it do not understand each other, and say so', async () => {
  const { alice, digested } = await twoPeers();
  const bob = await startPeer('plain bob', { plain: true });
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ peers }) => peers[0]?.state === 'unreachable');
  expect(download.view().verifiedBytes).toBe(0);
});

it('without TLS a peer that cannot prove its key is not admitted', async () => {
  const alice = await startPeer('alice', { plain: true });
  const bob = await startPeer('bob', { plain: true });
  const { host, port } = alice.engine.listenAddress;
  const socket = connectPlain({ host, port });
  onTestEnd(() => void socket.destroy());
  socket.write(encodeFrame({ ...hello, kind: 'hello', key: bob.identity.publicKeyDer } as Frame));
  socket.write(encodeFrame({ kind: 'proof', signature: new Uint8Array(64) }));
  const said = await saidOn(socket);
  expect(said).toEqual(['hello', 'proof', 'protocol_error']);
});

it('nonsense is turned away, and others are served meanwhile', async () => {
  const { alice, bob, digested } = await twoPeers();
  const { host, port } = alice.engine.listenAddress;
  for (let number = 0; number < 50; number++) {
    const socket = connectPlain({ host, port });
    socket.on('error', () => {});
    socket.write(randomBytes(200));
    onTestEnd(() => void socket.destroy());
  }
  const frames: Frame[] = [hello, { kind: 'have', pieces: [1] }];
  for (let number = 0; number < 20; number++) {
    expect(await ask(bob, alice, frames)).toEqual(['hello', 'protocol_error']);
  }
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(sourceOf(alice).peerId).toBe(download.view().peers[0]?.peerId);
});

it('a peer that asks and never reads is cut off before much waits for it', async () => {
  const { alice, bob, digested } = await twoPeers(16 * MIB);
  const { host, port } = alice.engine.listenAddress;
  const socket = connectTls({ host, port, ...mutualTlsOptions(bob.identity) });
  onTestEnd(() => void socket.destroy());
  const cutOff = new Promise((resolve) => socket.once('error', resolve));
  await once(socket, 'secureConnect');
  socket.write(encodeFrame(hello));
  socket.write(encodeFrame({ kind: 'grant', grant: grantFor(bob, digested.contentId) }));
  await once(socket, 'data');
  socket.pause();
  const demand = encodeFrame({ kind: 'askManifest', begin: 0, length: 256 * 1024 });
  const asks = Buffer.concat(Array<Uint8Array>(40_000).fill(demand));
  socket.write(asks);
  expect(await cutOff).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
});

it('one address has 64 connections without a grant, and the oldest gives way to who comes', async () => {
  const { alice, bob, digested } = await twoPeers();
  const { host, port } = alice.engine.listenAddress;
  const closed: number[] = [];
  for (let number = 0; number < 72; number++) {
    const socket = connectPlain({ host, port });
    onTestEnd(() => void socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => closed.push(number));
    await once(socket, 'connect');
  }
  const grant = grantFor(bob, digested.contentId);
  expect(await ask(bob, alice, [hello, { kind: 'grant', grant }])).toEqual(['hello', 'bitfield']);
  await vi.waitFor(() => expect(new Set(closed)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8])));
  expect(refusalsOf(alice)).toEqual({ too_many_connections: 9 });
});

it('a frame that is too large before the grant is refused by its head alone', async () => {
  const { alice, bob } = await twoPeers();
  const manifest: Frame = { kind: 'manifest', totalBytes: 200_000, begin: 0, bytes: new Uint8Array(200_000) };
  const socket = connectTls({ ...alice.engine.listenAddress, ...mutualTlsOptions(bob.identity) });
  onTestEnd(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(encodeFrame(hello));
  socket.write(encodeFrame(manifest).subarray(0, 5));
  expect(await saidOn(socket)).toEqual(['hello', 'protocol_error']);
  expect(refusalsOf(alice)).toEqual({ protocol_error: 1 });
});

it('who says twice that a piece is corrupt breaks the protocol: it costs a look at the disk', async () => {
  const { alice, bob, digested } = await twoPeers();
  const socket = connectTls({ ...alice.engine.listenAddress, ...mutualTlsOptions(bob.identity) });
  onTestEnd(() => void socket.destroy());
  socket.on('error', () => {});
  const said = saidOn(socket);
  socket.write(encodeFrame(hello));
  socket.write(encodeFrame({ kind: 'grant', grant: grantFor(bob, digested.contentId) }));
  for (let time = 0; time < 2; time++) socket.write(encodeFrame({ kind: 'corrupt', piece: 0 }));
  expect(await said).toEqual(['hello', 'bitfield', 'protocol_error']);
});

describe('what is refused is counted', () => {
  it('by what is said', async () => {
    const { alice, bob, digested } = await twoPeers();
    const grants = [{ peerId: 'cd'.repeat(32) }, { shareId: 8 }, { expiresAtMs: 1 }, { trackerId: 'cd'.repeat(32) }];
    for (const claims of grants) {
      await ask(bob, alice, [hello, { kind: 'grant', grant: grantFor(bob, digested.contentId, claims) }]);
    }
    await ask(bob, alice, [{ ...hello, version: 2 }]);
    expect(refusalsOf(alice)).toEqual({
      ...{ grant_mismatch: 1, unknown_share: 1, grant_expired: 1, grant_not_signed: 1, version_mismatch: 1 },
    });
  });

  it('and what nothing is said to', async () => {
    const { alice } = await twoPeers();
    const { host, port } = alice.engine.listenAddress;
    const nonsense = connectPlain({ host, port });
    nonsense.on('error', () => {}).resume();
    nonsense.write(Buffer.alloc(200, 7));
    await new Promise((resolve) => nonsense.once('close', resolve));
    const unknown = connectTls({
      host,
      port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...(await otherCertificate()),
    });
    unknown.on('error', () => {}).resume();
    await new Promise((resolve) => unknown.once('close', resolve));
    expect(refusalsOf(alice)).toEqual({ handshake_failed: 1, wrong_key: 1 });
  });
});

/** What a peer has refused so far, by reason. */
function refusalsOf({ engine }: TestPeer): Record<string, number> {
  return Object.fromEntries(engine.metrics().refusals.filter(([, count]) => count > 0));
}

/** The kinds of all frames that come, up to the end of the connection; what is refused by its code. */
function saidOn(socket: Socket): Promise<string[]> {
  const kinds: string[] = [];
  const decoder = new FrameDecoder();
  const sink = {
    frame: (frame: Frame) => void kinds.push(frame.kind === 'refuse' ? frame.code : frame.kind),
    blockStart: () => {},
    blockBytes: () => {},
    blockEnd: () => {},
  };
  socket.on('data', (chunk: Buffer) => decoder.push(chunk, sink));
  return new Promise((resolve) => socket.once('close', () => resolve(kinds)));
}
