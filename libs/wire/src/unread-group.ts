// Owns a group that was read from the bytes of a state, see state-codec.ts, and whose shares stay bytes until somebody asks for
// one. After a start few of many groups are asked for soon: to make the shares of all takes longer than everything else.
import { SmallMap } from '#domain/small-map';
import type { Group, Membership, Share } from '#domain/state';
import { ByteReader } from './byte-reader.ts';
import type { KeptBytes, KeptPart } from './kept-bytes.ts';
import { isShareRow, SharePass, ShareReader, type WriteRow } from './share-rows.ts';

/** Making so many takes milliseconds, for which who asks first keeps others waiting: those of a larger group are made at once. */
const UNREAD_SHARES_MAX = 1_000;

/** A group whose shares are made when they are asked for. */
export class UnreadGroup implements Group {
  readonly id: number;
  readonly name: string;
  owner: string;
  copies = 0;
  readonly members = new SmallMap<Membership>();
  readonly requests = new SmallMap<Membership>();
  /** Null once they are made. */
  #unread: UnreadShares | null;
  /** What makes them; null before. */
  #reader: ShareReader | null = null;

  constructor({ id, name, owner }: Pick<Group, 'id' | 'name' | 'owner'>, kept: KeptBytes) {
    this.id = id;
    this.name = name;
    this.owner = owner;
    this.#unread = new UnreadShares(kept);
  }

  get shares(): Map<string, Share> {
    return this.#made().shares;
  }

  /** The rows of its shares as they were written; null once somebody has asked for shares, and may have changed them. */
  unreadRows(): Iterable<WriteRow> | null {
    return this.#unread?.rows() ?? null;
  }

  /** Takes in a row of a share, of which the kind was read, and perhaps some that follow it. */
  takeShares(kind: number, from: ByteReader): void {
    const left = this.#unread === null ? kind : this.#unread.take(kind, from);
    if (left !== null) this.#made().take(left, from);
    else if (this.#unread!.count > UNREAD_SHARES_MAX) this.#made();
  }

  #made(): ShareReader {
    const reader = (this.#reader ??= new ShareReader());
    this.#unread?.readInto(reader);
    this.#unread = null;
    return reader;
  }
}

/** Rows of the shares of one group, as bytes. */
class UnreadShares {
  readonly #kept: KeptBytes;
  readonly #parts: KeptPart[] = [];
  readonly #pass = new SharePass();

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  get count(): number {
    return this.#pass.count;
  }

  /**
   * Keeps a row, of which the kind was read, and those that follow it. The kind of the first of them that would not be written again
   * as it is, to be read on behind that; null when there is none.
   */
  take(kind: number, from: ByteReader): number | null {
    const begin = from.position - 1;
    let end = begin;
    let next: number | null = kind;
    while (next !== null && this.#pass.pass(next, from)) {
      end = from.position;
      next = isShareRow(from.peekU8()) ? from.u8() : null;
    }
    if (end > begin) this.#parts.push(this.#kept.keep({ bytes: from.bytes, begin, end }));
    if (next !== null) from.goBack(end + 1);
    return next;
  }

  readInto(reader: ShareReader): void {
    for (const { bytes, begin, end } of this.#parts) {
      const from = new ByteReader(bytes.subarray(begin, end));
      while (from.remainingBytes > 0) reader.take(from.u8(), from);
      if (from.problem !== null) throw new Error(`a row of a share that was passed ${from.problem}`);
    }
  }

  *rows(): Generator<WriteRow> {
    const pass = new SharePass();
    for (const { bytes, begin, end } of this.#parts) {
      const from = new ByteReader(bytes.subarray(begin, end));
      while (from.remainingBytes > 0) {
        const rowBegin = begin + from.position;
        pass.pass(from.u8(), from);
        const row = bytes.subarray(rowBegin, begin + from.position);
        yield (to) => to.bytes(row);
      }
    }
  }
}
