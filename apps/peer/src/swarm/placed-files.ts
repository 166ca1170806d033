// Owns what is known of the files of an unfinished download that are in their place: which of them are as they were put there, and
// which their owner has changed since. Those are left as they are: what the content has in their place is read and written at the part.
import { hasBit } from '#domain/bitfield';
import { pieceSpans } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { partPath, type PlacedApart, PLACES } from '../storage/content-layout.ts';
import type { FoundPlaced } from '../storage/placing.ts';
import { type ContentHashing, valueOf } from './content-hashing.ts';

type Stamps = FoundPlaced['stamps'];

/** What there is of an unfinished download that has put files in place. */
export interface PlacedFiles {
  /** Null for each file that is not in place as it was put there. */
  readonly stamps: Stamps;
  readonly apart: PlacedApart;
  /** Positions of those that are left to their owner. */
  readonly left: ReadonlySet<number>;
  /** Those of them that were never noted as such. */
  readonly newlyLeft: ReadonlySet<number>;
  /** Which of the listed pieces are there. */
  readonly sound: Uint8Array;
}

/** Looks at all of it. Throws TransferFailure aborted. */
export async function findPlacedFiles(
  download: { readonly destination: string; readonly manifest: Manifest; readonly listed: Uint8Array },
  { pool, hashing }: { readonly pool: WorkerPool; readonly hashing: ContentHashing },
  signal: AbortSignal,
): Promise<PlacedFiles> {
  const { destination, manifest, listed } = download;
  const { files, pieceBytes } = manifest;
  const found = valueOf(await pool.run('findPlaced', { destination, files, pieceBytes }));
  const placed = placedApart(destination, found.stamps);
  const checked = { root: partPath(destination), manifest, listed };
  const sound = await hashing.checkListed({ ...checked, placed }, signal);
  // A piece that is not what it was may be so by another file that it lies in: all of a file tells whose.
  const suspects = pieceSpans(manifest).map(({ first, end }, position) => {
    for (let piece = first; piece < end; piece++) if (!hasBit(sound, piece)) return found.stamps[position] ?? null;
    return null;
  });
  const isSuspect = suspects.some((stamp) => stamp !== null);
  const changed = isSuspect
    ? await hashing.changedFiles({ root: destination, manifest, stamps: suspects }, signal)
    : [];
  const left = new Set([...changed, ...found.others]);
  const stamps = found.stamps.map((stamp, position) => (left.has(position) ? null : stamp));
  const apart = placedApart(destination, stamps, left);
  // What is sound in a file that was changed elsewhere is not at the part, where it is read from now on.
  const kept = changed.length === 0 ? sound : await hashing.checkListed({ ...checked, placed: apart }, signal);
  const known = new Set(found.left);
  const newlyLeft = new Set([...left].filter((position) => !known.has(position)));
  return { stamps, apart, left, newlyLeft, sound: kept };
}

/** Where the files are, by the stamps of those in place. */
export function placedApart(root: string, stamps: Stamps, left: ReadonlySet<number> = new Set()): PlacedApart {
  const files = Uint8Array.from(stamps, (stamp) => (stamp === null ? PLACES.part : PLACES.inPlace));
  for (const position of left) files[position] = PLACES.left;
  return { root, files };
}
