// Real engines with real workers and sockets on loopback, and a tracker that is only a key: it signs whatever grant a test
// asks for.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { manifestGeometry } from '#domain/manifest';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import type { GrantClaims } from '#wire/grant';
import { openTransferEngine } from '../../../../apps/peer/src/swarm/open-transfer-engine.ts';
import type {
  Digested,
  Download,
  DownloadRequest,
  ShareRef,
  Source,
  TransferEngine,
} from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { LOG_ID, signedGrant, TRACKER } from '../../../granting-tracker.ts';

export const SHARE: ShareRef = { groupId: 3, shareId: 7 };

/** One peer: its engine, its key, its folder. */
export interface TestPeer {
  readonly name: string;
  readonly identity: Identity;
  readonly engine: TransferEngine;
  readonly folder: string;
}

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

export function onTestEnd(close: () => Promise<void> | void): void {
  closing.push(close);
}

/** A folder that goes away after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-engine-'));
  onTestEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Three running engines with these names. */
export async function startThree(
  first: string,
  second: string,
  third: string,
  options: { workers?: number } = {},
): Promise<[TestPeer, TestPeer, TestPeer]> {
  return Promise.all([startPeer(first, options), startPeer(second, options), startPeer(third, options)]);
}

/** A running engine; `port` and `identity` let a peer come back as itself. */
export async function startPeer(
  name: string,
  options: { plain?: boolean; workers?: number; host?: string; port?: number; identity?: Identity } = {},
): Promise<TestPeer> {
  const folder = newFolder();
  const identity = options.identity ?? (await loadOrCreateIdentity(join(folder, 'identity')));
  const engine = await openTransferEngine({
    identity,
    listen: { host: options.host ?? '127.0.0.1', port: options.port ?? 0 },
    workers: options.workers ?? 1,
    plain: options.plain ?? false,
    now: Date.now,
    random: Math.random,
  });
  onTestEnd(() => engine.close());
  engine.trustTrackers({ logId: LOG_ID, trackers: [TRACKER] });
  return { name, identity, engine, folder };
}

/** A grant for a peer, as the tracker would sign it. */
export function grantFor(peer: TestPeer, contentId: string, claims: Partial<GrantClaims> = {}): Uint8Array {
  return signedGrant({ ...SHARE, contentId, user: peer.name, peerId: peer.identity.id, ...claims });
}

export function sourceOf(peer: TestPeer): Source {
  return { peerId: peer.identity.id, user: peer.name, addresses: [peer.engine.listenAddress] };
}

/** A file of a peer's own with these bytes; its path. */
export function newFile({ folder }: TestPeer, bytes: Uint8Array): string {
  const path = join(folder, 'film');
  writeFileSync(path, bytes);
  return path;
}

/** Digests a path and serves it. */
export async function shareFile(peer: TestPeer, path: string, pieceBytes?: number): Promise<Digested> {
  const digested = await peer.engine.digest({ path, hash: 'sha1', ...(pieceBytes !== undefined && { pieceBytes }) });
  await peer.engine.serve({ share: SHARE, path, ...digested });
  return digested;
}

/** What a download of this content asks for. */
export function requestFor(
  peer: TestPeer,
  { contentId, manifest }: Digested,
  options: { from: readonly TestPeer[] } & Partial<DownloadRequest>,
): DownloadRequest {
  const { from, ...rest } = options;
  return {
    share: SHARE,
    contentId,
    ...manifestGeometry(manifest),
    destination: join(peer.folder, 'fetched'),
    strategy: 'random',
    overwrite: false,
    sources: from.map(sourceOf),
    grant: grantFor(peer, contentId),
    ...rest,
  };
}

/** Resolves when the download's view satisfies a condition. */
export function until(download: Download, condition: (view: ReturnType<Download['view']>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!condition(download.view())) return;
      stop();
      resolve();
    };
    const stop = download.onChange(look);
    look();
  });
}

export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

export { randomBytes };
