// Owns the bytes of everything that a tracker computes from the log, in blocks of a kind each: equal derived states have
// equal blocks in equal order. What is read back may be damaged; it says so, never throws, and proves its own digests.
//
//   state       = a block of libs/wire/src/state-codec.ts
//   credentials = (user:text offset:u64 phc:text)*           by user; text as ByteWriter.anyText has it
//   checkpoints = JSON of LedgerEntries                      one block
//   root_starts = (size:u64 (32*u8)*)*                       with the roots of its complete subtrees, largest first
//   root_leaves = chunk:u64 (32*u8)*                         by chunk, as are digests
//   digest_lasts = (32*u8)*      digests = chunk:u64 (32*u8)*
import { ByteReader } from '#wire/byte-reader';
import { ByteWriter } from '#wire/byte-writer';
import { encodeState, StateReader } from '#wire/state-codec';
import { CheckpointLedger, type LedgerEntries } from './checkpoint-ledger.ts';
import { type Credential, DerivedState } from './derived-state.ts';
import { DigestHistory } from './digest-history.ts';
import { canonicalJson } from './effect-digest.ts';
import { MerkleFrontier, subtreeCount } from './merkle-frontier.ts';
import { RootHistory } from './root-history.ts';

/** What a block is about. */
export type BlockKind = keyof typeof BLOCK_KINDS;

/** A block of a derived state. */
export interface DerivedBlock {
  readonly kind: BlockKind;
  readonly bytes: Uint8Array;
}

/** Every kind with its number, in the order in which they follow each other. */
export const BLOCK_KINDS = {
  state: 1,
  credentials: 2,
  checkpoints: 3,
  root_starts: 4,
  root_leaves: 5,
  digest_lasts: 6,
  digests: 7,
} as const;

const BLOCK_BYTES = 64 * 1024;
const HASH_BYTES = 32;

/** The blocks of a derived state. It must not change before the last one is taken. */
export function* encodeDerived(derived: DerivedState): Generator<DerivedBlock> {
  const { state, checkpoints, roots, digests, credentials } = derived.parts;
  for (const bytes of encodeState(state)) yield { kind: 'state', bytes };
  const users = [...credentials.keys()].sort();
  yield* blocksOf('credentials', users, (to, user) => {
    const { offset, phc } = credentials.get(user)!;
    to.anyText(user).u64(offset).anyText(phc);
  });
  yield { kind: 'checkpoints', bytes: Buffer.from(canonicalJson(checkpoints.entries)) };
  yield* blocksOf('root_starts', roots.starts, (to, { size, subtrees }) => {
    to.u64(size);
    for (const subtree of subtrees) to.bytes(subtree);
  });
  for (const chunk of roots.chunks()) yield { kind: 'root_leaves', bytes: chunkBytes(chunk) };
  yield* blocksOf('digest_lasts', digests.lastOfChunks, (to, digest) => to.bytes(digest));
  for (const chunk of digests.chunks()) yield { kind: 'digests', bytes: chunkBytes(chunk) };
}

function* blocksOf<Item>(
  kind: BlockKind,
  items: Iterable<Item>,
  write: (to: ByteWriter, item: Item) => void,
): Generator<DerivedBlock> {
  let block = new ByteWriter();
  for (const item of items) {
    write(block, item);
    if (block.length < BLOCK_BYTES) continue;
    yield { kind, bytes: block.finish() };
    block = new ByteWriter();
  }
  if (block.length > 0) yield { kind, bytes: block.finish() };
}

function chunkBytes([chunkIndex, hashes]: readonly [number, Uint8Array]): Uint8Array {
  return new ByteWriter().u64(chunkIndex).bytes(hashes).finish();
}

/** Puts a derived state together from its blocks, in order. */
export class DerivedReader {
  readonly #state = new StateReader();
  readonly #roots = new RootHistory();
  readonly #digests = new DigestHistory();
  readonly #credentials = new Map<string, Credential>();
  #checkpoints = new CheckpointLedger();
  /** Users in the order in which they were read, which is that of their credentials; and who is expected next. */
  #names: Iterator<string> | null = null;
  #name = '';

  /** Takes in the next block; what is wrong with it, as the end of a sentence, or null. */
  take({ kind, bytes }: DerivedBlock): string | null {
    const from = new ByteReader(bytes);
    switch (kind) {
      case 'state':
        return this.#state.take(bytes);
      case 'credentials':
        return eachIn(from, () => this.#takeCredential(from));
      case 'checkpoints':
        return this.#takeCheckpoints(bytes);
      case 'root_starts':
        return eachIn(from, () => this.#takeStart(from));
      case 'root_leaves':
        return this.#roots.putChunk(from.u64(), from.take(from.remainingBytes)) ? null : 'has leaves where none belong';
      case 'digest_lasts':
        return eachIn(from, () => this.#digests.putLast(from.take(HASH_BYTES)));
      case 'digests':
        return this.#digests.putChunk(from.u64(), from.take(from.remainingBytes))
          ? null
          : 'has digests of an impossible length';
    }
  }

  /** The whole, or what is wrong with it, as the end of a sentence. */
  finish(): DerivedState | string {
    const { state } = this.#state;
    const size = state.appliedOffset + 1;
    if (this.#roots.size !== size || this.#digests.size !== size) return 'has digests of another number of records';
    return new DerivedState({
      state,
      checkpoints: this.#checkpoints,
      roots: this.#roots,
      digests: this.#digests,
      credentials: this.#credentials,
    });
  }

  #takeCredential(from: ByteReader): void {
    // The name that the state has already: nothing is made for it.
    const user = from.anyTextOr(this.#name);
    this.#credentials.set(user, { offset: from.u64(), phc: from.anyText() });
    this.#expectNameAfter(user);
  }

  #expectNameAfter(user: string): void {
    this.#names ??= this.#state.state.users.keys();
    do this.#name = this.#names.next().value ?? '';
    while (this.#name !== '' && this.#name <= user);
  }

  #takeCheckpoints(bytes: Uint8Array): string | null {
    try {
      this.#checkpoints = CheckpointLedger.of(JSON.parse(Buffer.from(bytes).toString()) as LedgerEntries);
      return null;
    } catch {
      return 'has checkpoints that are none';
    }
  }

  #takeStart(from: ByteReader): void {
    const size = from.u64();
    const subtrees = Array.from({ length: subtreeCount(size) }, () => Buffer.from(from.take(HASH_BYTES)));
    if (!this.#roots.putStart(MerkleFrontier.of(size, subtrees))) from.problem ??= 'has a tree where none belongs';
  }
}

function eachIn(from: ByteReader, take: () => void): string | null {
  while (from.problem === null && from.remainingBytes > 0) take();
  return from.problem;
}
