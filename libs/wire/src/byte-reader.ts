// Owns reading untrusted bytes field by field, big-endian. It never throws and never reads past the end: the first problem
// sticks in `problem`, everything after it reads as zero or empty, and a codec asks once at the end of a group of fields.

/** The upper half of 2^53 - 1: two halves cost no BigInt, of which a large snapshot has millions. */
const UPPER_HALF_MAX = 2 ** 21 - 1;

const HEX = '0123456789abcdef';
const ASCII_MAX = 127;
/** What `anyText` reads first: twice the bytes of a text that is UTF-8. */
const PREFIX_BYTES = 4;

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A cursor over bytes. */
export class ByteReader {
  /** The first thing that went wrong, as the end of a sentence about the field being read, or null. */
  problem: string | null = null;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    // Parts of a Buffer are Buffers, and take several times as long to make.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** All bytes that it reads. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#position;
  }

  /** Reads on from a place where it stood before. */
  goBack(position: number): void {
    this.#position = position;
  }

  /** Bytes not read yet. */
  get remainingBytes(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    const at = this.#advance(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  /** The byte that `u8` would read; 0 where there is none. */
  peekU8(): number {
    return this.#position < this.#bytes.length ? this.#bytes[this.#position]! : 0;
  }

  u16(): number {
    const at = this.#advance(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#advance(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }

  /** An unsigned 64-bit integer of at most 2^53 - 1. */
  u64(): number {
    const at = this.#advance(8);
    if (at < 0) return 0;
    const upper = this.#view.getUint32(at);
    if (upper <= UPPER_HALF_MAX) return upper * 2 ** 32 + this.#view.getUint32(at + 4);
    this.problem = 'must be at most 2^53 - 1';
    return 0;
  }

  /** The next `length` bytes: a view, no copy. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  /** The next `length` bytes as lowercase hex. */
  hex(length: number): string {
    return this.take(length).toHex();
  }

  /** The next `length` bytes as strict UTF-8. */
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return textDecoder.decode(bytes);
    } catch {
      this.problem = 'must be UTF-8';
      return '';
    }
  }

  /** Passes over the next `length` bytes; false when they are not there. */
  pass(length: number): boolean {
    return this.#advance(length) >= 0;
  }

  /** Passes over what `u64` reads; false when it has a problem with that. */
  passU64(): boolean {
    this.u64();
    return this.problem === null;
  }

  /** Passes over what `anyText` reads. False where that is not UTF-8: then it stands somewhere within. */
  passAnyText(): boolean {
    const prefix = this.u32();
    const begin = prefix % 2 === 0 ? this.#advance(prefix / 2) : -1;
    if (begin < 0) return false;
    for (let at = begin; at < this.#position; at++) {
      if (this.#bytes[at]! <= ASCII_MAX) continue;
      this.#position = begin;
      this.text(prefix / 2);
      return this.problem === null;
    }
    return true;
  }

  /** `known` itself where the next `length` bytes are those that it is the hex of, and otherwise what `hex` reads. */
  hexOr(known: string, length: number): string {
    if (!this.#isHexOf(known, length)) return this.hex(length);
    this.#position += length;
    return known;
  }

  /** `known` itself where it is the text that comes next, and of ASCII alone; otherwise what `anyText` reads. */
  anyTextOr(known: string): string {
    if (!this.#isTextOf(known)) return this.anyText();
    this.#position += PREFIX_BYTES + known.length;
    return known;
  }

  /** Any text, as `ByteWriter.anyText` wrote it. */
  anyText(): string {
    const prefix = this.u32();
    if (prefix % 2 === 0) return this.text(prefix / 2);
    const bytes = this.take((prefix - 1) / 2);
    if (bytes.length % 2 !== 0) this.problem = 'must be pairs of bytes';
    let value = '';
    for (let at = 0; at + 1 < bytes.length; at += 2) value += String.fromCharCode(bytes[at]! * 256 + bytes[at + 1]!);
    return value;
  }

  #isHexOf(known: string, length: number): boolean {
    if (this.problem !== null || length > this.remainingBytes || known.length !== 2 * length) return false;
    for (let at = 0; at < length; at++) {
      const byte = this.#bytes[this.#position + at]!;
      if (known.charCodeAt(2 * at) !== HEX.charCodeAt(byte >>> 4)) return false;
      if (known.charCodeAt(2 * at + 1) !== HEX.charCodeAt(byte & 15)) return false;
    }
    return true;
  }

  #isTextOf(known: string): boolean {
    const { length } = known;
    if (this.problem !== null || PREFIX_BYTES + length > this.remainingBytes) return false;
    if (this.#view.getUint32(this.#position) !== 2 * length) return false;
    const begin = this.#position + PREFIX_BYTES;
    for (let at = 0; at < length; at++) {
      const byte = this.#bytes[begin + at]!;
      if (byte !== known.charCodeAt(at) || byte > ASCII_MAX) return false;
    }
    return true;
  }

  /** Where the next `length` bytes begin, or -1 when they are not there. */
  #advance(length: number): number {
    if (this.problem !== null) return -1;
    if (length > this.remainingBytes) {
      this.problem = 'ends too early';
      return -1;
    }
    const at = this.#position;
    this.#position += length;
    return at;
  }
}
