// Owns the picture of the pieces of a transfer: small squares, from the first piece to the last, each for one piece or for as many as
// have to share it. What the picture shows stands in words beneath it.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Painting, usePainting } from '../lists/canvas-painting.ts';
import { pieceCells, pieceCountOf, pieceMapText } from './piece-map.ts';
import type { KnownTransfer } from './transfer-deltas.ts';

const SQUARE = 6;
const GAP = 2;
const ROWS_MOST = 8;

/** The piece map of a transfer. */
export function PieceMapPicture({ transfer }: { readonly transfer: KnownTransfer }): JSX.Element {
  const { view, pieces } = transfer;
  const pieceCount = pieceCountOf(view.totalBytes, pieces.length);
  const text = useMemo(() => pieceMapText(pieces, pieceCount), [pieces, pieceCount]);
  const canvas = usePainting((painting) => paint(painting, pieces, pieceCount), [pieces, pieceCount]);
  if (pieceCount === 0) return <p class="piece-text">{view.totalBytes === 0 ? 'It is empty.' : text}</p>;
  return (
    <figure class="piece-map">
      <canvas class={rowsClass(pieceCount)} role="img" aria-label="Piece map" ref={canvas} />
      <figcaption class="piece-text">{text}</figcaption>
    </figure>
  );
}

/** One row for few pieces, more for many; the style sheet has the heights. */
function rowsClass(pieceCount: number): string {
  if (pieceCount <= 40) return 'piece-canvas is-low';
  return pieceCount <= 160 ? 'piece-canvas is-middling' : 'piece-canvas';
}

function paint({ context, width, height, colour }: Painting, pieces: Uint8Array, pieceCount: number): void {
  const pitch = SQUARE + GAP;
  const columns = Math.max(1, Math.floor((width + GAP) / pitch));
  const rows = Math.max(1, Math.min(ROWS_MOST, Math.floor((height + GAP) / pitch)));
  const cells = pieceCells(pieces, pieceCount, columns * rows);
  const [absent, here] = [colour('--piece-absent'), colour('--piece-here')];
  for (const [cell, share] of cells.entries()) {
    const [x, y] = [(cell % columns) * pitch, Math.floor(cell / columns) * pitch];
    context.globalAlpha = 1;
    context.fillStyle = absent;
    context.fillRect(x, y, SQUARE, SQUARE);
    if (share === 0) continue;
    // A square of which only a part is here is filled from below, so that it is told apart without its colour.
    const filled = share === 1 ? SQUARE : Math.max(1, Math.floor(share * (SQUARE - 1)));
    context.fillStyle = here;
    context.fillRect(x, y + SQUARE - filled, SQUARE, filled);
  }
}
