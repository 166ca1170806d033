// Owns writing fields into a growing buffer, big-endian: the counterpart of ByteReader. Values out of range are bugs of
// the caller and throw.

const textEncoder = new TextEncoder();

/** A buffer that grows as fields are appended. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, inRange(value, 0xff));
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, inRange(value, 0xffff));
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, inRange(value, 0xffff_ffff));
    return this;
  }

  u64(value: number): this {
    const at = this.#grow(8);
    const sound = inRange(value, Number.MAX_SAFE_INTEGER);
    // Two halves cost no BigInt.
    this.#view.setUint32(at, Math.floor(sound / 2 ** 32));
    this.#view.setUint32(at + 4, sound >>> 0);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Hex text of exactly `length` bytes. */
  hex(value: string, length: number): this {
    if (value.length !== length * 2) throw new RangeError(`expected ${length} bytes of hex, got "${value}"`);
    return this.bytes(Uint8Array.fromHex(value));
  }

  /** UTF-8 text behind its length in bytes as u16. */
  text16(value: string): this {
    const encoded = textEncoder.encode(value);
    return this.u16(encoded.length).bytes(encoded);
  }

  /** Any text, also one that is no Unicode: u32 with twice the length in bytes, plus 1 when they are UTF-16. */
  anyText(value: string): this {
    const isUnicode = value.isWellFormed();
    const encoded = isUnicode ? textEncoder.encode(value) : utf16Of(value);
    return this.u32(encoded.length * 2 + (isUnicode ? 0 : 1)).bytes(encoded);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /** Everything written so far, as a copy of its exact length. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `length` bytes and returns where they begin. It may replace the buffer, so it goes first. */
  #grow(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

function utf16Of(value: string): Uint8Array {
  const units = Array.from({ length: value.length }, (_, place) => value.charCodeAt(place));
  return Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]));
}

function inRange(value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${value} is not an integer from 0 to ${max}`);
}
