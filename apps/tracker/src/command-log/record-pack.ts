// Owns how records cross between the thread of the log's driver and the tracker's: the bytes of all of them in one buffer, which
// is handed over. Cloned one by one, each record took a buffer of its own in both threads, and more time than applying it.
import type { AppendRecord } from './command-log.ts';

/** Records, one after the other. */
export interface PackedRecords {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly byteCounts: readonly number[];
  /** By the record's place: few have anything sealed. */
  readonly sealed: ReadonlyMap<number, string>;
}

/** Joins records; the buffer is to be transferred, and is gone afterwards. */
export function packRecords(records: readonly AppendRecord[]): PackedRecords {
  const byteCounts = records.map(({ value }) => value.byteLength);
  const bytes = new Uint8Array(byteCounts.reduce((sum, count) => sum + count, 0));
  const sealedByPlace = new Map<number, string>();
  let begin = 0;
  for (const [place, { value, sealed }] of records.entries()) {
    bytes.set(value, begin);
    begin += value.byteLength;
    if (sealed !== null) sealedByPlace.set(place, sealed);
  }
  return { bytes, byteCounts, sealed: sealedByPlace };
}

/** The records as they were packed: their bytes stay where they are, in one buffer. */
export function unpackRecords({ bytes, byteCounts, sealed }: PackedRecords): AppendRecord[] {
  let end = 0;
  return byteCounts.map((byteCount, place) => {
    const begin = end;
    end += byteCount;
    return { value: bytes.subarray(begin, end), sealed: sealed.get(place) ?? null };
  });
}
