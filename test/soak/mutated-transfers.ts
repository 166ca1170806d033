// Owns proving that one wrong byte is never part of a finished file, at the level of the workers: real engines without TLS, a
// seeder behind a relay that changes one byte of the stream in either direction, or one whose own file has a wrong byte that it
// does not know of. A second seeder is there, so that every download has to finish, with the right bytes.
import { randomFillSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestGeometry } from '#domain/manifest';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { openTransferEngine } from '../../apps/peer/src/swarm/open-transfer-engine.ts';
import type { DownloadView, SourceView } from '../../apps/peer/src/swarm/download-view.ts';
import type { Digested, Download, Source, TransferEngine } from '../../apps/peer/src/swarm/transfer-engine.ts';
import { LOG_ID, signedGrant, TRACKER } from '../granting-tracker.ts';
import { MutatingRelay, type Mutation } from './mutating-relay.ts';

/** Small pieces, so that frames are a good part of the stream. */
const PIECE_BYTES = 256;
const TOTAL_BYTES = 24 * PIECE_BYTES + 100;
/** How far into each stream a byte is changed; what lies behind the end of one is no trial. */
const STREAM_BYTES = { down: 7_000, up: 1_200 };
const LANES = 4;
const HANG_MS = 60_000;

/** What became of the wrong bytes. */
export interface MutationReport {
  readonly onDisk: number;
  readonly onWire: number;
  /** Trials in which the seeder with the wrong byte was dropped as a liar. */
  readonly named: number;
  /** Trials in which its connection ended for another reason. */
  readonly cutOff: number;
}

interface Peer {
  readonly identity: Identity;
  readonly engine: TransferEngine;
}

/** Runs so many trials, a few at a time. Throws at the first wrong byte, hang or dead worker. */
export async function mutateTransfers(options: {
  readonly scratch: string;
  readonly trials: number;
  readonly random: () => number;
}): Promise<MutationReport> {
  const start = (name: string): Promise<Peer> => startPeer(join(options.scratch, name));
  const [victim, good, downloader] = await Promise.all(['victim', 'good', 'downloader'].map(start));
  if (victim === undefined || good === undefined || downloader === undefined) throw new Error('no peers');
  const path = join(options.scratch, 'film');
  writeFileSync(path, randomFillSync(Buffer.alloc(TOTAL_BYTES)));
  const digested = await good.engine.digest({ path, hash: 'sha1', pieceBytes: PIECE_BYTES });
  const report = { onDisk: 0, onWire: 0, named: 0, cutOff: 0 };
  const lanes = await Promise.all(
    Array.from({ length: LANES }, async (_, number) => {
      const lane = new MutationLane({ victim, good, downloader }, { ...options, number, path, digested });
      await lane.open();
      return lane;
    }),
  );
  try {
    await Promise.all(
      lanes.map(async (lane) => {
        while (report.onDisk + report.onWire < options.trials) await lane.trial(report);
      }),
    );
    for (const { engine } of [victim, good, downloader]) {
      if (engine.metrics().replacedWorkers > 0) throw new Error('a worker died');
    }
    return report;
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await Promise.all([victim, good, downloader].map(({ engine }) => engine.close()));
  }
}

async function startPeer(folder: string): Promise<Peer> {
  mkdirSync(folder);
  const identity = await loadOrCreateIdentity(join(folder, 'identity'));
  const listen = { host: '127.0.0.1', port: 0 };
  const engine = await openTransferEngine({
    identity,
    listen,
    workers: 1,
    plain: true,
    now: Date.now,
    random: Math.random,
  });
  engine.trustTrackers({ logId: LOG_ID, trackers: [TRACKER] });
  return { identity, engine };
}

/** One trial after the other, each a download of a share of its own, through a relay of its own. */
class MutationLane {
  readonly #peers: { readonly victim: Peer; readonly good: Peer; readonly downloader: Peer };
  readonly #share: { readonly groupId: number; readonly shareId: number };
  readonly #random: () => number;
  readonly #path: string;
  readonly #ownPath: string;
  readonly #destination: string;
  readonly #digested: Digested;
  readonly #bytes: Buffer;
  #relay: MutatingRelay | null = null;

  constructor(
    peers: { readonly victim: Peer; readonly good: Peer; readonly downloader: Peer },
    trials: { scratch: string; random: () => number; number: number; path: string; digested: Digested },
  ) {
    this.#peers = peers;
    this.#share = { groupId: 1, shareId: trials.number + 2 };
    this.#random = trials.random;
    this.#path = trials.path;
    this.#ownPath = join(trials.scratch, `film-of-victim-${trials.number}`);
    this.#destination = join(trials.scratch, `fetched-${trials.number}`);
    this.#digested = trials.digested;
    this.#bytes = readFileSync(trials.path);
  }

  async open(): Promise<void> {
    const { victim, good } = this.#peers;
    await good.engine.serve({ share: this.#share, path: this.#path, ...this.#digested });
    this.#relay = await MutatingRelay.start(() => victim.engine.listenAddress);
  }

  async close(): Promise<void> {
    await this.#relay?.stop();
  }

  async trial(report: { onDisk: number; onWire: number; named: number; cutOff: number }): Promise<void> {
    const isOnDisk = this.#random() < 0.5;
    await this.#serveByVictim(isOnDisk);
    const mutation = isOnDisk ? null : this.#drawMutation();
    this.#relay?.arm(mutation);
    const view = await this.#download({ isOnDisk, what: JSON.stringify(mutation ?? 'on disk') });
    const wasThere = isOnDisk || this.#relay?.hasMutated === true;
    if (!wasThere) return;
    if (isOnDisk) report.onDisk++;
    else report.onWire++;
    const victim = view.peers.find(({ user }) => user === 'victim');
    if (victim?.state === 'dropped') report.named++;
    else if (victim?.state !== 'connected') report.cutOff++;
  }

  #drawMutation(): Mutation {
    const direction = this.#random() < 0.8 ? 'down' : 'up';
    const position = Math.floor(this.#random() * STREAM_BYTES[direction]);
    return { direction, position, bits: 1 + Math.floor(this.#random() * 255) };
  }

  /** With a wrong byte on disk that is as old as the file, so that nothing but its digest tells. */
  async #serveByVictim(isWrong: boolean): Promise<void> {
    const { engine } = this.#peers.victim;
    const bytes = Buffer.from(this.#bytes);
    const at = Math.floor(this.#random() * TOTAL_BYTES);
    if (isWrong) bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(this.#random() * 255));
    writeFileSync(this.#ownPath, bytes);
    const { stamp } = await engine.digest({ path: this.#ownPath, hash: 'sha1', pieceBytes: PIECE_BYTES });
    await engine.serve({ share: this.#share, path: this.#ownPath, ...this.#digested, stamp });
  }

  /** Fetches all; from a victim whose disk is wrong first, so that its wrong byte is asked for. */
  async #download({ isOnDisk, what }: { isOnDisk: boolean; what: string }): Promise<DownloadView> {
    const { victim, good, downloader } = this.#peers;
    const port = this.#relay?.port ?? 0;
    const address = isOnDisk ? victim.engine.listenAddress : { host: '127.0.0.1', port };
    const bad: Source = { peerId: victim.identity.id, user: 'victim', addresses: [address] };
    const other: Source = { peerId: good.identity.id, user: 'good', addresses: [good.engine.listenAddress] };
    const download = downloader.engine.download(this.#request(isOnDisk ? [bad] : [bad, other]));
    if (isOnDisk) helpOut(download, [bad, other]);
    const end = await endOf(download, what);
    if (end !== 'complete') throw new Error(`${what}: the download ended as ${end}`);
    if (!readFileSync(this.#destination).equals(this.#bytes))
      throw new Error(`${what}: a wrong byte in a finished file`);
    const view = download.view();
    downloader.engine.withdraw(this.#share);
    rmSync(this.#destination);
    return view;
  }

  #request(sources: readonly Source[]): Parameters<TransferEngine['download']>[0] {
    const { contentId, manifest } = this.#digested;
    const peerId = this.#peers.downloader.identity.id;
    return {
      share: this.#share,
      contentId,
      ...manifestGeometry(manifest),
      destination: this.#destination,
      strategy: 'random',
      overwrite: false,
      sources,
      grant: signedGrant({ ...this.#share, contentId, user: 'downloader', peerId }),
    };
  }
}

/** Lists more sources once the first one is of no use any more. */
function helpOut(download: Download, sources: readonly Source[]): void {
  const isLost = ({ state }: SourceView): boolean =>
    state !== 'connected' && state !== 'connecting' && state !== 'waiting';
  const stop = download.onChange(() => {
    if (!download.view().peers.some(isLost)) return;
    stop();
    download.updateSources(sources);
  });
}

async function endOf(download: Download, what: string): Promise<string> {
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => hang.reject(new Error(`${what}: no end, ${JSON.stringify(download.view())}`)),
    HANG_MS,
  );
  try {
    return (await Promise.race([download.done, hang.promise])).state;
  } finally {
    clearTimeout(timer);
  }
}
