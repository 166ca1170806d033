import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_BYTES_MAX,
  GRANT_BYTES_MAX,
  HAVE_PIECES_MAX,
  MANIFEST_BYTES_MAX,
  MANIFEST_PART_BYTES_MAX,
} from '#wire/limits';
import {
  CLOSE_CODES,
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameSink,
  PIECE_HEADER_BYTES,
  proofMessage,
  TAKEN_FRAMES,
  writePieceHeader,
} from '#wire/transfer-frame';

const nonce = Uint8Array.from({ length: 32 }, (_, position) => position);

/** One frame of each kind with its bytes. */
const golden: readonly [Frame, string][] = [
  [
    { kind: 'hello', version: 1, lane: 1, laneCount: 2, nonce, key: Uint8Array.of(0xaa, 0xbb) },
    `00000027 01 01 01 02 ${Buffer.from(nonce).toString('hex')} 02 aabb`,
  ],
  [{ kind: 'proof', signature: new Uint8Array(64).fill(7) }, `00000041 02 ${'07'.repeat(64)}`],
  [{ kind: 'grant', grant: Uint8Array.of(1, 2, 3) }, '00000004 03 010203'],
  [{ kind: 'refuse', code: 'grant_revoked' }, '00000002 04 07'],
  [{ kind: 'askManifest', begin: 16, length: 32 }, '00000009 05 00000010 00000020'],
  [{ kind: 'manifest', totalBytes: 9, begin: 4, bytes: Uint8Array.of(5) }, '0000000a 06 00000009 00000004 05'],
  [{ kind: 'bitfield', pieceCount: 3, bits: Uint8Array.of(0xa0) }, '00000006 07 00000003 a0'],
  [{ kind: 'have', pieces: [1, 258] }, '00000009 08 00000001 00000102'],
  [{ kind: 'request', piece: 5, begin: 6, length: 7 }, '0000000d 09 00000005 00000006 00000007'],
  [{ kind: 'reject', piece: 5, begin: 6 }, '00000009 0b 00000005 00000006'],
  [{ kind: 'cancel', piece: 5, begin: 6 }, '00000009 0c 00000005 00000006'],
  [{ kind: 'corrupt', piece: 5 }, '00000005 0d 00000005'],
  [{ kind: 'keepAlive' }, '00000001 0e'],
];

interface Block {
  readonly piece: number;
  readonly begin: number;
  readonly bytes: Uint8Array;
}

class Collector implements FrameSink {
  readonly frames: Frame[] = [];
  readonly blocks: Block[] = [];
  #parts: Uint8Array[] = [];
  #place = { piece: 0, begin: 0 };

  frame(frame: Frame): void {
    this.frames.push(frame);
  }

  blockStart(place: { piece: number; begin: number }): void {
    this.#place = place;
    this.#parts = [];
  }

  blockBytes(chunk: Uint8Array, begin: number, end: number): void {
    this.#parts.push(chunk.slice(begin, end));
  }

  blockEnd(): void {
    this.blocks.push({ ...this.#place, bytes: Buffer.concat(this.#parts) });
  }
}

function decode(...chunks: Uint8Array[]): { decoder: FrameDecoder; collector: Collector } {
  const decoder = new FrameDecoder();
  const collector = new Collector();
  for (const chunk of chunks) decoder.push(chunk, collector);
  return { decoder, collector };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function plain(frames: readonly Frame[]): unknown {
  return JSON.parse(JSON.stringify(frames));
}

describe.each(golden)('%j', (frame, hex) => {
  it('has these bytes', () => {
    expect(Buffer.from(encodeFrame(frame)).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });

  it('comes back as it was', () => {
    const { decoder, collector } = decode(bytesOf(hex));
    expect(decoder.problem).toBeNull();
    expect(plain(collector.frames)).toEqual(plain([frame]));
  });

  it('is nothing yet when it is cut off at any byte', () => {
    const bytes = bytesOf(hex);
    for (let length = 0; length < bytes.length; length++) {
      const { decoder, collector } = decode(bytes.subarray(0, length));
      expect(decoder.problem).toBeNull();
      expect(collector.frames).toEqual([]);
    }
  });
});

it('a stream gives the same frames and blocks however it is cut into chunks', () => {
  const block = new Uint8Array(PIECE_HEADER_BYTES + 100).fill(9);
  writePieceHeader(block, { piece: 3, begin: 50 }, 100);
  const stream = Buffer.concat([...golden.map(([frame]) => encodeFrame(frame)), block, bytesOf('00000001 0e'), block]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const chunks: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      const { decoder, collector } = decode(...chunks);
      expect(decoder.problem).toBeNull();
      expect(plain(collector.frames)).toEqual(plain([...golden.map(([frame]) => frame), { kind: 'keepAlive' }]));
      expect(collector.blocks).toEqual([
        { piece: 3, begin: 50, bytes: Buffer.alloc(100, 9) },
        { piece: 3, begin: 50, bytes: Buffer.alloc(100, 9) },
      ]);
    }),
  );
});

it.each([
  ['a kind that does not exist', '00000001 0f'],
  ['kind 0', '00000001 00'],
  ['no kind at all', '00000000 0e'],
  ['a hello that is too short', `00000024 01 ${'00'.repeat(35)}`],
  ['a hello whose key is longer than it says', `00000027 01 01 00 01 ${'00'.repeat(32)} 01 aabb`],
  ['a lane beyond the count', `00000025 01 01 02 02 ${'00'.repeat(32)} 00`],
  ['a grant that is too long', `0000${(GRANT_BYTES_MAX + 2).toString(16).padStart(4, '0')} 03`],
  ['a close code that does not exist', `00000002 04 ${(CLOSE_CODES.length + 1).toString(16).padStart(2, '0')}`],
  ['close code 0', '00000002 04 00'],
  ['a manifest part that is too long to ask for', `00000009 05 00000000 ${hex32(MANIFEST_PART_BYTES_MAX + 1)}`],
  ['a manifest that is too long', `0000000a 06 ${hex32(MANIFEST_BYTES_MAX + 1)} 00000000 00`],
  ['a manifest part beyond its end', '0000000a 06 00000004 00000004 00'],
  ['a bitfield of another length', '00000006 07 00000009 00'],
  ['a bitfield of too many pieces', `${hex32(5 + 16384 / 8 + 1)} 07`],
  ['a have of half a number', '00000007 08 00000001 0000'],
  ['a have of too many pieces', `${hex32(1 + 4 * (HAVE_PIECES_MAX + 1))} 08`],
  ['a request of nothing', '0000000d 09 00000000 00000000 00000000'],
  ['a request that is too long', `0000000d 09 00000000 00000000 ${hex32(BLOCK_BYTES_MAX + 1)}`],
  ['a block of nothing', '00000009 0a 00000000 00000000'],
  ['a block that is too long', `${hex32(9 + BLOCK_BYTES_MAX + 1)} 0a`],
  ['a keep-alive with a body', '00000002 0e 00'],
  ['the start of a TLS handshake', '16030100 c8 010000c403'],
  ['the start of a web request', Buffer.from('GET / HTTP/1.1').toString('hex')],
])('refuses %s', (_title, hex) => {
  const { decoder, collector } = decode(bytesOf(hex));
  expect(decoder.problem).not.toBeNull();
  expect(collector.frames).toEqual([]);
  decoder.push(encodeFrame({ kind: 'keepAlive' }), collector);
  expect(collector.frames).toEqual([]);
});

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

it.each(golden)('before the grant the side that listens takes %j only when it is small', ({ kind }, hex) => {
  const decoder = new FrameDecoder(TAKEN_FRAMES.byListener.greeting);
  decoder.push(bytesOf(hex).subarray(0, 5), new Collector());
  const isTaken = ['hello', 'proof', 'grant', 'refuse'].includes(kind);
  expect(decoder.problem).toBe(isTaken ? null : `${kind} frame out of turn`);
});

it('never fails on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
      expect(() => decode(...chunks)).not.toThrow();
    }),
    { numRuns: 2000 },
  );
});

it('each side signs another text in each conversation', () => {
  const hello = { kind: 'hello', version: 1, lane: 0, laneCount: 1, nonce, key: Uint8Array.of(1) } as const;
  const other = { ...hello, nonce: new Uint8Array(32) };
  const texts = [
    proofMessage('dialler', hello, other),
    proofMessage('listener', hello, other),
    proofMessage('dialler', other, hello),
    proofMessage('dialler', { ...hello, key: Uint8Array.of(2) }, other),
  ].map((bytes) => Buffer.from(bytes).toString('hex'));
  expect(new Set(texts).size).toBe(4);
});
