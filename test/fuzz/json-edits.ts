// Owns how lines of JSON become others that still are JSON: values that decoders stumble over, fields that are missing, too much
// or named otherwise, values from elsewhere, lines twice or in another order.

type Json = null | boolean | number | string | Json[] | { [field: string]: Json };

const EDITS_MAX = 3;
const DEEP = 2_000;
const STUMBLES: readonly Json[] = [
  ...[null, true, false, 0, -0, 1, -1, 0.5, 255, 65_536, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300, -1e300],
  ...[
    '',
    ' ',
    '0',
    '1',
    '-1',
    '1e9',
    'null',
    '..',
    'a/b',
    '\0',
    'e\u0301',
    '\ud800',
    '\u202e',
    '__proto__',
    'constructor',
  ],
  ...['9999-12-31T23:59:59.999Z', '0000-01-01T00:00:00.000Z', '00000000-0000-4000-8000-000000000000', 'a'.repeat(300)],
  ...[[], {}, [[]], [null], [{}]],
];

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class JsonEdits {
  readonly #random: () => number;
  readonly #words: readonly string[];

  constructor(random: () => number, words: readonly string[]) {
    this.#random = random;
    this.#words = words;
  }

  /** Lines of JSON, made of those of an input; what is no JSON stays as it is. */
  edited(input: Uint8Array, other: Uint8Array): Uint8Array {
    const lines = linesOf(input);
    const donors = linesOf(other);
    for (let edits = 1 + this.#below(EDITS_MAX); edits > 0; edits--) {
      const at = this.#below(lines.length);
      const edit = this.#random();
      if (edit < 0.06) lines.splice(at, 1);
      else if (edit < 0.12) lines.splice(this.#below(lines.length + 1), 0, this.#pick(lines, ''));
      else if (edit < 0.18) lines.splice(at, 0, this.#pick(donors, ''));
      else if (lines.length > 0) lines[at] = this.#editedLine(lines[at]!, this.#pick(donors, 'null'));
    }
    return encoder.encode(lines.join('\n'));
  }

  #editedLine(line: string, donor: string): string {
    const value = parsed(line);
    if (value === undefined) return line;
    if (this.#random() < 0.01) return `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;
    const holder: Json[] = [value];
    this.#edit(this.#place(holder), parsed(donor) ?? null);
    return JSON.stringify(holder[0] ?? null);
  }

  #edit({ parent, key }: Place, donor: Json): void {
    const value = (parent as Record<string, Json>)[key]!;
    const edit = this.#below(10);
    if (edit <= 2) set(parent, key, this.#pick(STUMBLES, null));
    else if (edit === 3) set(parent, key, this.#pick(this.#words, ''));
    else if (edit === 4) set(parent, key, this.#valueIn(donor));
    else if (edit === 5) this.#remove(parent, key);
    else if (edit === 6) this.#add(value, donor);
    else if (edit === 7) set(parent, key, this.#random() < 0.5 ? [value] : { [key]: value });
    else set(parent, key, this.#nudged(value));
  }

  #nudged(value: Json): Json {
    if (typeof value === 'number') return value + this.#pick([1, -1, 0.5, 256, -value], 1);
    if (typeof value === 'boolean') return !value;
    if (Array.isArray(value)) return [...value, ...value].slice(0, 400);
    if (typeof value !== 'string') return value;
    const at = this.#below(value.length + 1);
    const added = this.#random() < 0.5 ? this.#pick(this.#words, '') : String.fromCharCode(this.#below(300));
    return value.slice(0, at) + added + value.slice(at + this.#below(3));
  }

  #remove(parent: Json[] | { [field: string]: Json }, key: string): void {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else if (this.#random() < 0.7) delete parent[key];
    else set(parent, this.#pick(this.#words, 'x'), parent[key]!);
  }

  #add(value: Json, donor: Json): void {
    if (Array.isArray(value)) value.splice(this.#below(value.length + 1), 0, this.#valueIn(donor));
    else if (typeof value === 'object' && value !== null)
      set(value, this.#pick(this.#words, 'x'), this.#valueIn(donor));
  }

  #valueIn(value: Json): Json {
    const { parent, key } = this.#place([value]);
    return structuredClone((parent as Record<string, Json>)[key] ?? null);
  }

  /** Some value within, the value itself now and then. */
  #place(holder: Json[]): Place {
    let place: Place = { parent: holder, key: '0' };
    for (;;) {
      const value = (place.parent as Record<string, Json>)[place.key];
      if (typeof value !== 'object' || value === null || this.#random() < 0.15) return place;
      const keys = Object.keys(value);
      if (keys.length === 0) return place;
      place = { parent: value, key: this.#pick(keys, '') };
    }
  }

  #pick<Item>(items: readonly Item[], otherwise: Item): Item {
    return items.length === 0 ? otherwise : items[this.#below(items.length)]!;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/** A value and where it stands. */
interface Place {
  readonly parent: Json[] | { [field: string]: Json };
  readonly key: string;
}

/** Also a field of the name `__proto__`, which assignment would take for something else. */
function set(parent: Json[] | { [field: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

function linesOf(bytes: Uint8Array): string[] {
  return decoder.decode(bytes).split('\n');
}

function parsed(line: string): Json | undefined {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}
