// Owns how an input becomes another one: bits, lengths, integers that decoders stumble over, words of the sources, parts of
// other inputs; texts also by characters that mean something, JSON also value by value. Everything is drawn from one seeded
// source, so that a seed gives the same inputs.
import { JsonEdits } from './json-edits.ts';

/** What inputs of a target look like. `json` is one value a line. */
export type InputShape = 'bytes' | 'text' | 'json';

/** Longest input that comes out. */
export const INPUT_BYTES_MAX = 64 * 1024;

const EDITS_MAX = 6;
const INTERESTING = [0, 1, 2, 3, 7, 8, 16, 31, 32, 63, 64, 100, 127, 128, 254, 255, 256, 512, 1000, 1024, 4096];
const LARGE = [2 ** 15 - 1, 2 ** 15, 2 ** 16 - 1, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const HUGE = [2 ** 32, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 1025];
const TELLING = [
  ...[
    '\0',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '#',
    ':',
    '::',
    '.',
    '..',
    '/',
    '../',
    '\\',
    '"',
    "'",
    '%00',
    '%2e',
    '=',
    '-',
    '+',
  ],
  ...['\u0301', 'e\u0301', '\u00e9', '\u202e', '\ufeff', '\u2028', '\u{1f600}', '\u0130', 'CON', 'nul.txt', '[::1]'],
];

const encoder = new TextEncoder();

export class Mutations {
  readonly #random: () => number;
  readonly #shape: InputShape;
  readonly #words: readonly Uint8Array[];
  readonly #json: JsonEdits;

  constructor(
    random: () => number,
    { shape, words }: { readonly shape: InputShape; readonly words: readonly string[] },
  ) {
    this.#random = random;
    this.#shape = shape;
    this.#words = [...words, ...TELLING].map((word) => encoder.encode(word));
    this.#json = new JsonEdits(random, [...words, ...TELLING]);
  }

  /** Another input, made of one, and perhaps of parts of `other`. */
  mutated(input: Uint8Array, other: Uint8Array): Uint8Array {
    if (this.#shape === 'json' && this.#random() < 0.85) return this.#json.edited(input, other);
    let bytes = input;
    for (let edits = 1 + this.#below(EDITS_MAX); edits > 0; edits--) bytes = this.#edited(bytes, other);
    return bytes.slice(0, INPUT_BYTES_MAX);
  }

  #edited(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    const at = this.#below(bytes.length + 1);
    switch (this.#below(13)) {
      case 0:
        return this.#changed(bytes, (byte) => byte ^ (1 << this.#below(8)));
      case 1:
        return this.#changed(bytes, () => this.#below(256));
      case 2:
        return this.#changed(bytes, (byte) => byte + this.#below(70) - 35);
      case 3:
      case 4:
        return overwritten(bytes, at, this.#integer());
      case 5:
        return this.#counted(bytes);
      case 6:
        return replaced(bytes, [at, at + this.#length()], new Uint8Array(0));
      case 7:
        return replaced(bytes, [at, at], this.#part(bytes));
      case 8:
        return replaced(bytes, [at, at + this.#length()], this.#part(other));
      case 9:
        return replaced(bytes, [at, at], this.#word());
      case 10:
        return overwritten(bytes, at, this.#word());
      case 11:
        return this.#named(bytes, at);
      default:
        return this.#random() < 0.5 ? bytes.slice(0, at) : replaced(bytes, [at, at], this.#run());
    }
  }

  #changed(bytes: Uint8Array, change: (byte: number) => number): Uint8Array {
    const copy = bytes.slice();
    const at = this.#below(bytes.length);
    if (bytes.length > 0) copy[at] = change(copy[at]!);
    return copy;
  }

  /** Adds a little to an integer, where it is taken for a length. */
  #counted(bytes: Uint8Array): Uint8Array {
    const width = this.#pick([1, 2, 4]);
    if (bytes.length < width) return bytes;
    const copy = bytes.slice();
    const at = this.#below(bytes.length - width + 1);
    const view = new DataView(copy.buffer);
    const change = this.#below(9) - 4;
    if (width === 1) view.setUint8(at, view.getUint8(at) + change);
    else if (width === 2) view.setUint16(at, view.getUint16(at) + change);
    else view.setUint32(at, view.getUint32(at) + change);
    return copy;
  }

  /** Puts a word in the place of a text that its length stands before, or of a part of it, with the length that is right then. */
  #named(bytes: Uint8Array, from: number): Uint8Array {
    const width = this.#pick([1, 2, 4]);
    const lengthAt = lengthBefore(bytes, from, width);
    if (lengthAt < 0) return bytes;
    const textAt = lengthAt + width;
    const length = lengthIn(bytes, lengthAt, width);
    const begin = this.#below(length);
    const text = bytes.subarray(textAt, textAt + length);
    const isWhole = this.#random() < 0.5;
    const changed = isWhole ? this.#word() : replaced(text, [begin, begin + this.#length()], this.#word());
    const counted = replaced(bytes, [textAt, textAt + length], changed);
    writeLength(counted, { at: lengthAt, width, length: changed.length });
    return counted;
  }

  #integer(): Uint8Array {
    const bytes = new Uint8Array(this.#pick([1, 2, 4, 4, 8, 8]));
    const view = new DataView(bytes.buffer);
    const value = this.#pick(this.#random() < 0.6 ? INTERESTING : [...INTERESTING, ...LARGE, ...HUGE]);
    if (bytes.length === 1) view.setUint8(0, value);
    else if (bytes.length === 2) view.setUint16(0, value);
    else if (bytes.length === 4) view.setUint32(0, value);
    else view.setBigUint64(0, BigInt(value));
    return bytes;
  }

  #part(of: Uint8Array): Uint8Array {
    const at = this.#below(of.length + 1);
    return of.subarray(at, at + this.#length());
  }

  #word(): Uint8Array {
    return this.#pick(this.#words);
  }

  #run(): Uint8Array {
    return new Uint8Array(this.#pick([1, 3, 16, 255, 1_000, 5_000])).fill(this.#below(256));
  }

  #length(): number {
    return this.#random() < 0.7 ? 1 + this.#below(16) : this.#below(1_000);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/** Where the first length from a place on stands that as many characters of ASCII follow, at most 255 of them; -1 where none does. */
function lengthBefore(bytes: Uint8Array, from: number, width: number): number {
  for (let at = from; at < bytes.length - width; at++) {
    const length = lengthIn(bytes, at, width);
    if (length === 0 || length > 255 || at + width + length > bytes.length) continue;
    const text = bytes.subarray(at + width, at + width + length);
    if (text.every((byte) => byte >= 0x20 && byte < 0x7f)) return at;
  }
  return -1;
}

function lengthIn(bytes: Uint8Array, begin: number, width: number): number {
  let length = 0;
  for (let at = begin; at < begin + width; at++) length = length * 256 + bytes[at]!;
  return length;
}

function writeLength(
  bytes: Uint8Array,
  { at, width, length }: { readonly at: number; readonly width: number; readonly length: number },
): void {
  for (let place = 0; place < width; place++) bytes[at + width - 1 - place] = length >>> (8 * place);
}

function overwritten(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  return replaced(bytes, [at, at + by.length], by);
}

function replaced(bytes: Uint8Array, [begin, end]: readonly [number, number], by: Uint8Array): Uint8Array {
  const rest = bytes.subarray(end);
  const joined = new Uint8Array(begin + by.length + rest.length);
  joined.set(bytes.subarray(0, begin));
  joined.set(by, begin);
  joined.set(rest, begin + by.length);
  return joined;
}
