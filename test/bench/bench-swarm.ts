// Owns one measured transfer: peers in processes of their own, a share that the seeders serve, and downloads that all begin at
// once. The tracker is only a key that signs grants.
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { manifestGeometry } from '#domain/manifest';
import type { SourceView } from '../../apps/peer/src/swarm/download-view.ts';
import type {
  Address,
  Digested,
  DownloadRequest,
  EngineLimits,
  ShareRef,
  Source,
} from '../../apps/peer/src/swarm/transfer-engine.ts';
import { LOG_ID, signedGrant, TRACKER } from '../granting-tracker.ts';
import type { Downloaded, PeerCall, Usage } from './bench-peer.ts';
import type { Fault } from './faulty-serving.ts';
import { touchMemory } from './touched-memory.ts';

const GROUP_ID = 1;

/** Who takes part, and how. */
export interface SwarmOptions {
  readonly scratch: string;
  /** The file that all seeders serve. */
  readonly source: string;
  readonly digested: Digested;
  readonly seeders: number;
  readonly downloaders: number;
  /** Downloads that each downloader begins at once, each of a share of its own with the same content. */
  readonly downloads: number;
  readonly workers: number;
  readonly plain: boolean;
  /** Given to every peer one after the other before it starts. */
  readonly limits?: readonly EngineLimits[];
  /** More seeders, one for each of these faults. */
  readonly faults?: readonly Fault[];
  /** Whether all peers have their guards or do without them, loaded alike; as they are when left out. */
  readonly guards?: 'in' | 'out';
}

/** What it took until the last downloader had everything. */
export interface Measurement {
  readonly seconds: number;
  /** Of all processes together. */
  readonly cpuSeconds: number;
  /** Part of the processors' time that the peers used. */
  readonly cpuPart: number;
  /** Most memory that one of the peers had resident. */
  readonly peakBytes: number;
  /** What the source that delivered most delivered, as a ratio to the mean; the largest of all downloads. */
  readonly largestShare: number;
  readonly firstPieceMs: number | null;
  /** What each downloader says of its sources; `user` is the fault of a faulty one. */
  readonly sources: readonly (readonly SourceView[])[];
}

/** How a peer is not as it should be. */
interface BenchPeerOptions {
  readonly fault?: Fault | null;
  readonly guards?: SwarmOptions['guards'];
}

/** A peer process that is asked over IPC. */
export class BenchPeer {
  readonly folder: string;
  readonly #fault: Fault | null;
  peerId = '';
  address: Address = { host: '', port: 0 };
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastCall = 0;

  constructor(folder: string, { fault = null, guards }: BenchPeerOptions = {}) {
    this.folder = folder;
    this.#fault = fault;
    mkdirSync(folder);
    const ahead = [...(fault === null ? [] : ['./faulty-serving.ts']), ...(guards ? ['./unguarded-peer.ts'] : [])];
    this.#process = fork(new URL('./bench-peer.ts', import.meta.url), {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...ahead.flatMap((file) => ['--import', new URL(file, import.meta.url).href])],
      env: {
        ...process.env,
        ...(fault !== null && { COHORT_BENCH_FAULT: fault }),
        ...(guards && { COHORT_BENCH_GUARDS: guards }),
      },
    });
    this.#process.on('message', ({ number, value, error }: { number: number; value: unknown; error?: string }) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
  }

  async open({ workers, plain }: { readonly workers: number; readonly plain: boolean }): Promise<void> {
    const trust = { logId: LOG_ID, trackers: [TRACKER] };
    const opened = await this.ask<Pick<BenchPeer, 'peerId' | 'address'>>({
      kind: 'open',
      folder: this.folder,
      workers,
      plain,
      trust,
    });
    this.peerId = opened.peerId;
    this.address = opened.address;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get source(): Source {
    return { peerId: this.peerId, user: this.#fault ?? 'bench', addresses: [this.address] };
  }

  ask<Value>(call: PeerCall): Promise<Value> {
    const number = ++this.#lastCall;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#process.send({ number, call });
    }) as Promise<Value>;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}

/** Digests a file the way a peer does that shares it; seconds of it as well. */
export async function digestOf(
  path: string,
  options: { readonly scratch: string; readonly workers: number; readonly pieceBytes: number | null },
): Promise<{ digested: Digested; seconds: number }> {
  const folder = mkdtempSync(join(options.scratch, 'share-'));
  const peer = new BenchPeer(join(folder, 'peer'));
  try {
    await peer.open({ workers: options.workers, plain: false });
    const startMs = performance.now();
    const { pieceBytes } = options;
    const digested = await peer.ask<Digested>({ kind: 'digest', path, ...(pieceBytes !== null && { pieceBytes }) });
    return { digested, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await peer.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Starts everybody, measures from the first download's begin to the last one's end, and checks every copy. */
export async function measureSwarm(options: SwarmOptions): Promise<Measurement> {
  const folder = mkdtempSync(join(options.scratch, 'swarm-'));
  const { guards } = options;
  const start = (role: string, count: number): BenchPeer[] =>
    Array.from({ length: count }, (_, number) => new BenchPeer(join(folder, `${role}-${number}`), { guards }));
  const faulty = (options.faults ?? []).map((fault) => new BenchPeer(join(folder, fault), { fault }));
  const seeders = [...start('seeder', options.seeders), ...faulty];
  const downloaders = start('downloader', options.downloaders);
  const everybody = [...seeders, ...downloaders];
  try {
    await Promise.all(everybody.map((peer) => peer.open(options)));
    for (const limits of options.limits ?? []) {
      await Promise.all(everybody.map((peer) => peer.ask({ kind: 'limit', limits })));
    }
    await Promise.all(seeders.map((seeder) => serveAll(seeder, options)));
    touchMemory(
      folder,
      manifestGeometry(options.digested.manifest).totalBytes * options.downloads * options.downloaders,
    );
    const before = await usages(everybody);
    const startMs = performance.now();
    const downloads = await Promise.all(
      downloaders.flatMap((downloader) => downloadAll(downloader, everybody, options)),
    );
    const seconds = (performance.now() - startMs) / 1000;
    const after = await usages(everybody);
    for (const downloader of downloaders) await checkCopies(downloader, options);
    const cpuSeconds = sum(after, (usage) => usage.cpuSeconds) - sum(before, (usage) => usage.cpuSeconds);
    return {
      seconds,
      cpuSeconds,
      cpuPart: cpuSeconds / seconds / cpus().length,
      peakBytes: Math.max(...after.map((usage) => usage.peakBytes)),
      largestShare: Math.max(...downloads.map(({ peers }) => largestShare(peers.map((peer) => peer.deliveredBytes)))),
      firstPieceMs: downloads[0]?.firstPieceMs ?? null,
      sources: downloads.map(({ peers }) => peers),
    };
  } finally {
    await Promise.all(everybody.map((peer) => peer.stop()));
    rmSync(folder, { recursive: true });
  }
}

function shareIds({ downloads }: SwarmOptions): number[] {
  return Array.from({ length: downloads }, (_, number) => number + 2);
}

async function serveAll(seeder: BenchPeer, options: SwarmOptions): Promise<void> {
  for (const shareId of shareIds(options)) {
    const request = { share: { groupId: GROUP_ID, shareId }, path: options.source, ...options.digested };
    await seeder.ask({ kind: 'serve', request });
  }
}

/** Every other peer is a source: the seeders, and the downloaders with what they have by then. */
function downloadAll(
  downloader: BenchPeer,
  everybody: readonly BenchPeer[],
  options: SwarmOptions,
): Promise<Downloaded>[] {
  const sources = everybody.filter((peer) => peer !== downloader).map(({ source }) => source);
  return shareIds(options).map(async (shareId) => {
    const request = requestFor(downloader, {
      share: { groupId: GROUP_ID, shareId },
      sources,
      digested: options.digested,
    });
    const downloaded = await downloader.ask<Downloaded>({ kind: 'download', request });
    if (downloaded.state === 'complete') return downloaded;
    throw new Error(`a download ended as ${JSON.stringify(downloaded)}`);
  });
}

/** What a peer asks for that downloads a share, with a grant for it. */
export function requestFor(
  { peerId, folder }: BenchPeer,
  { share, sources, digested }: { share: ShareRef; sources: readonly Source[]; digested: Digested },
): DownloadRequest {
  const { contentId, manifest } = digested;
  return {
    share,
    contentId,
    ...manifestGeometry(manifest),
    destination: join(folder, `copy-${share.shareId}`),
    strategy: 'random',
    overwrite: false,
    sources,
    grant: signedGrant({ ...share, contentId, user: 'bench', peerId }),
  };
}

async function checkCopies({ folder }: BenchPeer, options: SwarmOptions): Promise<void> {
  for (const shareId of shareIds(options)) {
    const hash = createHash('sha1');
    await pipeline(createReadStream(join(folder, `copy-${shareId}`), { highWaterMark: 1024 * 1024 }), hash);
    if (hash.digest('hex') !== options.digested.manifest.files[0]?.sha1) {
      throw new Error('a copy differs from the source');
    }
  }
}

function largestShare(deliveredBytes: readonly number[]): number {
  return (Math.max(...deliveredBytes) * deliveredBytes.length) / sum(deliveredBytes, (bytes) => bytes);
}

function usages(peers: readonly BenchPeer[]): Promise<Usage[]> {
  return Promise.all(peers.map((peer) => peer.ask<Usage>({ kind: 'usage' })));
}

function sum<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}
