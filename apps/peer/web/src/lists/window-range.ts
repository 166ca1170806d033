// Owns which rows of a long list are there at all: those that are seen, and some on either side, so that a fast wheel meets rows
// and not a void. Pure; heights in CSS pixels.

/** Rows above and below what is seen. */
const SPARE_ROWS = 10;

/** Rows of a list from `first`, and `end` is the first one that is not. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** What is seen of a list whose rows are all of one height. */
export interface Viewport {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
}

/**
 * The rows to be drawn. It begins at a multiple of half the spare rows, so that most scroll events draw nothing anew.
 */
export function rowRange({ scrollTop, height, rowHeight }: Viewport, rowCount: number): RowRange {
  const step = SPARE_ROWS / 2;
  const firstSeen = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const first = Math.floor(Math.max(0, firstSeen - step) / step) * step;
  const seenCount = Math.ceil(height / rowHeight) + 1;
  const end = Math.min(rowCount, first + seenCount + 2 * SPARE_ROWS);
  return { first: Math.min(first, Math.max(0, end - seenCount - 2 * SPARE_ROWS)), end };
}

/** Where to scroll so that a row is seen whole; the same place when it is. */
export function scrolledTo(row: number, { scrollTop, height, rowHeight }: Viewport): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  const bottom = top + rowHeight;
  return bottom > scrollTop + height ? bottom - height : scrollTop;
}

/** The row that a key leads to from another one, or null when the key is none that moves. */
export function rowAfterKey(
  key: string,
  { row, rowCount, pageRows }: { readonly row: number; readonly rowCount: number; readonly pageRows: number },
): number | null {
  const last = rowCount - 1;
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + Math.max(1, pageRows - 1),
    PageUp: row - Math.max(1, pageRows - 1),
    Home: 0,
    End: last,
  };
  const target = moves[key];
  return target === undefined || rowCount === 0 ? null : Math.min(last, Math.max(0, target));
}
