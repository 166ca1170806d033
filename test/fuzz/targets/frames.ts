// Owns fuzzing the frames between peers: a stream gives the same frames however it is cut, no frame is longer than its kind may
// be, and what was decoded, written again, is the stream as it came.
import assert from 'node:assert/strict';
import { BLOCK_BYTES_MAX } from '#wire/limits';
import {
  type BlockPlace,
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameSink,
  PIECE_HEADER_BYTES,
  writePieceHeader,
} from '#wire/transfer-frame';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const nonce = Uint8Array.from({ length: 32 }, (_, position) => position);
const FRAMES: readonly Frame[] = [
  { kind: 'hello', version: 1, lane: 1, laneCount: 2, nonce, key: Uint8Array.of(0xaa, 0xbb) },
  { kind: 'proof', signature: new Uint8Array(64).fill(7) },
  { kind: 'grant', grant: Uint8Array.of(1, 2, 3) },
  { kind: 'refuse', code: 'grant_revoked' },
  { kind: 'askManifest', begin: 16, length: 32 },
  { kind: 'manifest', totalBytes: 9, begin: 4, bytes: Uint8Array.of(5) },
  { kind: 'bitfield', pieceCount: 3, bits: Uint8Array.of(0xa0) },
  { kind: 'have', pieces: [1, 258] },
  { kind: 'request', piece: 5, begin: 6, length: 7 },
  { kind: 'reject', piece: 5, begin: 6 },
  { kind: 'cancel', piece: 5, begin: 6 },
  { kind: 'corrupt', piece: 5 },
  { kind: 'keepAlive' },
];

export const frames: FuzzTarget = {
  name: 'frames',
  sources: ['libs/wire/src/transfer-frame.ts'],
  shape: 'bytes',
  seeds: () => [
    ...FRAMES.map(encodeFrame),
    block(100),
    Buffer.concat([...FRAMES.map(encodeFrame), block(3), block(1)]),
  ],
  repair: withTrueLengths,
  run: (input) => {
    const whole = written([input]);
    const cut = written(cutUp(input));
    assertSameBytes(cut.bytes, whole.bytes, 'the same frames come of the bytes however they are cut');
    assert.equal(cut.problem, whole.problem, 'the same is wrong with the bytes however they are cut');
    assertSameBytes(whole.bytes, input.subarray(0, whole.bytes.length), 'frames are written as they came');
  },
};

/** The stream in pieces of lengths that it says itself. */
export function cutUp(input: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < input.length;) {
    const length = 1 + (input[at]! % 23);
    chunks.push(input.slice(at, at + length));
    at += length;
  }
  return chunks;
}

/** No frame is longer than what is there. */
export function withTrueLengths(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 5 <= bytes.length; at += 4 + view.getUint32(at)) {
    if (at + 4 + view.getUint32(at) > bytes.length) view.setUint32(at, bytes.length - at - 4);
  }
  return bytes;
}

function block(length: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_BYTES + length).fill(9);
  writePieceHeader(bytes, { piece: 3, begin: 50 }, length);
  return bytes;
}

function written(chunks: readonly Uint8Array[]): { bytes: Uint8Array; problem: string | null } {
  const decoder = new FrameDecoder();
  const scribe = new Scribe();
  for (const chunk of chunks) decoder.push(chunk, scribe);
  return { bytes: scribe.bytes, problem: decoder.problem };
}

/** Writes down what it is told. */
class Scribe implements FrameSink {
  readonly #parts: Uint8Array[] = [];
  #missingBytes = 0;

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  frame(frame: Frame): void {
    this.#parts.push(encodeFrame(frame));
  }

  blockStart(place: BlockPlace, length: number): void {
    assert.ok(length > 0 && length <= BLOCK_BYTES_MAX, `a block of ${length} bytes`);
    const header = new Uint8Array(PIECE_HEADER_BYTES);
    writePieceHeader(header, place, length);
    this.#parts.push(header);
    this.#missingBytes = length;
  }

  blockBytes(chunk: Uint8Array, begin: number, end: number): void {
    this.#parts.push(chunk.slice(begin, end));
    this.#missingBytes -= end - begin;
  }

  blockEnd(): void {
    assert.equal(this.#missingBytes, 0, 'a block ends with its last byte');
  }
}
