// Owns what an audit remembers of commands to know one that is repeated: digests in place of ids and texts, which for a million
// commands take more memory than all else that a log comes to. Digests are salted by chance in each process, so that nobody can
// look for two commands that have one; then 12 bytes of each are enough. They are compared and kept as three numbers: as buffers,
// which are made for each, they took half as much time again as the hashing.
//
// Entries stand by their offset, in chunks. Those whose keys fall into one bucket are a chain, the latest first: what is forgotten
// is at its end, and never has to be taken out.
import { hash, randomBytes } from 'node:crypto';
import type { PublishedData } from '#domain/command';
import { type CommandResult, type Outcome, rejected, type SharedContent } from '#domain/outcome';
import { type FirstOutcome, OutcomeWindow } from '#domain/outcome-window';
import type { RejectionReason } from '#domain/rejection';
import type { RememberedOutcome } from '#domain/state';

const CHUNK_ENTRIES = 4_096;
const SALT_BYTES = 12;
const DIGEST_WORDS = 3;
/** Of a content that is empty, as none of a command is: for commands that are known by their ids alone. */
const NO_CONTENT: Digest = [0, 0, 0];
const BUCKETS_MIN = 1_024;

/**
 * An outcome without what is known from elsewhere: a reason; the id of the group for an upload of a new name, as everything
 * else about it is in the command (the complement of it since rules version 3, where such a share is told to be the first version);
 * another share that was told of; another result; null for an empty one.
 */
type Came = RejectionReason | number | SharedContent | CommandResult | null;

/** The first bytes of a hash, four in each word. */
type Digest = readonly [number, number, number];

interface Chunk {
  /** By place: the digest of the key, and that of the content. */
  readonly digests: Int32Array;
  /** By place: how many offsets before it the next in its chain is, 0 for none that is remembered. */
  readonly next: Uint32Array;
  /** By place; undefined where there is no entry. */
  readonly came: (Came | undefined)[];
}

/** Tells `apply` the same as the window of a tracker. Nothing can be read out of it. */
export class DigestedOutcomes extends OutcomeWindow {
  readonly #salt = randomBytes(SALT_BYTES).toString('hex');
  readonly #chunks = new Map<number, Chunk>();
  /** One more than the offset of the first in each chain, 0 for none. */
  #buckets = new Float64Array(BUCKETS_MIN);
  #count = 0;
  #oldest = 0;
  #last: { readonly key: string; readonly digest: Digest } | null = null;

  override first(key: string, content: string): FirstOutcome | 'other_command' | null {
    const digest = this.#keyDigestOf(key);
    for (let offset = this.#buckets[this.#bucketOf(digest[0])]! - 1; offset >= this.#oldest;) {
      const { digests, next, came } = this.#chunks.get(Math.floor(offset / CHUNK_ENTRIES))!;
      const place = offset % CHUNK_ENTRIES;
      const begin = place * 2 * DIGEST_WORDS;
      if (stands(digest, digests, begin)) {
        if (!stands(this.#contentDigestOf(content), digests, begin + DIGEST_WORDS)) return 'other_command';
        return { offset, outcome: outcomeOf(came[place]!, { offset, content }) };
      }
      offset -= next[place]! || Infinity;
    }
    return null;
  }

  override set(key: string, { offset, content, outcome }: RememberedOutcome): this {
    if (this.#count === this.#buckets.length) this.#growBuckets();
    this.#count += 1;
    const { digests, next, came } = this.#chunkOf(offset);
    const place = offset % CHUNK_ENTRIES;
    const digest = this.#keyDigestOf(key);
    digests.set(digest, place * 2 * DIGEST_WORDS);
    digests.set(this.#contentDigestOf(content), (place * 2 + 1) * DIGEST_WORDS);
    came[place] = cameOf(outcome, offset);
    this.#beginChain(digest[0], { offset, next });
    return this;
  }

  override forgetBefore(offset: number): void {
    if (offset <= this.#oldest) return;
    this.#oldest = offset;
    for (const [index, { came }] of this.#chunks) {
      if ((index + 1) * CHUNK_ENTRIES > this.#oldest) return;
      this.#chunks.delete(index);
      this.#count -= came.reduce((count: number, one) => (one === undefined ? count : count + 1), 0);
    }
  }

  #chunkOf(offset: number): Chunk {
    const index = Math.floor(offset / CHUNK_ENTRIES);
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    const chunk: Chunk = {
      digests: new Int32Array(CHUNK_ENTRIES * 2 * DIGEST_WORDS),
      next: new Uint32Array(CHUNK_ENTRIES),
      came: Array.from({ length: CHUNK_ENTRIES }),
    };
    this.#chunks.set(index, chunk);
    return chunk;
  }

  /** Twice as many, with every chain put together anew from the oldest entry on. */
  #growBuckets(): void {
    this.#buckets = new Float64Array(2 * this.#buckets.length);
    for (const [index, { digests, next, came }] of this.#chunks) {
      for (let place = 0; place < CHUNK_ENTRIES; place++) {
        if (came[place] === undefined) continue;
        this.#beginChain(digests[place * 2 * DIGEST_WORDS]!, { offset: index * CHUNK_ENTRIES + place, next });
      }
    }
  }

  /** Whatever stands in the chain behind what is forgotten is forgotten too, so that none is further away than the window is long. */
  #beginChain(word: number, { offset, next }: { readonly offset: number; readonly next: Uint32Array }): void {
    const bucket = this.#bucketOf(word);
    const following = this.#buckets[bucket]! - 1;
    next[offset % CHUNK_ENTRIES] = following >= this.#oldest ? offset - following : 0;
    this.#buckets[bucket] = offset + 1;
  }

  /** By the first word of a key's digest. */
  #bucketOf(word: number): number {
    return (word >>> 0) % this.#buckets.length;
  }

  /** Whoever remembers a command has looked for it before. */
  #keyDigestOf(key: string): Digest {
    if (this.#last?.key !== key) this.#last = { key, digest: digestOf(this.#salt, key) };
    return this.#last.digest;
  }

  #contentDigestOf(content: string): Digest {
    return content === '' ? NO_CONTENT : digestOf(this.#salt, content);
  }
}

/** As JSON has it when it is no Unicode: of two such texts UTF-8 would make one. No key and no content begins like JSON of a text. */
function digestOf(salt: string, text: string): Digest {
  const bytes = hash('sha256', salt + (text.isWellFormed() ? text : JSON.stringify(text)), 'latin1');
  return [wordAt(bytes, 0), wordAt(bytes, 4), wordAt(bytes, 8)];
}

/** The four bytes of a text, a character each, from a place on. */
function wordAt(bytes: string, place: number): number {
  const [first, second] = [bytes.charCodeAt(place), bytes.charCodeAt(place + 1)];
  const [third, fourth] = [bytes.charCodeAt(place + 2), bytes.charCodeAt(place + 3)];
  return first | (second << 8) | (third << 16) | (fourth << 24);
}

function stands([first, second, third]: Digest, digests: Int32Array, place: number): boolean {
  return digests[place] === first && digests[place + 1] === second && digests[place + 2] === third;
}

function cameOf(outcome: Outcome, offset: number): Came {
  if (outcome.status === 'rejected') return outcome.reason;
  const { result } = outcome;
  const { share } = result;
  if (share === undefined) return Object.keys(result).length === 0 ? null : result;
  if (share.shareId !== offset || (share.version ?? 1) > 1) return share;
  return share.version === undefined ? share.groupId : -1 - share.groupId;
}

function outcomeOf(came: Came, command: { readonly offset: number; readonly content: string }): Outcome {
  if (typeof came === 'string') return rejected(came);
  return { status: 'accepted', result: resultOf(came, command) };
}

function resultOf(
  came: Exclude<Came, RejectionReason>,
  { offset, content }: { readonly offset: number; readonly content: string },
): CommandResult {
  if (came === null) return {};
  if (typeof came === 'object') return 'shareId' in came ? { share: came } : came;
  const [, ...fields] = JSON.parse(content) as [name: string, ...fields: [name: string, value: unknown][]];
  const { group: _group, file: _file, ...shared } = Object.fromEntries(fields) as unknown as PublishedData;
  const first = came < 0 ? { version: 1 } : {};
  return { share: { groupId: came < 0 ? -1 - came : came, shareId: offset, ...shared, ...first } };
}
