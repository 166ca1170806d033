// Owns one connection that this worker dialled to fetch pieces. It holds a reserve of assigned pieces and keeps a window of
// requests on the wire by itself, so it goes on while the main thread is busy. Answers come in the order of the requests;
// anything else ends the connection. Every assigned piece ends in exactly one event, or goes back with `closed`.
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { countBits, isBitfieldFor } from '#domain/bitfield';
import { closeGently } from '#identity/close-gently';
import {
  MANIFEST_BYTES_MAX,
  MANIFEST_PART_BYTES_MAX,
  PEER_HANDSHAKE_TIMEOUT_MS,
  PEER_KEEP_ALIVE_MS,
  PEER_REQUESTS_MAX,
  PEER_STALL_TIMEOUT_MS,
} from '#wire/limits';
import {
  type BlockPlace,
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameSink,
  type HelloFrame,
  TAKEN_FRAMES,
} from '#wire/transfer-frame';
import { StorageFailure } from '../storage/storage-problem.ts';
import { dialSocket } from './dial-socket.ts';
import type { DownloadStore } from './download-store.ts';
import type { LaneCounters } from './lane-counters.ts';
import type { DialRequest, HangUpCode, LaneAddress, LaneEvent } from './lane-messages.ts';
import type { LaneNews } from './lane-news.ts';
import { claimedPeerId, isProved, type LocalPeer, newHello, signProof } from './peer-handshake.ts';
import { PieceFetch } from './piece-fetch.ts';
import { PieceReserve } from './piece-reserve.ts';
import { BudgetTurns, type RateBudget } from './rate-budget.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { RequestWindow } from './request-window.ts';

/** What a session needs of its worker. */
export interface FetchContext {
  readonly local: LocalPeer;
  readonly secureContext: SecureContext | null;
  readonly dialsLoopback: boolean;
  readonly counters: LaneCounters;
  readonly news: LaneNews;
  readonly storeOf: (download: number) => DownloadStore | undefined;
  readonly budgetOf: (groupId: number) => RateBudget | null;
  readonly onClosed: (connection: number) => void;
}

interface BlockRequest {
  readonly fetch: PieceFetch;
  readonly begin: number;
  readonly length: number;
  /** Something else is wanted first: it is asked for again when it is rejected, and good when it comes all the same. */
  isAskedBack: boolean;
  /** A block before it was rejected: what comes of it is passed over. */
  isVoid: boolean;
}

export class FetchSession implements FrameSink {
  readonly #request: DialRequest;
  readonly #context: FetchContext;
  readonly #decoder = new FrameDecoder(TAKEN_FRAMES.byDialler.greeting);
  readonly #hello: HelloFrame;
  readonly #received: ReceiveBuffer;
  readonly #turns: BudgetTurns;
  readonly #window = new RequestWindow(() => this.#sharers);
  #theirHello: HelloFrame | null = null;
  #socket: Socket | null = null;
  #address: LaneAddress;
  #grant: Uint8Array;
  #state: 'dialling' | 'greeting' | 'open' | 'closed' = 'dialling';
  #provedPlain = false;
  #greetingMs = 0;
  #hasAskedManifest = false;
  /** Each piece is told of once, so a source cannot keep the main thread busy with what it has. */
  #untoldPieces = 0;
  #manifest: Buffer | null = null;
  #manifestBytes = 0;
  readonly #reserve = new PieceReserve();
  #requests: BlockRequest[] = [];
  /** Every piece that this connection answers for. */
  readonly #fetches = new Map<number, PieceFetch>();
  #outstandingBytes = 0;
  #lastHeardMs = performance.now();
  #lastSaidMs = performance.now();

  constructor(request: DialRequest, context: FetchContext) {
    this.#request = request;
    this.#context = context;
    this.#hello = newHello(context.local);
    this.#grant = request.grant;
    this.#address = request.addresses[0] ?? { host: '', port: 0 };
    this.#received = new ReceiveBuffer(context.local.plain, (run) => this.#acceptRun(run));
    this.#turns = new BudgetTurns({
      budgetNow: () => context.budgetOf(request.groupId),
      sharers: () => this.#sharers,
      onTurn: () => this.#pump(),
    });
    this.#dial(0);
  }

  assign(pieces: readonly number[], hedge: boolean): void {
    const store = this.#context.storeOf(this.#request.download);
    if (store === undefined || this.#state === 'closed') return;
    const fetches = pieces.map((piece) => new PieceFetch(store, piece, hedge));
    for (const fetch of fetches) this.#fetches.set(fetch.piece, fetch);
    this.#reserve.add(fetches);
    this.#makeWay();
    this.#pump();
  }

  /** Takes these first, in this order, of what is in the reserve now or comes into it. Replaces what it was told before. */
  hurry(pieces: readonly number[]): void {
    this.#reserve.hurry(pieces);
    if (pieces.length > 0) this.#window.hurry();
    this.#makeWay();
    this.#pump();
  }

  /** Gives back those of the pieces of which nothing was asked yet. */
  recall(pieces: readonly number[]): void {
    this.#giveBack('recalled', ({ piece, requestedBytes }) => requestedBytes === 0 && pieces.includes(piece));
  }

  /** Drops the pieces wherever they are; none of their bytes is written afterwards. */
  cancel(pieces: readonly number[]): void {
    this.#giveBack('cancelled', ({ piece }) => pieces.includes(piece));
  }

  /** This connection writes the piece from now on. */
  promote(piece: number): void {
    const fetch = this.#fetches.get(piece);
    if (fetch === undefined) return;
    fetch.mayWrite = true;
    if (fetch.isWhole) this.#guardStorage(() => this.#settle(fetch));
  }

  renewGrant(grant: Uint8Array): void {
    this.#grant = grant;
    if (this.#state === 'open') this.#send({ kind: 'grant', grant });
  }

  fetchManifest(): void {
    this.#willAsk();
    this.#hasAskedManifest = true;
    this.#send({ kind: 'askManifest', begin: 0, length: MANIFEST_PART_BYTES_MAX });
  }

  limitsChanged(): void {
    this.#turns.renew();
  }

  hangUp(): void {
    if (this.#state === 'open') this.#send({ kind: 'refuse', code: 'closing' });
    this.#close('hung_up', '');
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    // What trickles in is counted and written as it comes, not when there is enough of it for one run.
    this.#guardStorage(() => this.#received.flush());
    const silentMs = nowMs - this.#lastHeardMs;
    // Counted from its beginning: who drips bytes would never be silent.
    if (this.#state === 'greeting' && nowMs - this.#greetingMs > PEER_HANDSHAKE_TIMEOUT_MS) {
      this.#close('unreachable', 'no answer to the greeting');
    } else if (this.#isOwed && silentMs > PEER_STALL_TIMEOUT_MS) {
      this.#close('stalled', `nothing came for ${PEER_STALL_TIMEOUT_MS / 1000} seconds`);
    } else if (this.#state === 'open' && nowMs - this.#lastSaidMs > PEER_KEEP_ALIVE_MS) {
      this.#send({ kind: 'keepAlive' });
    }
  }

  frame(frame: Frame): void {
    if (this.#state === 'closed') return;
    if (frame.kind === 'refuse') return this.#close(frame.code, 'said by the other side');
    if (this.#state === 'greeting') return this.#greet(frame);
    switch (frame.kind) {
      case 'have':
        return this.#acceptHave(frame.pieces);
      case 'manifest':
        return this.#acceptManifest(frame);
      case 'reject':
        return this.#acceptReject(frame);
      case 'keepAlive':
        return;
      default:
        return this.#breach(`unexpected ${frame.kind} frame`);
    }
  }

  blockStart(place: BlockPlace, length: number): void {
    const request = this.#requests[0];
    const isAnswer =
      this.#state === 'open' &&
      request?.fetch.piece === place.piece &&
      request.begin === place.begin &&
      request.length === length;
    if (!isAnswer) this.#breach('a block that was not asked for');
  }

  blockBytes(chunk: Uint8Array, begin: number, end: number): void {
    if (this.#state === 'open' && isWanted(this.#requests[0])) this.#received.keep(chunk, begin, end);
  }

  blockEnd(): void {
    const request = this.#requests[0];
    if (this.#state !== 'open' || request === undefined) return;
    this.#received.flush();
    this.#nextAnswer();
    this.#window.answered(request.length);
    if (isWanted(request) && request.fetch.isWhole) this.#finish(request.fetch);
    this.#pump();
  }

  #dial(number: number): void {
    const address = this.#request.addresses[number];
    if (address === undefined) return this.#close('unreachable', 'no address answered');
    this.#address = address;
    const isLast = number + 1 === this.#request.addresses.length;
    const socket = dialSocket(address, {
      secureContext: this.#context.secureContext,
      dialsLoopback: this.#context.dialsLoopback,
      nextBuffer: () => this.#nextBuffer(),
      onBytes: (length) => this.#onBytes(length),
      timeoutMs: PEER_HANDSHAKE_TIMEOUT_MS / 2,
      onReady: () => this.#onReady(socket),
      onEnd: (detail) => {
        if (this.#state === 'dialling' && !isLast) return this.#dial(number + 1);
        this.#close(this.#state === 'dialling' ? 'unreachable' : 'lost', detail);
        // Only a closed socket reads into it no more.
        this.#received.release();
      },
    });
    this.#socket = socket;
  }

  #onReady(socket: Socket): void {
    if (this.#state !== 'dialling') return;
    this.#greetingMs = performance.now();
    this.#state = 'greeting';
    const isTls = this.#context.secureContext !== null;
    if (isTls && claimedPeerId(socket, this.#hello) !== this.#request.peerId) {
      return this.#close('wrong_peer', 'another peer answers at this address');
    }
    this.#send(this.#hello);
    if (isTls) this.#send({ kind: 'grant', grant: this.#grant });
  }

  /** Room is made by writing what is pending; when that fails the socket still gets a place for what it has read. */
  #nextBuffer(): Uint8Array {
    let place: Uint8Array | null = null;
    const { blockBytesLeft } = this.#decoder;
    this.#guardStorage(() => (place = this.#received.next(blockBytesLeft)));
    return place ?? this.#received.next(blockBytesLeft);
  }

  #onBytes(length: number): void {
    this.#lastHeardMs = performance.now();
    this.#context.counters.add('receivedBytes', length);
    this.#guardStorage(() => this.#decoder.push(this.#received.take(length), this));
    if (this.#decoder.problem !== null) this.#breach(this.#decoder.problem);
  }

  #greet(frame: Frame): void {
    if (frame.kind === 'hello' && this.#theirHello === null) {
      this.#theirHello = frame;
      if (this.#socket === null || claimedPeerId(this.#socket, frame) === this.#request.peerId) return;
      return this.#close('wrong_peer', 'another peer answers at this address');
    }
    if (this.#theirHello === null) return this.#breach(`${frame.kind} frame before hello`);
    const hellos = { dialler: this.#hello, listener: this.#theirHello };
    if (frame.kind === 'proof' && this.#context.local.plain) {
      if (!isProved(frame.signature, 'listener', hellos)) return this.#close('wrong_peer', 'it cannot prove its key');
      this.#send({ kind: 'proof', signature: signProof(this.#context.local, 'dialler', hellos) });
      this.#provedPlain = true;
      return this.#send({ kind: 'grant', grant: this.#grant });
    }
    if (this.#context.local.plain && !this.#provedPlain) return this.#breach(`${frame.kind} frame before proof`);
    if (frame.kind !== 'bitfield') return this.#breach(`${frame.kind} frame before bitfield`);
    this.#open(frame.pieceCount, frame.bits);
  }

  #open(pieceCount: number, bitfield: Uint8Array): void {
    if (!isBitfieldFor(bitfield, pieceCount)) return this.#breach('bits behind the last piece');
    this.#state = 'open';
    this.#decoder.takes = TAKEN_FRAMES.byDialler.open;
    this.#untoldPieces = pieceCount - countBits(bitfield);
    this.#say({
      kind: 'connected',
      connection: this.#request.connection,
      address: this.#address,
      remoteLane: this.#theirHello?.lane ?? 0,
      remoteLaneCount: this.#theirHello?.laneCount ?? 1,
      pieceCount,
      bitfield,
    });
  }

  #acceptHave(pieces: readonly number[]): void {
    this.#untoldPieces -= pieces.length;
    if (this.#untoldPieces < 0) return this.#breach('more pieces than it can have');
    this.#say({ kind: 'have', connection: this.#request.connection, pieces });
  }

  #acceptManifest(frame: Frame & { readonly kind: 'manifest' }): void {
    if (!this.#hasAskedManifest) return this.#breach('a manifest that was not asked for');
    this.#manifest ??= Buffer.alloc(frame.begin === 0 ? Math.min(frame.totalBytes, MANIFEST_BYTES_MAX) : 0);
    const isNext = frame.totalBytes === this.#manifest.length && frame.begin === this.#manifestBytes;
    if (!isNext || frame.bytes.length === 0) return this.#close('bad_manifest', 'parts do not fit together');
    this.#manifest.set(frame.bytes, frame.begin);
    this.#manifestBytes += frame.bytes.length;
    if (this.#manifestBytes < frame.totalBytes) {
      return this.#send({ kind: 'askManifest', begin: this.#manifestBytes, length: MANIFEST_PART_BYTES_MAX });
    }
    this.#say({ kind: 'manifest', connection: this.#request.connection, bytes: this.#manifest });
    this.#manifest = null;
    this.#manifestBytes = 0;
    this.#hasAskedManifest = false;
  }

  #acceptReject(place: BlockPlace): void {
    const request = this.#requests[0];
    if (request?.fetch.piece !== place.piece || request.begin !== place.begin) {
      return this.#breach('a rejection of what was not asked for');
    }
    this.#nextAnswer();
    if (isWanted(request) && request.isAskedBack) this.#putBack(request);
    else if (isWanted(request)) {
      this.#withdraw(request.fetch);
      this.#say({ kind: 'rejected', connection: this.#request.connection, piece: request.fetch.piece });
    }
    this.#pump();
  }

  #acceptRun(run: Uint8Array): void {
    const fetch = this.#requests[0]?.fetch;
    if (fetch === undefined || fetch.cancelled) return;
    this.#context.storeOf(this.#request.download)?.noteReceived(run.length);
    fetch.accept(run);
  }

  #nextAnswer(): void {
    const request = this.#requests.shift();
    if (request?.isAskedBack === false) this.#outstandingBytes -= request.length;
    if (request !== undefined && !isWanted(request)) {
      this.#say({ kind: 'passedOver', connection: this.#request.connection });
    }
  }

  #finish(fetch: PieceFetch): void {
    this.#context.counters.add('hashedBytes', fetch.length);
    if (!fetch.digestFits()) return this.#reportCorrupt(fetch);
    if (fetch.mayWrite) return this.#settle(fetch);
    this.#say({ kind: 'held', connection: this.#request.connection, piece: fetch.piece });
  }

  #settle(fetch: PieceFetch): void {
    if (!fetch.digestFits()) return;
    fetch.settle();
    this.#fetches.delete(fetch.piece);
    const { news } = this.#context;
    news.verified(this.#request.connection, fetch.piece);
    if (this.#fetches.size === 0 || this.#reserve.isHurried(fetch.piece)) news.tellVerified();
  }

  #say(event: LaneEvent): void {
    this.#context.news.say(event);
  }

  #reportCorrupt(fetch: PieceFetch): void {
    this.#say({ kind: 'corrupt', connection: this.#request.connection, piece: fetch.piece });
    this.#send({ kind: 'corrupt', piece: fetch.piece });
    this.#close('corrupt_piece', `piece ${fetch.piece} has another digest`);
  }

  /** Keeps the window full: asks for the next blocks of the reserve, as far as the limits let them come. */
  #pump(): void {
    if (this.#state !== 'open') return;
    const frames: Uint8Array[] = [];
    let fetch = this.#reserve.first;
    while (fetch !== undefined && this.#requests.length < PEER_REQUESTS_MAX) {
      const blockBytes = this.#window.blockBytes(fetch.length - fetch.requestedBytes);
      const length = this.#turns.grainOf(blockBytes);
      if (!this.#window.hasRoom(this.#outstandingBytes, { length, blockBytes })) break;
      if (!this.#turns.take(length)) break;
      const request = { fetch, begin: fetch.requestedBytes, length, isAskedBack: false, isVoid: false };
      frames.push(encodeFrame({ kind: 'request', piece: fetch.piece, begin: request.begin, length }));
      this.#willAsk();
      this.#requests.push(request);
      this.#outstandingBytes += length;
      fetch.requestedBytes += length;
      if (fetch.requestedBytes === fetch.length) this.#reserve.remove(fetch);
      fetch = this.#reserve.first;
    }
    if (frames.length > 0) this.#write(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames));
  }

  /** Asks back what is on the wire before a piece that somebody waits for, as far as the other side has not come to it. */
  #makeWay(): void {
    const next = this.#reserve.first;
    if (this.#state !== 'open' || next === undefined || !this.#reserve.isHurried(next.piece)) return;
    for (const request of this.#requests) {
      const isBefore = this.#reserve.rankOf(request.fetch) <= this.#reserve.rankOf(next);
      if (isBefore || request.isAskedBack || request.fetch.cancelled) continue;
      request.isAskedBack = true;
      this.#outstandingBytes -= request.length;
      this.#send({ kind: 'cancel', piece: request.fetch.piece, begin: request.begin });
    }
  }

  /** A block that was asked back was not sent: its piece is asked for from there on when its turn comes again. */
  #putBack({ fetch, begin }: BlockRequest): void {
    for (const later of this.#requests) if (later.fetch === fetch) later.isVoid = true;
    fetch.requestedBytes = begin;
    this.#reserve.putBack(fetch);
  }

  /** Connections of the download, this one included. */
  get #sharers(): number {
    return Math.max(1, this.#context.storeOf(this.#request.download)?.connectionCount ?? 1);
  }

  /** Whether the other side has something to answer. */
  get #isOwed(): boolean {
    return this.#hasAskedManifest || this.#requests.length > 0;
  }

  /** Call it before something is asked for: who was asked for nothing was not silent. */
  #willAsk(): void {
    if (!this.#isOwed) this.#lastHeardMs = performance.now();
  }

  #giveBack(kind: 'cancelled' | 'recalled', isAsked: (fetch: PieceFetch) => boolean): void {
    const fetches = [...this.#fetches.values()].filter(isAsked);
    for (const fetch of fetches) this.#withdraw(fetch);
    const pieces = fetches.map(({ piece }) => piece);
    this.#say({ kind, connection: this.#request.connection, pieces, owes: this.#requests.length > 0 });
    this.#pump();
  }

  /** Forgets a piece. Bytes of it that are still to come are passed over, or the other side is told to leave them out. */
  #withdraw(fetch: PieceFetch): void {
    fetch.cancelled = true;
    this.#fetches.delete(fetch.piece);
    this.#reserve.remove(fetch);
    for (const request of this.#requests) {
      if (request.fetch === fetch) this.#send({ kind: 'cancel', piece: fetch.piece, begin: request.begin });
    }
  }

  #guardStorage(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      this.#say({ kind: 'storageFailed', download: this.#request.download, problem: error.problem });
      this.#close('hung_up', error.problem.detail);
    }
  }

  #send(frame: Frame): void {
    this.#write(encodeFrame(frame));
  }

  #write(bytes: Uint8Array): void {
    this.#lastSaidMs = performance.now();
    this.#socket?.write(bytes);
  }

  #breach(detail: string): void {
    if (this.#state === 'closed') return;
    this.#send({ kind: 'refuse', code: 'protocol_error' });
    this.#close('protocol_error', detail);
  }

  #close(code: HangUpCode, detail: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // Nothing that came may be written from now on: the piece may be somebody else's by the time.
    this.#received.drop();
    this.#turns.end();
    if (this.#socket !== null) closeGently(this.#socket);
    this.#say({ kind: 'closed', connection: this.#request.connection, code, detail });
    this.#context.onClosed(this.#request.connection);
  }
}

/** Whether what comes of a request is taken. */
function isWanted(request: BlockRequest | undefined): boolean {
  return request !== undefined && !request.fetch.cancelled && !request.isVoid;
}
