// Owns finding again what a download of some files of a share left on disk: files in their place, the rest of the pieces at the part.
// Nothing is offered of what is not as it was, down to the last piece.
import { countBits, hasBit } from '#domain/bitfield';
import { pieceSpans } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import type { ServedContent } from '../data-plane/lane-messages.ts';
import { inSharedMemory, stampsInSharedMemory } from '../data-plane/shared-memory.ts';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { partPath } from '../storage/content-layout.ts';
import { acceptManifest, type ContentHashing, valueOf } from './content-hashing.ts';
import { findPlacedFiles, type PlacedFiles } from './placed-files.ts';
import { type RestRequest, TransferFailure } from './transfer-engine.ts';

/** What lanes can serve of it. Throws TransferFailure source_missing, source_changed, aborted. */
export async function findRest(
  { share, contentId, pieceCount, destination, signal }: RestRequest,
  { pool, hashing }: { readonly pool: WorkerPool; readonly hashing: ContentHashing },
): Promise<ServedContent & { readonly verified: Uint8Array }> {
  const root = partPath(destination);
  const earlier = valueOf(await pool.run('findEarlierPart', { destination, contentId, pieceCount }));
  const identity = valueOf(await pool.run('identityOf', root));
  if (earlier === null || identity === null)
    throw new TransferFailure('source_missing', `${root} is not there any more`);
  const manifest = acceptManifest(earlier.manifestBytes);
  const { listed } = earlier;
  const found = await findPlacedFiles({ destination, manifest, listed }, { pool, hashing }, signal);
  const { stamps, apart: placed, sound } = found;
  const lost = countBits(listed) - countBits(sound) - ownersPieces(found, { manifest, listed });
  if (lost > 0) {
    const what = `${lost} pieces of what was downloaded to ${destination}`;
    throw new TransferFailure('source_changed', `${what} are not there any more, or were changed`);
  }
  const manifestBytes = inSharedMemory(earlier.manifestBytes);
  const shared = { manifestBytes, verified: inSharedMemory(sound), stamps: stampsInSharedMemory(stamps) };
  return { share, contentId, roots: [root], identity, placed, ...shared };
}

/** Pieces that are not there because they lie in files which their owner changed, when that is known already. */
function ownersPieces(
  { left, newlyLeft, sound }: PlacedFiles,
  { manifest, listed }: { readonly manifest: Manifest; readonly listed: Uint8Array },
): number {
  const spans = pieceSpans(manifest);
  const pieces = new Set<number>();
  for (const position of left) {
    if (newlyLeft.has(position)) continue;
    const { first, end } = spans[position]!;
    for (let piece = first; piece < end; piece++) if (hasBit(listed, piece) && !hasBit(sound, piece)) pieces.add(piece);
  }
  return pieces.size;
}
