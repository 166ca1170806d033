// Owns finding again what a download of some files of a share left on disk: files in their place, the rest of the pieces at the part.
// Nothing is offered of what is not as it was, down to the last piece.
import { countBits } from '#domain/bitfield';
import type { ServedContent } from '../data-plane/lane-messages.ts';
import { inSharedMemory, stampsInSharedMemory } from '../data-plane/shared-memory.ts';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { partPath } from '../storage/content-layout.ts';
import { acceptManifest, type ContentHashing, valueOf } from './content-hashing.ts';
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
  const { files, pieceBytes } = manifest;
  const stamps = valueOf(await pool.run('findPlaced', { destination, files, pieceBytes }));
  const placed = { root: destination, files: Uint8Array.from(stamps, (stamp) => (stamp === null ? 0 : 1)) };
  const { listed } = earlier;
  const sound = await hashing.checkListed({ root, manifest, listed, placed }, signal);
  const lost = countBits(listed) - countBits(sound);
  if (lost > 0) {
    const what = `${lost} pieces of what was downloaded to ${destination}`;
    throw new TransferFailure('source_changed', `${what} are not there any more, or were changed`);
  }
  const manifestBytes = inSharedMemory(earlier.manifestBytes);
  const shared = { manifestBytes, verified: inSharedMemory(sound), stamps: stampsInSharedMemory(stamps) };
  return { share, contentId, roots: [root], identity, placed, ...shared };
}
