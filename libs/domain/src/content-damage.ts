// Owns what a recheck of content comes to: which pieces and files are not what was shared, the verdict, and the words for it.
import { hasBit } from './bitfield.ts';
import { pieceSpans } from './file-priorities.ts';
import { type Manifest, manifestGeometry } from './manifest.ts';
import { type PieceIndex, pieceIndex, type PieceRange, pieceRange } from './piece-geometry.ts';

/** Best first. */
export const RECHECK_VERDICTS = ['sound', 'repaired', 'damaged', 'incomplete'] as const;

/**
 * `sound`: everything was as shared. `repaired`: it is now. `damaged`: something still is not. `incomplete`: a file is not
 * there, or cannot be read, so that nobody can say what it holds.
 */
export type RecheckVerdict = (typeof RECHECK_VERDICTS)[number];

/**
 * How many pieces and files are not as shared: with wrong bytes, of another length, not there or not to be read; and how many empty
 * folders are not there, and files cannot be run any more.
 */
export interface DamageCount {
  readonly damagedPieces: number;
  readonly misfitFiles: number;
  readonly absentFiles: number;
  readonly treeDifferences: number;
}

/** Runs of pieces that are named one by one; the others are counted. */
const NAMED_RUNS_MAX = 8;

/** The verdict on content that was found like `before`, and is like `after` now. */
export function recheckVerdict(before: DamageCount, after: DamageCount): RecheckVerdict {
  if (after.absentFiles > 0) return 'incomplete';
  if (isDamaged(after)) return 'damaged';
  return isDamaged(before) ? 'repaired' : 'sound';
}

function isDamaged(count: DamageCount): boolean {
  const { damagedPieces: pieces, misfitFiles, absentFiles, treeDifferences } = count;
  return pieces + misfitFiles + absentFiles + treeDifferences > 0;
}

/** The pieces that a bitfield of sound ones leaves out, ascending. */
export function damagedPieces(manifest: Manifest, sound: Uint8Array): PieceIndex[] {
  const geometry = manifestGeometry(manifest);
  const pieces = Array.from({ length: geometry.pieceCount }, (_, number) => pieceIndex(geometry, number)!);
  return pieces.filter((piece) => !hasBit(sound, piece));
}

/** Bytes of the pieces that a bitfield has. */
export function soundBytes(manifest: Manifest, sound: Uint8Array): number {
  const geometry = manifestGeometry(manifest);
  const lengths = damagedPieces(manifest, sound).map((piece) => pieceRange(geometry, piece).length);
  return lengths.reduce((left, length) => left - length, manifest.totalBytes);
}

/** Bytes of a run of the content that lie in pieces that a bitfield has. */
export function soundBytesOf(
  { begin, length }: PieceRange,
  { pieceBytes }: Pick<Manifest, 'pieceBytes'>,
  sound: Uint8Array,
): number {
  const end = begin + length;
  let soundCount = 0;
  for (let piece = Math.floor(begin / pieceBytes); piece * pieceBytes < end; piece++) {
    if (!hasBit(sound, piece)) continue;
    soundCount += Math.min(end, (piece + 1) * pieceBytes) - Math.max(begin, piece * pieceBytes);
  }
  return soundCount;
}

/** Positions of the files that have a byte in a damaged piece, ascending. */
export function damagedFiles(manifest: Manifest, sound: Uint8Array): number[] {
  return pieceSpans(manifest).flatMap(({ first, end }, position) => {
    for (let piece = first; piece < end; piece++) if (!hasBit(sound, piece)) return [position];
    return [];
  });
}

/** Numbers of pieces as a person reads them: `3, 7-9`. They ascend. */
export function piecesInWords(pieces: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const piece of pieces) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === piece - 1) run.last = piece;
    else runs.push({ first: piece, last: piece });
  }
  const named = runs.slice(0, NAMED_RUNS_MAX);
  const unnamedCount = runs.slice(NAMED_RUNS_MAX).reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const words = named.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
  return unnamedCount === 0 ? words : `${words} and ${unnamedCount} more`;
}
