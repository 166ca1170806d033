// Owns what priorities of files mean for the pieces that hold them: a piece is wanted as much as the file in it that is wanted
// most, so that a file that is wanted is whole once the pieces that are wanted are there.
import { type Manifest, manifestGeometry } from './manifest.ts';
import { PRIORITIES } from './piece-priorities.ts';

type Files = Pick<Manifest, 'files' | 'pieceBytes' | 'totalBytes'>;

/** The pieces that hold bytes of a file: from the first to before the last; none of an empty one. */
export interface PieceSpan {
  readonly first: number;
  readonly end: number;
}

/** Where each file lies in the pieces, in the order of the manifest. */
export function pieceSpans({ files, pieceBytes }: Files): PieceSpan[] {
  let begin = 0;
  return files.map(({ bytes }) => {
    const first = Math.floor(begin / pieceBytes);
    begin += bytes;
    return { first, end: bytes === 0 ? first : Math.ceil(begin / pieceBytes) };
  });
}

/** The priority of each piece, by those of the files, one for each in the order of the manifest. */
export function piecePriorities(manifest: Manifest, filePriorities: Uint8Array): Uint8Array {
  const priorities = new Uint8Array(manifestGeometry(manifest).pieceCount);
  for (const [position, { first, end }] of pieceSpans(manifest).entries()) {
    const priority = filePriorities[position] ?? PRIORITIES.skip;
    for (let piece = first; piece < end; piece++) priorities[piece] = Math.max(priorities[piece] ?? 0, priority);
  }
  return priorities;
}
