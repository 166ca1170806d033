// Owns one connection that another peer dialled to fetch pieces. It says who it is, and nothing more until the caller's key is
// proved and its grant holds. Requests are answered in order: one read and one write for a block, two blocks in memory at most,
// and the next one is read only when the socket has taken one.
import type { Socket } from 'node:net';
import { fullBitfield, hasBit } from '#domain/bitfield';
import { closeGently } from '#identity/close-gently';
import type { GrantClaims } from '#wire/grant';
import {
  BLOCK_BYTES_MAX,
  HAVE_PIECES_MAX,
  PEER_CONNECTIONS_PER_PEER_MAX,
  PEER_FRAME_TIMEOUT_MS,
  PEER_HANDSHAKE_TIMEOUT_MS,
  PEER_IDLE_TIMEOUT_MS,
  PEER_REQUESTS_MAX,
  PEER_UNREAD_BYTES_MAX,
} from '#wire/limits';
import {
  type BlockPlace,
  type CloseCode,
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameSink,
  type HelloFrame,
  PIECE_HEADER_BYTES,
  TAKEN_FRAMES,
  TRANSFER_VERSION,
  writePieceHeader,
} from '#wire/transfer-frame';
import { threadBuffers } from '../storage/buffer-pool.ts';
import { StorageFailure } from '../storage/storage-problem.ts';
import type { GrantDesk } from './grant-desk.ts';
import { isPeerRefusal, type LaneCounters, type PeerRefusal } from './lane-counters.ts';
import { claimedPeerId, isProved, type LocalPeer, newHello, signProof } from './peer-handshake.ts';
import { BudgetTurns, type RateBudget } from './rate-budget.ts';
import type { ServedShare, ShareTable, Visitor } from './share-table.ts';

/** Blocks in memory for one connection: one that the socket is sending, and the next. */
const BLOCKS_IN_MEMORY = 2;
/** Who waits longer than this for its turn under a limit shows that it is there: the caller gives up what is silent. */
const LIFE_SIGN_MS = 2_000;

export interface ServeContext {
  readonly local: LocalPeer;
  readonly shares: ShareTable;
  readonly desk: GrantDesk;
  readonly counters: LaneCounters;
  readonly budgetOf: (groupId: number) => RateBudget | null;
  /** Connections of this worker that were admitted for a peer. */
  readonly admittedCount: (peerId: string) => number;
  /** The grant was accepted. */
  readonly onAdmitted: () => void;
  readonly onClosed: (session: ServeSession) => void;
}

/** A block that goes out in parts because a limit says so. Nothing else can be said until all of it has gone. */
interface SlowBlock {
  readonly block: Buffer;
  readonly frame: Buffer;
  sentBytes: number;
}

interface WaitingRequest extends BlockPlace {
  readonly length: number;
  cancelled: boolean;
}

export class ServeSession implements FrameSink, Visitor {
  readonly #socket: Socket;
  readonly #context: ServeContext;
  readonly #decoder = new FrameDecoder(TAKEN_FRAMES.byListener.greeting);
  readonly #openedMs = performance.now();
  readonly #hello: HelloFrame;
  readonly #turns: BudgetTurns;
  #theirHello: HelloFrame | null = null;
  #peerId: string | null = null;
  #claims: GrantClaims | null = null;
  #share: ServedShare | null = null;
  #requests: WaitingRequest[] = [];
  readonly #freeBlocks: Buffer[] = [];
  #blockCount = 0;
  #slow: SlowBlock | null = null;
  /** Frames that wait for the end of the slow block. */
  #heldBack: Uint8Array[] = [];
  /** Pieces that the caller was told of, while the content is still being downloaded here. */
  #announced: Uint8Array | null = null;
  /** Who finds a piece corrupt says so and closes: to be asked again and again to read it is a breach. */
  #isRechecking = false;
  /** The frame that had begun and not ended at the last look, and since when. */
  #openFrame = { number: -1, sinceMs: 0 };
  #isClosed = false;
  #lastHeardMs = performance.now();
  #lastSaidMs = performance.now();

  constructor(socket: Socket, context: ServeContext) {
    this.#socket = socket;
    this.#context = context;
    this.#hello = newHello(context.local);
    this.#turns = new BudgetTurns({
      budgetNow: () => (this.#share === null ? null : context.budgetOf(this.#share.content.share.groupId)),
      sharers: () => context.admittedCount(this.#peerId ?? ''),
      onTurn: () => this.#sendPart(),
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    socket.on('error', () => socket.destroy());
    socket.once('end', () => socket.destroy());
    socket.once('close', () => this.#closed());
  }

  /** Null until the grant was accepted. */
  get claims(): GrantClaims | null {
    return this.#claims;
  }

  /** Says why, and closes. `refusal` is what it counts as, when that is not what is said. */
  dismiss(code: CloseCode, refusal: CloseCode | PeerRefusal = code): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (isPeerRefusal(refusal)) this.#context.counters.refuse(refusal);
    this.#requests = [];
    this.#send({ kind: 'refuse', code });
    closeGently(this.#socket);
    this.#leave();
  }

  limitsChanged(): void {
    this.#turns.renew();
  }

  /** Ends the connection at once; what was said last may not arrive. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Called a few times a second: tells of new pieces, or that it is there, and ends what is silent or no longer granted. */
  tick(clock: { readonly nowMs: number; readonly unixMs: number }): void {
    if (this.#claims !== null && clock.unixMs >= this.#claims.expiresAtMs) return this.dismiss('grant_expired');
    if (clock.nowMs - this.#lastHeardMs > PEER_IDLE_TIMEOUT_MS) return this.dismiss('closing');
    if (this.#isTooSlow(clock.nowMs)) return this.dismiss('protocol_error', 'too_slow');
    this.#announceNew();
    if (this.#turns.isWaiting && clock.nowMs - this.#lastSaidMs > LIFE_SIGN_MS) this.#showLife();
  }

  frame(frame: Frame): void {
    if (this.#isClosed) return;
    if (frame.kind === 'keepAlive') return;
    if (frame.kind === 'refuse') return void this.#socket.destroy();
    if (frame.kind === 'hello') return this.#acceptHello(frame);
    if (frame.kind === 'proof') return this.#acceptProof(frame.signature);
    if (frame.kind === 'grant') return this.#acceptGrant(frame.grant);
    if (this.#share === null) return this.dismiss('protocol_error');
    switch (frame.kind) {
      case 'request':
        return this.#acceptRequest(frame);
      case 'cancel':
        return this.#acceptCancel(frame);
      case 'askManifest':
        return this.#sendManifest(frame, this.#share.content.manifestBytes);
      case 'corrupt':
        return this.#acceptCorrupt(this.#share, frame.piece);
      default:
        return this.dismiss('protocol_error');
    }
  }

  /** Blocks flow the other way only. */
  blockStart(): void {
    this.dismiss('protocol_error');
  }

  blockBytes(): void {}

  blockEnd(): void {}

  #onBytes(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#lastHeardMs = performance.now();
    this.#decoder.push(chunk, this);
    if (this.#decoder.problem !== null) this.dismiss('protocol_error');
  }

  /** Who drips bytes is never silent: the time for its grant, and for each frame, counts from the beginning. */
  #isTooSlow(nowMs: number): boolean {
    if (this.#claims === null && nowMs - this.#openedMs > PEER_HANDSHAKE_TIMEOUT_MS) return true;
    const { isWithinFrame, frameCount } = this.#decoder;
    if (!isWithinFrame || frameCount !== this.#openFrame.number)
      this.#openFrame = { number: frameCount, sinceMs: nowMs };
    return isWithinFrame && nowMs - this.#openFrame.sinceMs > PEER_FRAME_TIMEOUT_MS;
  }

  #acceptHello(hello: HelloFrame): void {
    if (this.#theirHello !== null) return this.dismiss('protocol_error');
    if (hello.version !== TRANSFER_VERSION) return this.dismiss('version_mismatch');
    const { local } = this.#context;
    this.#theirHello = hello;
    this.#send(this.#hello);
    if (!local.plain) {
      this.#peerId = claimedPeerId(this.#socket, hello);
      return;
    }
    const signature = signProof(local, 'listener', { dialler: hello, listener: this.#hello });
    this.#send({ kind: 'proof', signature });
  }

  #acceptProof(signature: Uint8Array): void {
    const dialler = this.#theirHello;
    if (dialler === null || !this.#context.local.plain) return this.dismiss('protocol_error');
    if (!isProved(signature, 'dialler', { dialler, listener: this.#hello })) return this.dismiss('protocol_error');
    this.#peerId = claimedPeerId(this.#socket, dialler);
  }

  #acceptGrant(grant: Uint8Array): void {
    const peerId = this.#peerId;
    if (peerId === null) return this.dismiss('protocol_error');
    const claims = this.#context.desk.open(grant);
    if (typeof claims === 'string') return this.dismiss(claims);
    const share = this.#context.shares.find(claims);
    // Whether there is such a share here is told only to who may have it: an old grant, or another's, is refused the same way.
    const { groupId, shareId } = claims;
    const { contentId } = share?.content ?? claims;
    const refusal = this.#context.desk.refusal(claims, { share: { groupId, shareId }, contentId, peerId }, Date.now());
    if (refusal !== null) return this.dismiss(refusal);
    if (share === undefined) return this.dismiss('unknown_share');
    if (this.#share !== null && this.#share !== share) return this.dismiss('grant_mismatch');
    const isNew = this.#share === null;
    if (isNew && this.#context.admittedCount(peerId) >= PEER_CONNECTIONS_PER_PEER_MAX) return this.dismiss('busy');
    this.#claims = claims;
    if (isNew) this.#admit(share);
  }

  #admit(share: ServedShare): void {
    this.#share = share;
    this.#decoder.takes = TAKEN_FRAMES.byListener.open;
    this.#context.onAdmitted();
    share.enter(this);
    const { pieceCount } = share.geometry;
    const { verified } = share.content;
    const bits = verified === null ? fullBitfield(pieceCount) : Uint8Array.from(verified);
    if (verified !== null) this.#announced = bits;
    this.#send({ kind: 'bitfield', pieceCount, bits });
  }

  #announceNew(): void {
    if (this.#announced === null || this.#share === null) return;
    const { pieceCount } = this.#share.geometry;
    const isWhole = this.#share.content.verified === null;
    const verified = this.#share.content.verified ?? fullBitfield(pieceCount);
    const fresh = newBits(this.#announced, verified);
    this.#announced = isWhole ? null : this.#announced;
    for (let from = 0; from < fresh.length; from += HAVE_PIECES_MAX) {
      this.#send({ kind: 'have', pieces: fresh.slice(from, from + HAVE_PIECES_MAX) });
    }
  }

  #acceptRequest(request: BlockPlace & { readonly length: number }): void {
    if (this.#requests.length >= PEER_REQUESTS_MAX) return this.dismiss('protocol_error');
    this.#requests.push({ ...request, cancelled: false });
    this.#pump();
  }

  #acceptCancel(place: BlockPlace): void {
    for (const request of this.#requests) {
      if (request.piece === place.piece && request.begin === place.begin) request.cancelled = true;
    }
  }

  #acceptCorrupt(share: ServedShare, piece: number): void {
    if (this.#isRechecking) return this.dismiss('protocol_error');
    this.#isRechecking = true;
    void share.recheck(piece);
  }

  #sendManifest(part: { readonly begin: number; readonly length: number }, manifestBytes: Uint8Array): void {
    const bytes = manifestBytes.slice(part.begin, part.begin + part.length);
    if (bytes.length === 0) return this.dismiss('protocol_error');
    this.#send({ kind: 'manifest', totalBytes: manifestBytes.length, begin: part.begin, bytes });
  }

  /** Answers requests as long as a block is free to read into. */
  #pump(): void {
    while (!this.#isClosed && this.#share !== null && this.#slow === null) {
      const request = this.#requests[0];
      if (request === undefined) return;
      if (request.cancelled || !this.#share.offers(request, request.length)) {
        this.#requests.shift();
        this.#send({ kind: 'reject', piece: request.piece, begin: request.begin });
        continue;
      }
      const block = this.#takeBlock(request.length);
      if (block === null) return;
      this.#requests.shift();
      this.#sendBlock(this.#share, request, block);
    }
  }

  #sendBlock(share: ServedShare, request: WaitingRequest, block: Buffer): void {
    const frame = block.subarray(0, PIECE_HEADER_BYTES + request.length);
    try {
      share.read(request, frame.subarray(PIECE_HEADER_BYTES));
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      return this.#context.shares.fail(share, error.problem);
    }
    writePieceHeader(frame, request, request.length);
    if (this.#context.budgetOf(share.content.share.groupId) === null) return this.#sendFrame(frame, block);
    this.#slow = { block, frame, sentBytes: 0 };
    this.#sendPart();
  }

  /** In the middle of a block nothing but its next byte can be said. */
  #showLife(): void {
    const slow = this.#slow;
    if (slow === null || slow.sentBytes === 0) return this.#send({ kind: 'keepAlive' });
    const end = slow.sentBytes + 1;
    if (end === slow.frame.length) return;
    this.#context.counters.add('sentBytes', 1);
    this.#write(slow.frame.subarray(slow.sentBytes, end));
    slow.sentBytes = end;
  }

  /** Writes a block, or the rest of one, and goes on when the socket has taken it. */
  #sendFrame(frame: Uint8Array, block: Buffer): void {
    this.#context.counters.add('sentBytes', frame.length);
    this.#write(frame, () => {
      if (this.#isClosed) return;
      this.#freeBlocks.push(block);
      this.#pump();
    });
  }

  /** Sends the next part of the slow block when its turn has come: the header goes with the first, and is not counted. */
  #sendPart(): void {
    if (this.#slow === null || this.#isClosed) return;
    const { block, frame, sentBytes } = this.#slow;
    const headerBytes = sentBytes === 0 ? PIECE_HEADER_BYTES : 0;
    const partBytes = this.#turns.grainOf(frame.length - sentBytes - headerBytes);
    if (!this.#turns.take(partBytes)) return;
    const end = sentBytes + headerBytes + partBytes;
    const part = frame.subarray(sentBytes, end);
    this.#slow.sentBytes = end;
    if (end === frame.length) {
      this.#slow = null;
      this.#sendFrame(part, block);
      for (const held of this.#heldBack.splice(0)) this.#write(held);
      return;
    }
    this.#context.counters.add('sentBytes', part.length);
    this.#write(part, () => this.#sendPart());
  }

  /** A buffer with room for a block, or null while all are being sent. Idle connections hold none. */
  #takeBlock(length: number): Buffer | null {
    const free = this.#freeBlocks.pop();
    if (free !== undefined && free.length >= PIECE_HEADER_BYTES + length) return free;
    if (free !== undefined) this.#blockCount--;
    if (this.#blockCount === BLOCKS_IN_MEMORY) return null;
    this.#blockCount++;
    return threadBuffers.take(PIECE_HEADER_BYTES + Math.min(length, BLOCK_BYTES_MAX));
  }

  #send(frame: Frame): void {
    const heldBytes = this.#heldBack.reduce((sum, held) => sum + held.length, 0);
    if (this.#socket.writableLength + heldBytes > PEER_UNREAD_BYTES_MAX) this.#cutOff();
    else if ((this.#slow?.sentBytes ?? 0) > 0) this.#heldBack.push(encodeFrame(frame));
    else this.#write(encodeFrame(frame));
  }

  /** There is nothing to say to who does not read. */
  #cutOff(): void {
    if (!this.#socket.destroyed) this.#context.counters.refuse('unread');
    this.destroy();
  }

  #write(bytes: Uint8Array, onTaken?: () => void): void {
    this.#lastSaidMs = performance.now();
    this.#socket.write(bytes, onTaken);
  }

  #leave(): void {
    this.#share?.leave(this);
    this.#turns.end();
    for (const block of this.#freeBlocks.splice(0)) threadBuffers.give(block);
  }

  #closed(): void {
    this.#isClosed = true;
    this.#leave();
    this.#context.onClosed(this);
  }
}

/** The bits that `current` has and `known` has not; they are set in `known`. Other threads may set bits meanwhile. */
function newBits(known: Uint8Array, current: Uint8Array): number[] {
  const fresh: number[] = [];
  for (let at = 0; at < known.length; at++) {
    const added = (current[at] ?? 0) & ~(known[at] ?? 0);
    if (added === 0) continue;
    for (let bit = 0; bit < 8; bit++) if (hasBit(Uint8Array.of(added), bit)) fresh.push(at * 8 + bit);
    known[at] = (known[at] ?? 0) | added;
  }
  return fresh;
}
