// Owns the tables that views are printed as: aligned columns, one item a line, nothing that a script would have to strip.

/** One column: its heading, and the text of an item in it. */
export interface Column<Item> {
  readonly heading: string;
  readonly text: (item: Item) => string;
  readonly align?: 'right';
}

/** The table with a heading line, or `empty` when there is nothing to show. Ends with a newline. */
export function renderTable<Item>(items: readonly Item[], columns: readonly Column<Item>[], empty: string): string {
  if (items.length === 0) return `${empty}\n`;
  const rows = [columns.map(({ heading }) => heading), ...items.map((item) => columns.map(({ text }) => text(item)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => width(row[column]!))));
  return rows.map((row) => `${renderRow(row, columns, widths)}\n`).join('');
}

function renderRow<Item>(row: readonly string[], columns: readonly Column<Item>[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const padding = ' '.repeat(widths[column]! - width(cell));
    return columns[column]!.align === 'right' ? padding + cell : cell + padding;
  });
  return cells.join('  ').trimEnd();
}

/** Characters as a person counts them; a terminal may still draw some of them wide. */
function width(text: string): number {
  return [...text].length;
}
