// Owns the main thread's half of reading pieces for somebody on this machine: which files a piece lies in and what its digest is.
// The worker gets no more of the manifest than that, so that a share of many files costs no more than one of a single file.
import { type Manifest, manifestGeometry, pieceDigest } from '#domain/manifest';
import { pieceIndex, pieceRange } from '#domain/piece-geometry';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { type FileTable, filesIn, fileTable } from '../storage/content-layout.ts';
import { valueOf } from './content-hashing.ts';
import type { PieceRead } from './transfer-engine.ts';

/** Places of the files of manifests that are being read. */
const placed = new WeakMap<Manifest, FileTable>();

/** See TransferEngine.readPiece. */
export async function readPiece(pool: WorkerPool, read: PieceRead): Promise<boolean> {
  const { manifest, copy, begin, target, signal } = read;
  const geometry = manifestGeometry(manifest);
  const index = pieceIndex(geometry, Math.floor(begin / geometry.pieceBytes));
  if (index === undefined) throw new RangeError(`there is no byte ${begin}`);
  const piece = pieceRange(geometry, index);
  if (begin + target.length > piece.begin + piece.length) throw new RangeError('what is read lies in one piece');
  const calledOff = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const callOff = (): number => Atomics.store(calledOff, 0, 1);
  signal.addEventListener('abort', callOff, { once: true });
  try {
    const files = filesIn(tableOf(manifest), piece);
    const { roots, identity, placed: apart = null } = copy;
    // A copy: what crosses to the worker is all of the memory that a view is on.
    const digest = Uint8Array.from(pieceDigest(manifest, index));
    const { hash } = manifest;
    return valueOf(
      await pool.run('readPiece', {
        files,
        roots,
        identity,
        placed: apart,
        hash,
        digest,
        piece,
        target,
        begin,
        calledOff,
      }),
    );
  } finally {
    signal.removeEventListener('abort', callOff);
  }
}

/** Where each file of a manifest lies in the content. */
function tableOf(manifest: Manifest): FileTable {
  const known = placed.get(manifest) ?? fileTable({ begin: 0, files: manifest.files });
  placed.set(manifest, known);
  return known;
}
