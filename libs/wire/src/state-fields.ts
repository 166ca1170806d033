// Owns the fields that rows of a state have in common, see state-codec.ts.
import type { Share } from '#domain/state';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Of a peer, a tracker, a log, a content. */
export const ID_BYTES = 32;

/** What a share says of its content. */
export type Content = Pick<Share, 'contentId' | 'totalBytes' | 'pieceBytes' | 'pieceCount' | 'hash'>;

/** Writes what a share says of its content. */
export function writeContent(to: ByteWriter, { contentId, totalBytes, pieceBytes, pieceCount, hash }: Content): void {
  to.hex(contentId, ID_BYTES).u64(totalBytes).u64(pieceBytes).u64(pieceCount);
  to.u8(hash === 'sha1' ? 0 : 1);
}

/** Reads what `writeContent` wrote. */
export function readContent(from: ByteReader): Content {
  return {
    contentId: from.hex(ID_BYTES),
    totalBytes: from.u64(),
    pieceBytes: from.u64(),
    pieceCount: from.u64(),
    hash: from.u8() === 0 ? 'sha1' : 'sha256',
  };
}

/** Passes over what would be written again as it is; false at anything else. */
export function passContent(from: ByteReader): boolean {
  return from.pass(ID_BYTES) && from.passU64() && from.passU64() && from.passU64() && from.u8() <= 1;
}

/** Writes an id, or that there is none. */
export function writeIdIfAny(to: ByteWriter, id: string | null): void {
  to.u8(id === null ? 0 : 1);
  if (id !== null) to.hex(id, ID_BYTES);
}

/** Reads what `writeIdIfAny` wrote. */
export function readIdIfAny(from: ByteReader): string | null {
  return from.u8() === 0 ? null : from.hex(ID_BYTES);
}

/** The keys of a table in the order of its rows. */
export function sortedKeys(table: ReadonlyMap<string, unknown>): string[] {
  return [...table.keys()].sort();
}
