// Owns the frames between two peers. Sans-IO: bytes in, frames out, no socket. The side that dials downloads and asks, the
// side that listens serves. Lengths are checked against the limit of their kind before anything is allocated, and the bytes
// of a piece are handed on where they lie in the received chunk, never copied.
//
//   frame   = length:u32 kind:u8 body                     length counts kind and body; integers big-endian
//   body    = hello    (1)  version:u8 lane:u8 laneCount:u8 nonce:32*u8 keyBytes:u8 key:keyBytes*u8
//           | proof    (2)  signature:64*u8               only without TLS: over the text, both nonces and both keys
//           | grant    (3)  grant:1..512*u8               again whenever it is renewed
//           | refuse   (4)  code:u8                       the last frame before the sender closes
//           | askManifest (5) begin:u32 length:u32
//           | manifest (6)  totalBytes:u32 begin:u32 bytes
//           | bitfield (7)  pieceCount:u32 bits
//           | have     (8)  piece:u32 +
//           | request  (9)  piece:u32 begin:u32 length:u32     of the content that the grant names
//           | piece    (10) piece:u32 begin:u32 bytes
//           | reject   (11) piece:u32 begin:u32
//           | cancel   (12) piece:u32 begin:u32
//           | corrupt  (13) piece:u32                     its digest did not fit; the server looks at its own file
//           | keepAlive (14)
//
// Order: dialler hello; listener hello (and proof); dialler (proof and) grant; listener bitfield; then requests. With TLS the
// dialler sends hello and grant at once. Every request is answered exactly once, in order, by piece or reject, a cancelled
// one too.
import { PIECE_COUNT_MAX } from '#domain/piece-geometry';
import {
  BLOCK_BYTES_MAX,
  GRANT_BYTES_MAX,
  HAVE_PIECES_MAX,
  MANIFEST_BYTES_MAX,
  MANIFEST_PART_BYTES_MAX,
} from './limits.ts';

/** The version that this build speaks; a hello of another one is refused. */
export const TRANSFER_VERSION = 1;
/** Length of the number that makes a conversation the only one of its kind. */
export const NONCE_BYTES = 32;

/** Why a peer closes; the position in the list, from 1, is the code on the wire. */
export const CLOSE_CODES = [
  'version_mismatch',
  'protocol_error',
  'grant_malformed',
  'grant_not_signed',
  'grant_mismatch',
  'grant_expired',
  'grant_revoked',
  'unknown_share',
  'withdrawn',
  'busy',
  'source_changed',
  'source_missing',
  'corrupt_piece',
  'closing',
] as const;
/** Why a side ends a connection between peers. */
export type CloseCode = (typeof CLOSE_CODES)[number];

/** How either side introduces itself. */
export interface HelloFrame {
  readonly kind: 'hello';
  readonly version: number;
  /** Which of the sender's workers holds this connection, and how many there are. */
  readonly lane: number;
  readonly laneCount: number;
  readonly nonce: Uint8Array;
  /** SPKI DER of the sender's key without TLS, else empty. */
  readonly key: Uint8Array;
}

/** A block of a piece: `begin` is relative to the piece. */
export interface BlockPlace {
  readonly piece: number;
  readonly begin: number;
}

/** Everything that peers say to each other but bytes of pieces, which pass as they come. */
export type Frame =
  | HelloFrame
  | { readonly kind: 'proof'; readonly signature: Uint8Array }
  | { readonly kind: 'grant'; readonly grant: Uint8Array }
  | { readonly kind: 'refuse'; readonly code: CloseCode }
  | { readonly kind: 'askManifest'; readonly begin: number; readonly length: number }
  | { readonly kind: 'manifest'; readonly totalBytes: number; readonly begin: number; readonly bytes: Uint8Array }
  | { readonly kind: 'bitfield'; readonly pieceCount: number; readonly bits: Uint8Array }
  | { readonly kind: 'have'; readonly pieces: readonly number[] }
  | ({ readonly kind: 'request'; readonly length: number } & BlockPlace)
  | ({ readonly kind: 'reject' } & BlockPlace)
  | ({ readonly kind: 'cancel' } & BlockPlace)
  | { readonly kind: 'corrupt'; readonly piece: number }
  | { readonly kind: 'keepAlive' };

/** The kinds of frames, `piece` among them. */
export type FrameKind = Frame['kind'] | 'piece';

const KINDS: readonly FrameKind[] = [
  'hello',
  'proof',
  'grant',
  'refuse',
  'askManifest',
  'manifest',
  'bitfield',
  'have',
  'request',
  'piece',
  'reject',
  'cancel',
  'corrupt',
  'keepAlive',
];

/** What each side takes from the other one: little and small until the grant was accepted, and then what serves its purpose. */
export const TAKEN_FRAMES = {
  byListener: {
    greeting: kinds('hello', 'proof', 'grant', 'refuse'),
    open: kinds('grant', 'refuse', 'askManifest', 'request', 'cancel', 'corrupt', 'keepAlive'),
  },
  byDialler: {
    greeting: kinds('hello', 'proof', 'refuse', 'bitfield'),
    open: kinds('refuse', 'manifest', 'have', 'piece', 'reject', 'keepAlive'),
  },
} as const;

function kinds(...some: FrameKind[]): ReadonlySet<FrameKind> {
  return new Set(some);
}

/** Shortest and longest body of each kind in bytes. */
const BODY_BYTES: Readonly<Record<FrameKind, readonly [number, number]>> = {
  hello: [4 + NONCE_BYTES, 4 + NONCE_BYTES + 255],
  proof: [64, 64],
  grant: [1, GRANT_BYTES_MAX],
  refuse: [1, 1],
  askManifest: [8, 8],
  manifest: [8, 8 + MANIFEST_PART_BYTES_MAX],
  bitfield: [4, 4 + PIECE_COUNT_MAX / 8],
  have: [4, 4 * HAVE_PIECES_MAX],
  request: [12, 12],
  piece: [9, 8 + BLOCK_BYTES_MAX],
  reject: [8, 8],
  cancel: [8, 8],
  corrupt: [4, 4],
  keepAlive: [0, 0],
};

/** Bytes of a piece frame before its payload. */
export const PIECE_HEADER_BYTES = 13;
const FRAME_HEADER_BYTES = 5;

/** Writes the header of a piece frame in front of `length` bytes of payload. */
export function writePieceHeader(target: Uint8Array, place: BlockPlace, length: number): void {
  const view = new DataView(target.buffer, target.byteOffset, PIECE_HEADER_BYTES);
  view.setUint32(0, 9 + length);
  view.setUint8(4, KINDS.indexOf('piece') + 1);
  view.setUint32(5, place.piece);
  view.setUint32(9, place.begin);
}

/** The bytes of any frame but `piece`. */
export function encodeFrame(frame: Frame): Uint8Array {
  const body = encodeBody(frame);
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  new DataView(bytes.buffer).setUint32(0, 1 + body.length);
  bytes[4] = KINDS.indexOf(frame.kind) + 1;
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

function encodeBody(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case 'hello':
      return joined(
        Uint8Array.of(frame.version, frame.lane, frame.laneCount),
        frame.nonce,
        Uint8Array.of(frame.key.length),
        frame.key,
      );
    case 'proof':
      return frame.signature;
    case 'grant':
      return frame.grant;
    case 'refuse':
      return Uint8Array.of(CLOSE_CODES.indexOf(frame.code) + 1);
    case 'askManifest':
      return integers(frame.begin, frame.length);
    case 'manifest':
      return joined(integers(frame.totalBytes, frame.begin), frame.bytes);
    case 'bitfield':
      return joined(integers(frame.pieceCount), frame.bits);
    case 'have':
      return integers(...frame.pieces);
    case 'request':
      return integers(frame.piece, frame.begin, frame.length);
    case 'reject':
    case 'cancel':
      return integers(frame.piece, frame.begin);
    case 'corrupt':
      return integers(frame.piece);
    case 'keepAlive':
      return new Uint8Array(0);
  }
}

function integers(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [position, value] of values.entries()) view.setUint32(position * 4, value);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What a decoder tells. The payload of a block comes as one or more ranges of the chunks that were pushed. */
export interface FrameSink {
  frame(frame: Frame): void;
  blockStart(place: BlockPlace, length: number): void;
  blockBytes(chunk: Uint8Array, begin: number, end: number): void;
  blockEnd(): void;
}

/** Cuts a stream of bytes into frames. The first breach of the grammar sticks; nothing is decoded after it. */
export class FrameDecoder {
  /** What was wrong with the stream, or null. */
  problem: string | null = null;
  /** Kinds that are taken from now on; another one is a breach, and nothing is set aside for it. */
  takes: ReadonlySet<FrameKind>;
  /** Frames that have ended so far. */
  frameCount = 0;
  readonly #header = new Uint8Array(PIECE_HEADER_BYTES);
  #headerLength = 0;
  #headerNeeded = FRAME_HEADER_BYTES;
  #kind: FrameKind = 'keepAlive';
  #body: Uint8Array = new Uint8Array(0);
  #bodyLength = 0;
  #payloadLeft = 0;

  constructor(takes: ReadonlySet<FrameKind> = new Set(KINDS)) {
    this.takes = takes;
  }

  /** Whether the beginning of a frame has come, and not yet its end. */
  get isWithinFrame(): boolean {
    return this.#headerLength > 0;
  }

  /** What is still to come of the payload of a block; 0 when none has begun. */
  get blockBytesLeft(): number {
    return this.#payloadLeft;
  }

  /** Decodes what a chunk adds. Frames other than blocks are copies, so the chunk may be reused afterwards. */
  push(chunk: Uint8Array, sink: FrameSink): void {
    let at = 0;
    while (at < chunk.length && this.problem === null) {
      if (this.#payloadLeft > 0) at = this.#passPayload(chunk, at, sink);
      else if (this.#headerLength < this.#headerNeeded) at = this.#gatherHeader(chunk, at, sink);
      else at = this.#gatherBody(chunk, at, sink);
    }
  }

  #passPayload(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const end = Math.min(chunk.length, at + this.#payloadLeft);
    this.#payloadLeft -= end - at;
    sink.blockBytes(chunk, at, end);
    if (this.#payloadLeft === 0) {
      this.#nextFrame();
      sink.blockEnd();
    }
    return end;
  }

  #gatherHeader(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const end = Math.min(chunk.length, at + this.#headerNeeded - this.#headerLength);
    this.#header.set(chunk.subarray(at, end), this.#headerLength);
    this.#headerLength += end - at;
    if (this.#headerLength < this.#headerNeeded) return end;
    if (this.#headerNeeded === PIECE_HEADER_BYTES) this.#startBlock(sink);
    else this.#startFrame(sink);
    return end;
  }

  #startFrame(sink: FrameSink): void {
    const view = new DataView(this.#header.buffer);
    const kind = KINDS[view.getUint8(4) - 1];
    const bodyBytes = view.getUint32(0) - 1;
    if (kind === undefined) return this.#fail('frame of an unknown kind');
    if (!this.takes.has(kind)) return this.#fail(`${kind} frame out of turn`);
    const [shortest, longest] = BODY_BYTES[kind];
    if (bodyBytes < shortest || bodyBytes > longest) return this.#fail(`${kind} frame of ${bodyBytes} bytes`);
    if (kind === 'piece') {
      this.#headerNeeded = PIECE_HEADER_BYTES;
      return;
    }
    this.#kind = kind;
    this.#body = new Uint8Array(bodyBytes);
    this.#bodyLength = 0;
    if (bodyBytes === 0) this.#finishFrame(sink);
  }

  #startBlock(sink: FrameSink): void {
    const view = new DataView(this.#header.buffer);
    this.#payloadLeft = view.getUint32(0) - 9;
    sink.blockStart({ piece: view.getUint32(5), begin: view.getUint32(9) }, this.#payloadLeft);
  }

  #gatherBody(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const end = Math.min(chunk.length, at + this.#body.length - this.#bodyLength);
    this.#body.set(chunk.subarray(at, end), this.#bodyLength);
    this.#bodyLength += end - at;
    if (this.#bodyLength === this.#body.length) this.#finishFrame(sink);
    return end;
  }

  #finishFrame(sink: FrameSink): void {
    const frame = decodeBody(this.#kind as Frame['kind'], this.#body);
    if (frame === null) return this.#fail(`malformed ${this.#kind} frame`);
    this.#nextFrame();
    sink.frame(frame);
  }

  #nextFrame(): void {
    this.frameCount++;
    this.#headerLength = 0;
    this.#headerNeeded = FRAME_HEADER_BYTES;
  }

  #fail(problem: string): void {
    this.problem = problem;
  }
}

function decodeBody(kind: Frame['kind'], body: Uint8Array): Frame | null {
  const view = new DataView(body.buffer);
  const integer = (position: number): number => view.getUint32(position * 4);
  switch (kind) {
    case 'hello':
      return decodeHello(body);
    case 'proof':
      return { kind, signature: body };
    case 'grant':
      return { kind, grant: body };
    case 'refuse': {
      const code = CLOSE_CODES[(body[0] ?? 0) - 1];
      return code === undefined ? null : { kind, code };
    }
    case 'askManifest':
      return integer(1) > MANIFEST_PART_BYTES_MAX ? null : { kind, begin: integer(0), length: integer(1) };
    case 'manifest': {
      const [totalBytes, begin, bytes] = [integer(0), integer(1), body.subarray(8)];
      if (totalBytes > MANIFEST_BYTES_MAX || begin + bytes.length > totalBytes) return null;
      return { kind, totalBytes, begin, bytes };
    }
    case 'bitfield': {
      const [pieceCount, bits] = [integer(0), body.subarray(4)];
      return pieceCount > PIECE_COUNT_MAX || bits.length !== Math.ceil(pieceCount / 8)
        ? null
        : { kind, pieceCount, bits };
    }
    case 'have':
      if (body.length % 4 !== 0) return null;
      return { kind, pieces: Array.from({ length: body.length / 4 }, (_, position) => integer(position)) };
    case 'request': {
      const length = integer(2);
      return length === 0 || length > BLOCK_BYTES_MAX ? null : { kind, piece: integer(0), begin: integer(1), length };
    }
    case 'reject':
    case 'cancel':
      return { kind, piece: integer(0), begin: integer(1) };
    case 'corrupt':
      return { kind, piece: integer(0) };
    case 'keepAlive':
      return { kind };
  }
}

function decodeHello(body: Uint8Array): HelloFrame | null {
  const [version = 0, lane = 0, laneCount = 0] = body;
  const nonce = body.subarray(3, 3 + NONCE_BYTES);
  const key = body.subarray(4 + NONCE_BYTES);
  if (body[3 + NONCE_BYTES] !== key.length || lane >= laneCount) return null;
  return { kind: 'hello', version, lane, laneCount, nonce, key };
}

const PROOF_TEXT = new TextEncoder().encode('cohort transfer v1 ');

/** What the listening or dialling side signs when there is no TLS: who it is, and this one conversation. */
export function proofMessage(side: 'dialler' | 'listener', dialler: HelloFrame, listener: HelloFrame): Uint8Array {
  const sideText = new TextEncoder().encode(`${side}\n`);
  return joined(PROOF_TEXT, sideText, dialler.nonce, listener.nonce, dialler.key, listener.key);
}
