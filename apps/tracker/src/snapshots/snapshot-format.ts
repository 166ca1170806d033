// Owns a snapshot's file: the blocks of a derived state behind a head that says of which log, up to where and under which
// rules, and the hash of it all. Equal derived states have equal files, so the hash says whether two trackers' are equal.
//
//   file  = "cohort snapshot 1" 0x0a head frame* end
//   head  = logId:32*u8 offset:u64 rules:u64 root:32*u8 digest:32*u8         offset of the last record
//   frame = length:u32 kind:u8 length*u8                                     kinds of replica/derived-codec.ts
//   end   = 0:u32 hash:32*u8                                                 SHA-256 of everything before
import { createHash } from 'node:crypto';
import { ByteReader } from '#wire/byte-reader';
import { ByteWriter } from '#wire/byte-writer';
import { BLOCK_KINDS, type BlockKind, DerivedReader, encodeDerived } from '../replica/derived-codec.ts';
import type { DerivedState } from '../replica/derived-state.ts';
import type { Restart } from '../replica/replica.ts';

/** What a snapshot says about itself. Ids and hashes are 64 lowercase hex characters. */
export interface SnapshotHead {
  readonly logId: string;
  /** Of the last record that it is about. */
  readonly offset: number;
  readonly rulesVersion: number;
  /** RFC 6962 Merkle root over the records up to `offset`. */
  readonly root: string;
  /** Effect digest after it. */
  readonly digest: string;
}

/** A snapshot that was read, with the hash of its file. */
export interface ReadSnapshot {
  readonly derived: DerivedState;
  readonly hash: string;
}

const MAGIC = Buffer.from('cohort snapshot 1\n');
const HEAD_BYTES = 32 + 8 + 8 + 32 + 32;
const HASH_BYTES = 32;
const PIECE_BYTES = 1024 * 1024;
/** More than any block has: the longest is that of the compared checkpoints. */
const FRAME_BYTES_MAX = 256 * 1024 * 1024;
const KINDS = new Map<number, BlockKind>(
  Object.entries(BLOCK_KINDS).map(([kind, number]) => [number, kind as BlockKind]),
);

/** The bytes of the snapshot of a derived state, which must not change meanwhile; `ended` is told the hash of all. */
export function* snapshotBytes(derived: DerivedState, ended: (hash: string) => void): Generator<Uint8Array> {
  const sum = createHash('sha256');
  const hashed = (bytes: Uint8Array): Uint8Array => {
    sum.update(bytes);
    return bytes;
  };
  yield hashed(Buffer.concat([MAGIC, headBytes(derived)]));
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for (const { kind, bytes } of encodeDerived(derived)) {
    waiting.push(new ByteWriter().u32(bytes.length).u8(BLOCK_KINDS[kind]).finish(), bytes);
    waitingBytes += bytes.length;
    if (waitingBytes < PIECE_BYTES) continue;
    yield hashed(Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  }
  yield hashed(Buffer.concat([...waiting, new ByteWriter().u32(0).finish()]));
  const hash = sum.digest();
  ended(hash.toString('hex'));
  yield hash;
}

function headBytes({ state, root, digest }: DerivedState): Uint8Array {
  if (state.logId === null) throw new Error('there is no snapshot of a log that has not begun');
  const head = new ByteWriter().hex(state.logId, 32).u64(state.appliedOffset).u64(state.rulesVersion);
  return head.hex(root, 32).hex(digest, 32).finish();
}

/** How a snapshot is read. */
export type Reading = Pick<Restart, 'rules' | 'turn'>;

/** The derived state in a snapshot's bytes, or what is wrong with them, as a sentence. */
export async function readSnapshot(
  pieces: AsyncIterable<Uint8Array>,
  reading: Reading,
): Promise<ReadSnapshot | string> {
  const bytes = new PieceReader(pieces);
  try {
    return await readFrom(bytes, reading);
  } finally {
    await bytes.close();
  }
}

async function readFrom(bytes: PieceReader, { rules, turn }: Reading): Promise<ReadSnapshot | string> {
  const magic = await bytes.take(MAGIC.length);
  if (magic === null || !MAGIC.equals(magic)) return 'it does not begin as a snapshot of this build does';
  const head = headIn(await bytes.take(HEAD_BYTES));
  if (head === null) return 'it ends too early';
  if (head.rulesVersion > rules.newestVersion) {
    return `it is of rules version ${head.rulesVersion}, and this build knows up to ${rules.newestVersion}`;
  }
  const derived = await readBlocks(bytes, turn);
  if (typeof derived === 'string') return `it ${derived}`;
  const hash = bytes.hash();
  const written = await bytes.take(HASH_BYTES);
  if (written === null) return 'it ends too early';
  if (Buffer.from(written).toString('hex') !== hash) return 'its bytes are not those that were written';
  if (!(await bytes.isAtEnd())) return 'it has bytes behind its end';
  return saysTheSame(head, derived) ? { derived, hash } : 'its state is not the one that its head tells of';
}

async function readBlocks(bytes: PieceReader, turn: Reading['turn']): Promise<DerivedState | string> {
  const reader = new DerivedReader();
  for (;;) {
    await turn();
    const length = new ByteReader((await bytes.take(4)) ?? new Uint8Array()).u32();
    // A length that is not there reads as 0 as well, and then the hash is not there either.
    if (length === 0) return reader.finish();
    if (length > FRAME_BYTES_MAX) return 'has a block of an impossible length';
    const kind = KINDS.get((await bytes.take(1))?.[0] ?? 0);
    const block = await bytes.take(length);
    if (block === null) return 'ends too early';
    const problem = kind === undefined ? 'has a block of an unknown kind' : reader.take({ kind, bytes: block });
    if (problem !== null) return problem;
  }
}

function headIn(bytes: Uint8Array | null): SnapshotHead | null {
  if (bytes === null) return null;
  const from = new ByteReader(bytes);
  const head = { logId: from.hex(32), offset: from.u64(), rulesVersion: from.u64(), root: from.hex(32) };
  return { ...head, digest: from.hex(32) };
}

function saysTheSame(head: SnapshotHead, { state, root, digest }: DerivedState): boolean {
  return (
    head.logId === state.logId &&
    head.offset === state.appliedOffset &&
    head.rulesVersion === state.rulesVersion &&
    head.root === root &&
    head.digest === digest
  );
}

/** Bytes that come in pieces, taken in other lengths, and hashed as they are taken. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #sum = createHash('sha256');
  #piece: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, or null when there are not as many. */
  async take(length: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#at === this.#piece.length && !(await this.#next())) return null;
      const part = this.#piece.subarray(this.#at, this.#at + missing);
      this.#at += part.length;
      missing -= part.length;
      this.#sum.update(part);
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** Of everything taken so far: 64 hex characters. */
  hash(): string {
    return this.#sum.copy().digest('hex');
  }

  async isAtEnd(): Promise<boolean> {
    return this.#at === this.#piece.length && !(await this.#next());
  }

  /** Lets go of what the pieces come from. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #next(): Promise<boolean> {
    do {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#piece = value;
      this.#at = 0;
    } while (this.#piece.length === 0);
    return true;
  }
}
