// Owns the rows of the shares of one group in the bytes of a state, and of who has them, see state-codec.ts.
import { SmallMap } from '#domain/small-map';
import type { Share } from '#domain/state';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { ID_BYTES, passContent, readContent, sortedKeys, writeContent } from './state-fields.ts';

const ROW = { share: 7, seeder: 8, downloader: 9, newest: 15, older: 16 } as const;

/** A row that is being written, as a step of its own so that whoever writes can pause between any two. */
export type WriteRow = (to: ByteWriter) => void;

/** Whether rows of this kind are about shares. */
export function isShareRow(kind: number): boolean {
  return (
    kind === ROW.share || kind === ROW.seeder || kind === ROW.downloader || kind === ROW.newest || kind === ROW.older
  );
}

/** The rows of all shares of a group. */
export function* rowsOfShares(shares: ReadonlyMap<string, Share>): Generator<WriteRow> {
  for (const file of sortedKeys(shares)) {
    const share = shares.get(file)!;
    yield (to) => writeNewest(to, share);
    yield* rowsOfHolders(share);
    for (const older of share.history?.older ?? []) {
      yield (to) => writeShare(to, ROW.older, older).u64(older.version);
      yield* rowsOfHolders(older);
    }
  }
}

function* rowsOfHolders({ seeders, downloaders }: Share): Generator<WriteRow> {
  for (const peerId of sortedKeys(seeders)) {
    yield (to) => to.u8(ROW.seeder).hex(peerId, ID_BYTES).anyText(seeders.get(peerId)!);
  }
  for (const peerId of downloaders === null ? [] : sortedKeys(downloaders)) {
    yield (to) => to.u8(ROW.downloader).hex(peerId, ID_BYTES).anyText(downloaders!.get(peerId)!);
  }
}

/** Before files had versions there was but one kind of row: a state without them has the same bytes as then. */
function writeNewest(to: ByteWriter, share: Share): void {
  const { history, version } = share;
  if (history === null && version === 1) {
    writeShare(to, ROW.share, share);
    return;
  }
  const { lastVersion, sharedFirstBy } = history ?? { lastVersion: version, sharedFirstBy: share.sharedBy };
  writeShare(to, ROW.newest, share).u64(version).u64(lastVersion).anyText(sharedFirstBy);
}

function writeShare(to: ByteWriter, row: number, share: Share): ByteWriter {
  to.u8(row).anyText(share.file).u64(share.id);
  writeContent(to, share);
  return to.anyText(share.sharedBy).u64(share.sharedAtMs);
}

/** Goes over rows without making anything of them. */
export class SharePass {
  /** How many shares it has passed. */
  count = 0;
  #mayHaveOlder = false;

  /** Passes over what follows the kind of a row, if it would be written again as it is; false at anything else. */
  pass(kind: number, from: ByteReader): boolean {
    if (kind === ROW.share || kind === ROW.newest) {
      this.count += 1;
      this.#mayHaveOlder = kind === ROW.newest;
      return passShare(from) && (kind === ROW.share || passHistory(from));
    }
    if (kind === ROW.older) return this.#mayHaveOlder && passShare(from) && from.passU64();
    return this.count > 0 && from.pass(ID_BYTES) && from.passAnyText();
  }
}

function passShare(from: ByteReader): boolean {
  return from.passAnyText() && from.passU64() && passContent(from) && from.passAnyText() && from.passU64();
}

function passHistory(from: ByteReader): boolean {
  return from.passU64() && from.passU64() && from.passAnyText();
}

/** Makes the shares of a group from their rows. */
export class ShareReader {
  /** By name, in the order of the rows. */
  readonly shares = new Map<string, Share>();
  #share: Share | null = null;
  /** Those before the newest version of the file that is read. */
  #older: Share[] | null = null;
  /**
   * The user and the peer that were read last. Most shares of a group come from few, one after the other: the same string for all of
   * them takes its room once, and need not be made.
   */
  readonly #last = { user: '', peerId: '' };

  /** Takes in what follows the kind of a row. */
  take(kind: number, from: ByteReader): void {
    const share = this.#share;
    if (kind === ROW.share) this.#takeNewest(this.#readShare(from));
    else if (kind === ROW.newest) this.#takeNewest(this.#readNewest(from));
    else if (kind === ROW.older && this.#older !== null) {
      this.#share = { ...this.#readShare(from), version: from.u64() };
      this.#older.push(this.#share);
    } else if (kind === ROW.seeder && share !== null) this.#readHolder(from, share.seeders);
    else if (kind === ROW.downloader && share !== null) {
      share.downloaders ??= new SmallMap();
      this.#readHolder(from, share.downloaders);
    } else from.problem = misplaced(kind);
  }

  #readHolder(from: ByteReader, holders: Share['seeders']): void {
    const { user, peerId } = this.#last;
    this.#last.peerId = from.hexOr(peerId, ID_BYTES);
    this.#last.user = from.anyTextOr(user);
    holders.set(this.#last.peerId, this.#last.user);
  }

  #readShare(from: ByteReader): Share {
    const [file, id] = [from.anyText(), from.u64()];
    const content = readContent(from);
    this.#last.user = from.anyTextOr(this.#last.user);
    return {
      ...content,
      id,
      file,
      sharedBy: this.#last.user,
      sharedAtMs: from.u64(),
      seeders: new SmallMap(),
      downloaders: null,
      version: 1,
      history: null,
    };
  }

  #readNewest(from: ByteReader): Share {
    const share = this.#readShare(from);
    const [version, lastVersion, sharedFirstBy] = [from.u64(), from.u64(), from.anyTextOr(share.sharedBy)];
    return { ...share, version, history: { sharedFirstBy, lastVersion, older: [] } };
  }

  #takeNewest(share: Share): void {
    this.#share = share;
    this.#older = share.history?.older ?? null;
    this.shares.set(share.file, share);
  }
}

function misplaced(kind: number): string {
  return `has a row of kind ${kind} where none is expected`;
}
