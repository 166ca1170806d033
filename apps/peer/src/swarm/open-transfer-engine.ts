// Owns putting the transfer engine together: worker pool, lanes, hashing and downloads behind the port.
import { createPublicKey } from 'node:crypto';
import type { ConnectionEvent, LaneEvent } from '../data-plane/lane-messages.ts';
import { inSharedMemory, stampsInSharedMemory } from '../data-plane/shared-memory.ts';
import { WorkerPool } from '../data-plane/worker-pool.ts';
import { doMeet } from '../storage/content-layout.ts';
import type { CheckedTree } from '../storage/tree-check.ts';
import { acceptManifest, ContentHashing, stampText, valueOf } from './content-hashing.ts';
import { openCopy } from './copy-reader.ts';
import { LaneFleet } from './lane-fleet.ts';
import { readPiece } from './piece-reads.ts';
import { findRest } from './rest-serving.ts';
import { SharedLimits } from './shared-limits.ts';
import { SwarmDownload } from './swarm-download.ts';
import type { TransferReason } from './download-view.ts';
import {
  type Address,
  type CopyReader,
  type CopyRequest,
  type Digested,
  type DigestRequest,
  type Download,
  type DownloadRequest,
  type EngineLimits,
  type EngineMetrics,
  type GrantTrust,
  type Inspected,
  type PieceRead,
  type ReadableCopy,
  type RestRequest,
  type Revocation,
  type ServeRequest,
  type ShareRef,
  type SourceProblem,
  type TransferEngine,
  type TransferEngineOptions,
  TransferFailure,
  type TreeRequest,
  type Verified,
  type VerifyRequest,
} from './transfer-engine.ts';
import { storageReason } from './download-reasons.ts';

/** Starts worker threads and listens. Throws TransferFailure listen_failed. */
export async function openTransferEngine(options: TransferEngineOptions): Promise<TransferEngine> {
  const pool = new WorkerPool(options.workers);
  const engine = new WorkerTransferEngine(options, pool);
  try {
    await engine.open();
    return engine;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class WorkerTransferEngine implements TransferEngine {
  readonly #options: TransferEngineOptions;
  readonly #pool: WorkerPool;
  readonly #hashing: ContentHashing;
  readonly #downloads = new Map<number, SwarmDownload>();
  /** Downloads that write, by destination. */
  readonly #destinations = new Set<string>();
  readonly #problemListeners = new Set<(problem: SourceProblem) => void>();
  /** Where the copy is, for shares of which a complete one is served; a download of one of them does not take its place. */
  readonly #whole = new Map<string, string>();
  /** The same for shares of which some files are served, that nothing is written to. */
  readonly #rests = new Map<string, string>();
  readonly #limits = new SharedLimits();
  readonly #pieces = { verified: 0, failed: 0 };
  readonly #writeFailures = { disk_full: 0, destination_unwritable: 0 };
  #fleet: LaneFleet | null = null;
  #lastDownload = 0;
  #lastConnection = 0;

  constructor(options: TransferEngineOptions, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
    this.#hashing = new ContentHashing(pool, options.workers);
  }

  async open(): Promise<void> {
    this.#fleet = await LaneFleet.open(this.#pool, this.#options, {
      event: (_lane, event) => this.#laneSaid(event),
      lost: (lane) => {
        for (const download of this.#downloads.values()) download.laneLost(lane);
      },
    });
  }

  get listenAddress(): Address {
    return this.#lanes.address;
  }

  trustTrackers(trust: GrantTrust): void {
    // A key that cannot be read fails here, for the caller, and not in every worker.
    for (const { publicKeyDer } of trust.trackers) {
      createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' });
    }
    this.#lanes.announce({ kind: 'trust', trust });
  }

  digest(request: DigestRequest): Promise<Digested> {
    return this.#hashing.digest(request);
  }

  verify(request: VerifyRequest): Promise<Verified> {
    return this.#hashing.verify(request);
  }

  inspect(request: VerifyRequest): Promise<Inspected> {
    return this.#hashing.inspect(request);
  }

  async checkTree({ path, ...tree }: TreeRequest): Promise<CheckedTree> {
    return valueOf(await this.#pool.run('checkTree', { root: path, ...tree }));
  }

  checkSha1(request: VerifyRequest): Promise<boolean> {
    return this.#hashing.checkSha1(request);
  }

  openCopy(request: CopyRequest): Promise<CopyReader> {
    return openCopy(request, this.#hashing);
  }

  readPiece(read: PieceRead): Promise<boolean> {
    return readPiece(this.#pool, read);
  }

  async serve({ share, contentId, manifestBytes, path, stamp }: ServeRequest): Promise<void> {
    const manifest = acceptManifest(manifestBytes);
    const stamps = await this.#hashing.stampsOf(path, manifest.files);
    if (stampText(stamps) !== stamp)
      throw new TransferFailure('source_changed', `${path} was changed after it was shared`);
    const shared = { stamps: stampsInSharedMemory(stamps), manifestBytes: inSharedMemory(manifestBytes) };
    const content = { share, contentId, roots: [path], verified: null, identity: null, placed: null, ...shared };
    this.#whole.set(shareKey(share), path);
    this.#lanes.announce({ kind: 'serve', content });
    await this.#lanes.settled();
  }

  async serveRest(request: RestRequest): Promise<ReadableCopy> {
    const content = await findRest(request, { pool: this.#pool, hashing: this.#hashing });
    if (request.signal.aborted) throw new TransferFailure('aborted', 'serving was called off');
    if (!this.#whole.has(shareKey(request.share))) {
      this.#rests.set(shareKey(request.share), request.destination);
      this.#lanes.announce({ kind: 'serve', content });
      await this.#lanes.settled();
    }
    const { roots, identity, verified, placed } = content;
    return { roots, identity, verified, placed };
  }

  withdraw(share: ShareRef, fromPath?: string): void {
    const path = this.#whole.get(shareKey(share)) ?? this.#rests.get(shareKey(share));
    if (fromPath !== undefined && path !== undefined && path !== fromPath) return;
    this.#whole.delete(shareKey(share));
    this.#rests.delete(shareKey(share));
    this.#lanes.announce({ kind: 'withdraw', share, code: 'withdrawn' });
    for (const download of this.#downloads.values()) {
      if (shareKey(download.share) === shareKey(share)) download.offer.again();
    }
  }

  revoke(revocation: Revocation): void {
    this.#lanes.announce({ kind: 'revoke', revocation });
  }

  limit(limits: EngineLimits): void {
    this.#lanes.announce({ kind: 'limit', limits: this.#limits.of(limits) });
  }

  onSourceProblem(listener: (problem: SourceProblem) => void): () => void {
    this.#problemListeners.add(listener);
    return () => this.#problemListeners.delete(listener);
  }

  async checkDestination(request: Parameters<TransferEngine['checkDestination']>[0]): Promise<TransferReason | null> {
    if (this.#isTaken(request.destination)) {
      return storageReason({ code: 'destination_unwritable', detail: `${request.destination} is being downloaded` });
    }
    const checked = await this.#pool.run('checkDestination', request);
    if (checked.ok) return null;
    const { code } = checked.problem;
    if (code === 'disk_full' || code === 'destination_unwritable') this.#writeFailures[code]++;
    return storageReason(checked.problem);
  }

  download(request: DownloadRequest): Download {
    const number = ++this.#lastDownload;
    const isTaken = this.#isTaken(request.destination);
    if (!isTaken) this.#destinations.add(request.destination);
    const { share, contentId } = request;
    const serve = { share, contentId };
    const download = new SwarmDownload(request, {
      number,
      fleet: this.#lanes,
      pool: this.#pool,
      hashing: this.#hashing,
      now: this.#options.now,
      random: this.#options.random,
      nextConnection: () => ++this.#lastConnection,
      isRateLimited: () => this.#limits.isDownloadLimited(share.groupId),
      countPiece: (outcome) => this.#pieces[outcome]++,
      countWriteFailure: (code) => this.#writeFailures[code]++,
      servePart: ({ stamps, isAtRest, ...part }) => {
        if (this.#whole.has(shareKey(share))) return;
        const shared = stamps && stampsInSharedMemory(stamps);
        const content = { ...serve, ...part, stamps: shared };
        if (isAtRest) this.#rests.set(shareKey(share), request.destination);
        this.#lanes.announce({ kind: 'serve', content });
      },
      serveWhole: ({ manifestBytes, roots, stamps }) => {
        this.#whole.set(shareKey(share), request.destination);
        const whole = { manifestBytes, roots, stamps, verified: null, identity: null, placed: null };
        this.#lanes.announce({ kind: 'serve', content: { ...serve, ...whole } });
      },
      withdrawPart: () => {
        if (!this.#whole.has(shareKey(share))) this.withdraw(share);
      },
      onEnd: () => {
        this.#downloads.delete(number);
        if (!isTaken) this.#destinations.delete(request.destination);
      },
    });
    this.#downloads.set(number, download);
    if (isTaken) {
      download.storageFailed({
        code: 'destination_unwritable',
        detail: `${request.destination} is being written by another download`,
      });
    }
    return download;
  }

  doMeet(left: string, right: string): boolean {
    return doMeet(left, right);
  }

  async removeData({ destination, isFinished }: Parameters<TransferEngine['removeData']>[0]): Promise<void> {
    valueOf(await this.#pool.run(isFinished ? 'removeDownload' : 'removePart', { destination }));
  }

  async dropRepair(repair: Parameters<TransferEngine['dropRepair']>[0]): Promise<void> {
    valueOf(await this.#pool.run('dropRepair', repair));
  }

  metrics(): EngineMetrics {
    return {
      workers: this.#lanes.metrics(),
      pool: this.#pool.metrics(),
      verifiedPieces: this.#pieces.verified,
      failedPieces: this.#pieces.failed,
      replacedWorkers: this.#lanes.replacedWorkers,
      writeFailures: Object.entries(this.#writeFailures),
      refusals: this.#lanes.refusals(),
    };
  }

  async close(): Promise<void> {
    for (const download of this.#downloads.values()) download.close();
    this.#hashing.close();
    await this.#lanes.close();
    await this.#pool.close();
  }

  #isTaken(destination: string): boolean {
    return [...this.#destinations].some((taken) => doMeet(taken, destination));
  }

  get #lanes(): LaneFleet {
    if (this.#fleet === null) throw new TransferFailure('closed', 'the transfer engine is not open');
    return this.#fleet;
  }

  #laneSaid(event: LaneEvent): void {
    if (event.kind === 'sourceProblem') {
      const { share, roots, problem } = event;
      const path = this.#whole.get(shareKey(share)) ?? this.#rests.get(shareKey(share));
      // Every worker that serves it may notice; the first one is enough. Another copy may be served meanwhile.
      if (path === undefined || !roots.includes(path)) return;
      const code = problem.code === 'source_changed' ? 'source_changed' : 'source_missing';
      this.withdraw(share);
      for (const listener of this.#problemListeners) listener({ share, path, code, detail: problem.detail });
    } else if (event.kind === 'storageFailed') {
      this.#downloads.get(event.download)?.storageFailed(event.problem);
    } else if (event.kind === 'delivered') {
      for (const verified of event.verified) this.#connectionSaid(verified);
    } else if ('connection' in event) {
      this.#connectionSaid(event);
    }
  }

  #connectionSaid(event: ConnectionEvent): void {
    for (const download of this.#downloads.values()) {
      if (download.ownsConnection(event.connection)) return download.connectionEvent(event);
    }
  }
}

function shareKey({ groupId, shareId }: ShareRef): string {
  return `${groupId}/${shareId}`;
}
