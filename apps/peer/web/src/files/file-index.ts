// Owns the files of a group as a sorted index that is never sorted twice: pages and changes are sorted by themselves and merged in,
// so that a change among 10,000 files costs one pass over them. Pure; an index is never changed, another one comes of it.
import type { FileItem } from '#wire/control-api';

/** What files can be sorted by. */
export type FileColumn = 'file' | 'totalBytes' | 'sharedBy' | 'sharedAt' | 'version' | 'completeCopies';

/** A column, and which way. Files that are equal in it are sorted by name. */
export interface FileOrder {
  readonly column: FileColumn;
  readonly isDescending: boolean;
}

/** A file, what of it is searched, in lower case, and its name so that plain comparison puts `part 9` before `part 10`. */
export interface FileRow {
  readonly item: FileItem;
  readonly folded: string;
  readonly nameKey: string;
}

/** All files that are known, sorted. */
export interface FileIndex {
  readonly order: FileOrder;
  readonly rows: readonly FileRow[];
}

/** What `files_changed` says: files as they are now, and versions that are gone. */
export interface FileChanges {
  readonly items: readonly FileItem[];
  readonly removed: readonly { readonly file: string; readonly version: number }[];
}

/** How the list begins. */
export const FIRST_ORDER: FileOrder = { column: 'file', isDescending: false };

/** An index without files. */
export function emptyIndex(order: FileOrder = FIRST_ORDER): FileIndex {
  return { order, rows: [] };
}

/** With these files, in place of those of the same names. */
export function withFiles({ order, rows }: FileIndex, items: readonly FileItem[]): FileIndex {
  if (items.length === 0) return { order, rows };
  const names = new Set(items.map(({ file }) => file));
  const others = rows.filter(({ item }) => !names.has(item.file));
  const compare = comparison(order);
  const added = items.map(rowOf).sort(compare);
  return { order, rows: merged(others, added, compare) };
}

/** With what changed of them. A version that is older than the one that is shown changes nothing. */
export function withChanges(index: FileIndex, { items, removed }: FileChanges): FileIndex {
  const gone = new Set(removed.map(({ file, version }) => `${version} ${file}`));
  const rows = index.rows.filter(({ item }) => !gone.has(`${item.version} ${item.file}`));
  const shown = new Map(rows.map(({ item }) => [item.file, item.version]));
  const newest = new Map<string, FileItem>();
  for (const item of items) {
    const known = Math.max(shown.get(item.file) ?? 0, newest.get(item.file)?.version ?? 0);
    if (item.version >= known) newest.set(item.file, item);
  }
  return withFiles({ ...index, rows }, [...newest.values()]);
}

/** The same files in another order. */
export function inOrder({ rows }: FileIndex, order: FileOrder): FileIndex {
  return { order, rows: rows.toSorted(comparison(order)) };
}

/** Those in which every word of a search stands: in the name, or in that of who shared it. */
export function matching({ rows }: FileIndex, search: string): readonly FileRow[] {
  const words = folded(search)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter((row) => words.every((word) => row.folded.includes(word)));
}

/** The order that a click on the head of a column asks for. Numbers and times begin with the greatest. */
export function orderAfterClick(order: FileOrder, column: FileColumn): FileOrder {
  if (order.column === column) return { column, isDescending: !order.isDescending };
  return { column, isDescending: column !== 'file' && column !== 'sharedBy' };
}

function rowOf(item: FileItem): FileRow {
  const name = folded(item.file);
  // A number is preceded by how many digits it has: a collator would do, and takes a tenth of a second for 10,000 names.
  const nameKey = name.replace(/0*(\d+)/g, (_, digits: string) => `0${String.fromCodePoint(digits.length)}${digits}`);
  return { item, folded: `${name}\n${folded(item.sharedBy)}`, nameKey };
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

type Comparison = (left: FileRow, right: FileRow) => number;

function comparison({ column, isDescending }: FileOrder): Comparison {
  const sign = isDescending ? -1 : 1;
  if (column === 'file') return (left, right) => sign * byName(left, right);
  return (left, right) => sign * ordered(left.item[column], right.item[column]) || byName(left, right);
}

function byName(left: FileRow, right: FileRow): number {
  return ordered(left.nameKey, right.nameKey) || ordered(left.item.file, right.item.file);
}

function ordered<Value extends string | number>(left: Value, right: Value): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function merged(left: readonly FileRow[], right: readonly FileRow[], compare: Comparison): FileRow[] {
  const rows: FileRow[] = [];
  let at = 0;
  for (const row of right) {
    while (at < left.length && compare(left[at]!, row) <= 0) rows.push(left[at++]!);
    rows.push(row);
  }
  while (at < left.length) rows.push(left[at++]!);
  return rows;
}
