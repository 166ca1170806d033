// Owns the journal beside an unfinished download: which content it is, its manifest, and which pieces were verified. A piece
// is appended only after its bytes were written. Workers append at once, each with one small write at the end of the file.
// After a crash the last entries may be missing or torn; what is listed is hashed again before anybody relies on it.
//
//   journal = magic contentId:32*u8 manifestBytes:u32 manifest entry*
//   magic   = "cohort journal 1" 0x0a
//   entry   = piece:u32 check:u32                          CRC-32 over contentId and piece
//
// The entry of piece 2^32 - 1, which there never is, says that files of the download are put in place one by one: what is at the
// destination then is its own. The one of piece 2^31 + n says that file n of the content is its owner's: changed after it was put in
// place, and left as it is from then on.
import { closeSync, constants, fdatasyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { setBit, bitfieldBytes } from '#domain/bitfield';
import { MANIFEST_BYTES_MAX } from '#wire/limits';
import { journalPath } from './content-layout.ts';
import { writeFailure } from './storage-problem.ts';

const MAGIC = Buffer.from('cohort journal 1\n');
const CONTENT_ID_BYTES = 32;
const ENTRY_BYTES = 8;
const HEAD_BYTES = MAGIC.length + CONTENT_ID_BYTES + 4;
const PLACING = 0xffff_ffff;
const FIRST_LEFT = 0x8000_0000;

/** What a journal says. `listed` is a bitfield, still to be checked against the data. */
export interface JournalContents {
  readonly contentId: string;
  readonly manifestBytes: Uint8Array;
  readonly listed: (pieceCount: number) => Uint8Array;
  /** Whether files are in place, or were about to be: what is at the destination is the download's own. */
  readonly hasPlaced: boolean;
  /** Positions of files that were changed after they were put in place, when that was seen. */
  readonly left: readonly number[];
  /** Length of the sound part; whatever follows is torn. */
  readonly soundBytes: number;
}

/** The bytes of a journal without entries. */
export function journalHead(contentId: string, manifestBytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(manifestBytes.length);
  return Buffer.concat([MAGIC, Buffer.from(contentId, 'hex'), length, manifestBytes]);
}

/** Reads a journal; null when there is none or it is not one. Throws only when a file is there and cannot be read. */
export function readJournal(path: string): JournalContents | null {
  const bytes = readIfThere(path);
  if (bytes === null || bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const contentId = bytes.subarray(MAGIC.length, MAGIC.length + CONTENT_ID_BYTES);
  const manifestLength = bytes.readUInt32BE(HEAD_BYTES - 4);
  const entriesBegin = HEAD_BYTES + manifestLength;
  if (manifestLength > MANIFEST_BYTES_MAX || entriesBegin > bytes.length) return null;
  const entries = soundEntries(contentId, bytes.subarray(entriesBegin));
  return {
    contentId: contentId.toString('hex'),
    manifestBytes: bytes.subarray(HEAD_BYTES, entriesBegin),
    listed: (pieceCount) => listedPieces(entries, pieceCount),
    hasPlaced: entries.includes(PLACING),
    left: entries.filter((entry) => entry >= FIRST_LEFT && entry !== PLACING).map((entry) => entry - FIRST_LEFT),
    soundBytes: entriesBegin + entries.length * ENTRY_BYTES,
  };
}

/**
 * Whether what is at a path is a journal, or an empty file as a loss of power leaves one, and not somebody's own file with
 * the name of one. Throws when a file is there and cannot be read.
 */
export function isJournal(path: string): boolean {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const begin = Buffer.alloc(MAGIC.length);
    const count = readSync(file, begin);
    return count === 0 || begin.equals(MAGIC);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return false;
    throw error;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function soundEntries(contentId: Uint8Array, bytes: Buffer): number[] {
  const pieces: number[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const entry = bytes.subarray(at, at + ENTRY_BYTES);
    const piece = entry.readUInt32BE(0);
    if (!entry.equals(journalEntry(contentId, piece))) break;
    pieces.push(piece);
  }
  return pieces;
}

function listedPieces(pieces: readonly number[], pieceCount: number): Uint8Array {
  const bitfield = new Uint8Array(bitfieldBytes(pieceCount));
  for (const piece of pieces) if (piece < pieceCount) setBit(bitfield, piece);
  return bitfield;
}

function journalEntry(contentId: Uint8Array, piece: number): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt32BE(piece, 0);
  entry.writeUInt32BE(crc32(entry.subarray(0, 4), crc32(contentId)), 4);
  return entry;
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** One worker's way to append to a journal. */
export class JournalWriter {
  readonly #path: string;
  readonly #contentId: Uint8Array;
  #file: number | null = null;

  constructor(destination: string, contentId: string) {
    this.#path = journalPath(destination);
    this.#contentId = Buffer.from(contentId, 'hex');
  }

  /** Notes that a piece is on disk and verified. Throws StorageFailure disk_full, destination_unwritable. */
  append(piece: number): void {
    try {
      // Never makes one: a journal that is gone was removed with its download, and must not come back.
      this.#file ??= openSync(this.#path, constants.O_WRONLY | constants.O_APPEND);
      writeSync(this.#file, journalEntry(this.#contentId, piece));
    } catch (error) {
      throw writeFailure(error, this.#path);
    }
  }

  /** Notes that from now on what is at the destination is the download's own. On disk when it returns. Throws like `append`. */
  appendPlacing(): void {
    this.append(PLACING);
    if (this.#file !== null) fdatasyncSync(this.#file);
  }

  /** Notes which files are their owner's from now on. On disk when it returns. Throws like `append`. */
  appendLeft(positions: readonly number[]): void {
    for (const position of positions) this.append(FIRST_LEFT + position);
    if (this.#file !== null) fdatasyncSync(this.#file);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
