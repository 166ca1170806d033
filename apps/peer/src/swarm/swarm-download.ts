// Owns one download from the request to the finished file: its states, its place on disk, its connections. Pieces are the
// business of DownloadRun. Every wait ends by itself when what it waits for is there.
import { bitfieldBytes, hasBit } from '#domain/bitfield';
import { soundBytes } from '#domain/content-damage';
import type { Manifest } from '#domain/manifest';
import { geometryOf } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';
import type { ConnectionEvent } from '../data-plane/lane-messages.ts';
import { inSharedMemory, stampsIn } from '../data-plane/shared-memory.ts';
import type { StorageProblem } from '../storage/storage-problem.ts';
import { acceptContent, contentIdOf, stampText } from './content-hashing.ts';
import type { DownloadContext } from './download-context.ts';
import { DownloadOffer } from './download-offer.ts';
import { type DownloadPlace, placeOf } from './download-place.ts';
import { DownloadRun } from './download-run.ts';
import { DownloadWants } from './download-wants.ts';
import { ManifestQuestions } from './manifest-questions.ts';
import { PartSyncing } from './part-syncing.ts';
import { RateMeter } from './rate-meter.ts';
import { SourceDialling } from './source-dialling.ts';
import { type Connection, type SourceEntry, SourceTable } from './source-table.ts';
import { Ticker } from './ticker.ts';
import type { DownloadEnd, DownloadState, DownloadView, TransferReason } from './download-view.ts';
import type { Download, DownloadRequest, ReadableCopy, Source } from './transfer-engine.ts';
import { TransferFailure } from './transfer-engine.ts';
import { manifestReason, standstillReason, storageReason } from './download-reasons.ts';

const TICK_MS = 200;

/** Exists from the moment the manifest is known and the part is on disk. */
interface OpenPart {
  readonly manifest: Manifest;
  readonly copy: ReadableCopy;
  readonly manifestBytes: Uint8Array;
  readonly ledger: PieceLedger;
  readonly run: DownloadRun;
}

export class SwarmDownload implements Download {
  readonly share: DownloadRequest['share'];
  readonly offer: DownloadOffer;
  readonly done: Promise<DownloadEnd>;
  readonly #request: DownloadRequest;
  readonly #context: DownloadContext;
  readonly #place: DownloadPlace;
  readonly #sources: SourceTable;
  readonly #dialling: SourceDialling;
  readonly #wants: DownloadWants;
  readonly #syncing: PartSyncing;
  /** Shared with the lanes: the verified pieces; a count of the bytes that came, and of the open connections. */
  readonly #verified: Uint8Array;
  readonly #counts = new BigInt64Array(new SharedArrayBuffer(16));
  readonly #rate: RateMeter;
  readonly #listeners = new Set<() => void>();
  #settle: (end: DownloadEnd) => void = () => {};
  #grant: Uint8Array;
  #state: DownloadState = 'downloading';
  #reason: TransferReason | null = null;
  #manifestBytes: Uint8Array | null = null;
  #part: OpenPart | null = null;
  /** Asked for the manifest, or making the part of it. */
  #isOpening = true;
  /** The part is whole and being put in place. */
  #isFinishing = false;
  /** Aborted when it is over: what is still being checked then is of no use. */
  readonly #ended = new AbortController();
  /** What is being done on disk by the pool. */
  #diskStep: Promise<void> = Promise.resolve();
  readonly #manifestQuestions = new ManifestQuestions();
  readonly #ticker = new Ticker(TICK_MS, () => this.#tick());
  #reusedBytes = 0;

  constructor(request: DownloadRequest, context: DownloadContext) {
    this.share = request.share;
    this.#request = request;
    this.#context = context;
    this.#place = placeOf(request, { ...context, workers: context.fleet.laneCount });
    this.#grant = request.grant;
    this.#sources = new SourceTable({
      pieceCount: request.pieceCount,
      workers: context.fleet.laneCount,
      random: context.random,
    });
    this.#dialling = new SourceDialling(request, this.#sources, context);
    this.#wants = new DownloadWants(request);
    // What may be taken of another group's copies makes it private until it is known that nothing was.
    const { isPrivate = false, reuse } = request;
    this.offer = new DownloadOffer(context, isPrivate || (reuse?.elsewhere.length ?? 0) > 0);
    this.#syncing = new PartSyncing(context.pool, request.destination);
    this.#verified = new Uint8Array(new SharedArrayBuffer(bitfieldBytes(request.pieceCount)));
    this.#rate = new RateMeter(context.now);
    this.done = new Promise((resolve) => (this.#settle = resolve));
    this.#sources.update(request.sources);
    this.#ticker.start();
    void this.#start();
  }

  view(): DownloadView {
    const { totalBytes: wantedBytes } = this.#wants;
    const { ledger } = this.#part ?? {};
    const verifiedBytes = ledger === undefined ? 0 : this.#wants.verifiedBytes(ledger, this.#verified);
    const isMoving = this.#state === 'downloading';
    const bytesPerSecond = isMoving ? this.#rate.bytesPerSecond : 0;
    const leftBytes = ledger?.leftBytes ?? wantedBytes;
    return {
      state: this.#state,
      reason: this.#reason,
      wantedBytes,
      isOpen: ledger !== undefined,
      verifiedBytes,
      reusedBytes: this.#reusedBytes,
      isPrivate: this.offer.isPrivate,
      bytesPerSecond,
      etaSeconds: bytesPerSecond > 0 ? Math.ceil(leftBytes / bytesPerSecond) : null,
      bitfield: Uint8Array.from(this.#verified),
      peers: this.#sources.views(),
    };
  }

  manifestBytes(): Uint8Array | null {
    return this.#manifestBytes;
  }

  readable(): ReadableCopy | null {
    return this.#part?.copy ?? null;
  }

  updateSources(sources: readonly Source[]): void {
    this.#sources.update(sources);
    this.#advance();
  }

  updateGrant(grant: Uint8Array): void {
    this.#grant = grant;
    for (const { id, lane, isOpen } of this.#sources.connections()) {
      if (isOpen) this.#context.fleet.say(lane, { kind: 'grant', connection: id, grant });
    }
    this.#sources.dialNow();
    this.#advance();
  }

  prioritize(priorities: Uint8Array): void {
    if (this.#part === null) throw new Error('it is not known yet what there is to prioritize');
    this.#wants.prioritize(priorities);
    this.#part.run.prioritized();
    this.#advance();
    this.#notify();
  }

  hurry(pieces: readonly number[], arrived?: () => void): void {
    const changed = this.#wants.hurry(pieces, arrived);
    this.#part?.run.hurried(changed);
  }

  readAlso(files: readonly number[]): void {
    this.#wants.readAlso(files);
    this.#part?.run.prioritized();
    this.#advance();
    this.#notify();
  }

  pause(): void {
    if (!this.#isActive) return;
    this.#become('paused', null);
    this.#hangUpAll();
    this.#ticker.stop();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#become('downloading', null);
    this.#sources.tryAgain();
    this.#ticker.start();
    this.#advance();
  }

  async cancel(): Promise<void> {
    // What is whole is put in place, whatever anybody wants meanwhile.
    if (!this.#isEnded && !this.#isFinishing) this.#end('cancelled', null, null);
    await this.#diskStep;
    await this.#context.fleet.settled();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The engine closes: connections go, the part stays. */
  close(): void {
    this.#ticker.stop();
    this.#part?.run.stop();
  }

  ownsConnection(id: number): boolean {
    return this.#sources.connection(id) !== undefined;
  }

  connectionEvent(event: ConnectionEvent): void {
    const connection = this.#sources.connection(event.connection);
    if (connection === undefined) return;
    switch (event.kind) {
      case 'connected':
        this.#connected(connection, event);
        break;
      case 'have':
        this.#sources.gained(connection.entry, event.pieces);
        this.#part?.run.refillSoon();
        break;
      case 'manifest':
        void this.#manifestCame(connection, event.bytes);
        break;
      case 'closed':
        this.#closed(connection, event.code);
        break;
      default:
        this.#part?.run.pieceEvent(connection, event);
    }
    // What more is due after so many pieces comes with the next tick.
    if (event.kind === 'verified' && this.#part?.ledger.isComplete !== true) return;
    this.#advance();
    if (event.kind === 'connected' || event.kind === 'closed') this.#notify();
  }

  storageFailed(problem: StorageProblem): void {
    this.#fail(storageReason(problem));
  }

  /** The worker of a lane died: its connections are gone. */
  laneLost(lane: number): void {
    for (const connection of this.#sources.connections()) {
      if (connection.lane === lane) this.#closed(connection, 'lost');
    }
    this.#sources.dialNow();
    this.#advance();
  }

  get #isActive(): boolean {
    return this.#state === 'downloading' || this.#state === 'stalled';
  }

  get #isEnded(): boolean {
    return this.#state === 'complete' || this.#state === 'failed' || this.#state === 'cancelled';
  }

  /** Looks at the disk first; dialling goes on meanwhile. */
  async #start(): Promise<void> {
    this.#advance();
    await this.#guard(async () => {
      const earlier = await this.#place.look();
      const known = earlier?.manifestBytes ?? this.#knownManifest;
      const manifest = known === null ? null : this.#acceptManifest(known);
      if (known !== null && manifest !== null) await this.#openPart(manifest, known, earlier?.listed ?? null);
      this.#isOpening = false;
      this.#advance();
    });
  }

  /** The manifest, if these bytes are the content's. When nobody could have that content, that is the end. */
  #acceptManifest(bytes: Uint8Array): Manifest | null {
    if (contentIdOf(bytes) !== this.#request.contentId) return null;
    const accepted = acceptContent(bytes, this.#request);
    if (typeof accepted !== 'string') return accepted;
    this.#fail(manifestReason(accepted));
    return null;
  }

  async #manifestCame(connection: Connection, bytes: Uint8Array): Promise<void> {
    if (this.#part !== null || this.#isOpening || this.#isEnded) return;
    const manifest = this.#acceptManifest(bytes);
    if (this.#isEnded) return;
    if (manifest === null) {
      connection.entry.isDropped = true;
      this.#hangUp(connection.entry);
      this.#manifestQuestions.wasWrong();
      return;
    }
    this.#isOpening = true;
    await this.#guard(async () => {
      await this.#openPart(manifest, bytes, null);
      this.#isOpening = false;
      this.#advance();
    });
  }

  /** Makes the part on disk, or takes the one that is there, and lets the lanes write and serve it. */
  async #openPart(manifest: Manifest, bytes: Uint8Array, listed: Uint8Array | null): Promise<void> {
    if (this.#isEnded) return;
    const { destination, contentId, strategy } = this.#request;
    this.#wants.begin(manifest);
    const { fleet, number, now, random } = this.#context;
    const { writtenRoots, servedRoots, servedPieces } = this.#place;
    const manifestBytes = inSharedMemory(bytes);
    const part = { manifest, manifestBytes, listed, wanted: this.#wants.pieces() };
    const opened = await this.#place.open(part, this.#ended.signal);
    const { sound, reused, writtenIdentity, servedIdentity, servedStamps, placed } = opened;
    this.#wants.leave(opened.left);
    this.#verified.set(sound);
    this.#reusedBytes = soundBytes(manifest, reused);
    this.offer.isPrivate = (this.#request.isPrivate ?? false) || opened.isElsewheres;
    if (this.#isEnded) return;
    const ledger = new PieceLedger(geometryOf(manifest), (piece) => hasBit(this.#verified, piece));
    const run = new DownloadRun({
      ledger,
      priorities: this.#wants.priorities,
      sources: this.#sources,
      strategy,
      random,
      now,
      later: (waitMs, act) => void setTimeout(act, waitMs),
      say: (lane, command) => fleet.say(lane, command),
      isRateLimited: this.#context.isRateLimited,
      onVerified: (piece) => {
        this.#wants.verified(piece);
        this.#context.countPiece('verified');
        void this.#syncing.wrote(manifest.pieceBytes, this.#place.filesOf(manifest));
      },
      onCorrupt: (connection) => this.#corrupt(connection.entry),
    });
    const shared = { manifestBytes, verified: this.#verified };
    const written = { destination, roots: writtenRoots, identity: writtenIdentity, placed, counts: this.#counts };
    fleet.announce({ kind: 'openDownload', content: { download: number, contentId, ...written, ...shared } });
    const served = { roots: servedRoots, identity: servedIdentity, stamps: servedStamps, placed, isAtRest: false };
    this.offer.part({ manifestBytes, ...served, verified: servedPieces ?? this.#verified });
    this.#manifestBytes = Uint8Array.from(bytes);
    const copy = { roots: writtenRoots, identity: writtenIdentity, verified: this.#verified, placed };
    this.#part = { manifest, copy, manifestBytes, ledger, run };
    // What an earlier part held counts from now on.
    this.#notify();
    run.refillSoon();
  }

  #connected(connection: Connection, event: Extract<ConnectionEvent, { kind: 'connected' }>): void {
    if (event.pieceCount !== this.#request.pieceCount) {
      connection.entry.isDropped = true;
      return this.#hangUp(connection.entry);
    }
    if (this.#sources.isCrowded(connection, { lane: event.remoteLane, laneCount: event.remoteLaneCount })) {
      return this.#context.fleet.say(connection.lane, { kind: 'hangUp', connection: connection.id });
    }
    this.#sources.opened(connection, event.address, { lane: event.remoteLane, bitfield: event.bitfield });
    this.#part?.run.refillSoon();
  }

  #closed(connection: Connection, code: Extract<ConnectionEvent, { kind: 'closed' }>['code']): void {
    this.#manifestQuestions.closed(connection);
    this.#sources.closed(connection, code, this.#context.now());
    this.#part?.run.connectionLost(connection);
  }

  #corrupt(entry: SourceEntry): void {
    entry.corruptPieces++;
    entry.isDropped = true;
    this.#context.countPiece('failed');
    this.#hangUp(entry);
  }

  get #knownManifest(): Uint8Array | null {
    return this.#request.reuse?.manifestBytes ?? null;
  }

  /** One step of everything that may be due: dial, ask for the manifest, finish, and say where it stands. */
  #advance(): void {
    if (!this.#isActive) return;
    Atomics.store(this.#counts, 1, BigInt(this.#sources.openConnections().length));
    if (this.#part !== null && this.#wants.hasAll(this.#part.ledger) && !this.#isOpening) return void this.#finish();
    // What is on this disk already may be all of it: then nobody is asked for anything.
    if (!this.#isOpening || this.#knownManifest === null) this.#dialling.dialDue(this.#grant);
    for (const connection of this.#sources.surplus()) this.#part?.run.retire(connection);
    if (this.#part === null) this.#askManifest();
    this.#judge();
  }

  #askManifest(): void {
    if (this.#isOpening) return;
    const connection = this.#manifestQuestions.next(this.#sources.openConnections(), this.#context.now());
    if (connection === undefined) return;
    this.#context.fleet.say(connection.lane, { kind: 'fetchManifest', connection: connection.id });
  }

  /** Sets state and reason by what is connected and what it has. */
  #judge(): void {
    const { ledger, run } = this.#part ?? {};
    const missing = ledger === undefined || run?.isFetching === true ? null : ledger.missingPieces();
    const reason = standstillReason(this.#sources, { missing, isOpening: this.#isOpening });
    this.#become(reason === null ? 'downloading' : 'stalled', reason);
  }

  /** Everything that is wanted is verified: syncs it and puts it in place. */
  async #finish(): Promise<void> {
    const part = this.#part;
    if (part === null || this.#isOpening) return;
    this.#isOpening = true;
    this.#isFinishing = true;
    this.#ticker.stop();
    part.run.stop();
    this.#hangUpAll();
    const { manifest, manifestBytes, ledger } = part;
    await this.#guard(async () => {
      if (!ledger.isWhole || this.#wants.leavesSome) return this.#rest(part);
      if (this.#place.servedPieces !== null) await this.#stopServing();
      const stamps = await this.#place.finish(manifest);
      const roots = [this.#request.destination];
      this.offer.whole({ manifestBytes, roots, stamps });
      if (!this.#isEnded) this.#end('complete', null, stampText(stampsIn(stamps)));
    });
  }

  /** Puts the files that are wanted in place, and offers what there is. */
  async #rest(part: OpenPart): Promise<void> {
    const { manifest, manifestBytes } = part;
    // What comes to be wanted from now on may not be whole.
    const { positions } = this.#wants;
    await this.#stopServing();
    const { servedIdentity, servedStamps, placed } = await this.#place.rest(manifest, positions);
    const served = { roots: this.#place.servedRoots, identity: servedIdentity, stamps: servedStamps, placed };
    if (this.#isEnded) return;
    this.#part = { ...part, copy: { ...part.copy, placed } };
    this.offer.part({ manifestBytes, ...served, verified: this.#verified, isAtRest: true });
    this.#end('complete', null, null);
  }

  /** What is served by its stamps is about to get others. */
  async #stopServing(): Promise<void> {
    this.offer.withdraw();
    await this.#context.fleet.settled();
  }

  /** Runs a step on disk; a problem ends this download and nothing else. */
  #guard(step: () => Promise<void>): Promise<void> {
    this.#diskStep = this.#guarded(step);
    return this.#diskStep;
  }

  async #guarded(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (this.#isEnded) return;
      if (!(error instanceof TransferFailure)) {
        return this.#fail(storageReason({ code: 'destination_unwritable', detail: (error as Error).message }));
      }
      this.#fail(storageReason({ code: error.code as StorageProblem['code'], detail: error.message }));
    }
  }

  #fail(reason: TransferReason): void {
    if (this.#isEnded) return;
    const { code } = reason;
    if (code === 'disk_full' || code === 'destination_unwritable') this.#context.countWriteFailure(code);
    this.#end('failed', reason, null);
  }

  #end(state: DownloadEnd['state'], reason: TransferReason | null, stamp: string | null): void {
    this.#ended.abort();
    this.#ticker.stop();
    this.#part?.run.stop();
    this.#hangUpAll();
    if (state !== 'complete') this.offer.withdraw();
    this.#context.fleet.announce({ kind: 'closeDownload', download: this.#context.number });
    this.#become(state, reason);
    this.#context.onEnd();
    this.#settle({ state, reason, stamp });
  }

  #hangUpAll(): void {
    for (const entry of this.#sources.entries()) this.#hangUp(entry);
  }

  #hangUp(entry: SourceEntry): void {
    for (const { id, lane } of entry.connections.values()) {
      this.#context.fleet.say(lane, { kind: 'hangUp', connection: id });
    }
  }

  #become(state: DownloadState, reason: TransferReason | null): void {
    if (this.#state === state && this.#reason?.code === reason?.code && this.#reason?.detail === reason?.detail) return;
    this.#state = state;
    this.#reason = reason;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  #tick(): void {
    if (this.#rate.sample(Number(Atomics.load(this.#counts, 0)))) this.#notify();
    this.#advance();
    this.#part?.run.refillSoon();
  }
}
