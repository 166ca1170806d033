// Owns which transfers the list shows, and in which order: all or some of them, searched by name. The list is the same object until
// another one is to be shown, so that progress draws no list.
import { computed, signal } from '@preact/signals';
import type { TransferView } from '#wire/control-api';
import type { GridOrder } from '../lists/windowed-grid.tsx';
import { transferIds, transferOf } from './transfer-store.ts';
import { isUnderWay, stateWords } from './transfer-words.ts';

/** Which transfers can be shown. */
export const TRANSFER_FILTERS = ['all', 'active', 'whole', 'trouble'] as const;
/** One of `TRANSFER_FILTERS`. */
export type TransferFilter = (typeof TRANSFER_FILTERS)[number];

/** What they are called. */
export const FILTER_WORDS: Readonly<Record<TransferFilter, string>> = {
  all: 'All',
  active: 'Under way',
  whole: 'Complete',
  trouble: 'Trouble',
};

/** Which are shown. */
export const transferFilter = signal<TransferFilter>('all');
/** What is searched for in the names of files and groups. */
export const transferSearch = signal('');
/** What they are sorted by; null for the newest first. */
export const transferOrder = signal<GridOrder | null>(null);

/** How many there are of each kind. */
export const filterCounts = computed<Readonly<Record<TransferFilter, number>>>(() => {
  const counts = { all: 0, active: 0, whole: 0, trouble: 0 };
  for (const id of transferIds.value) {
    const view = viewOf(id);
    for (const filter of TRANSFER_FILTERS) if (passes(view, filter)) counts[filter]++;
  }
  return counts;
});

let shownBefore: readonly string[] = [];

/** Ids of those that are shown. */
export const shownTransfers = computed<readonly string[]>(() => {
  const words = transferSearch.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const filter = transferFilter.value;
  const shown = transferIds.value.filter((id) => {
    const view = viewOf(id);
    return passes(view, filter) && isFound(view, words);
  });
  const order = transferOrder.value;
  if (order !== null) shown.sort(comparison(order));
  const isSame = shown.length === shownBefore.length && shown.every((id, index) => id === shownBefore[index]);
  if (!isSame) shownBefore = shown;
  return shownBefore;
});

/** The order after a click on the head of a column: up, down, and the newest first again. */
export function orderTransfersBy(column: string): void {
  const now = transferOrder.value;
  if (now?.column !== column) transferOrder.value = { column, isDescending: false };
  else transferOrder.value = now.isDescending ? null : { column, isDescending: true };
}

function viewOf(id: string): TransferView {
  return transferOf(id)!.value.view;
}

function passes(view: TransferView, filter: TransferFilter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'active':
      return isUnderWay(view);
    case 'whole':
      return view.state === 'complete' || view.state === 'seeding';
    case 'trouble':
      return stateWords(view).tone === 'bad' || view.state === 'stalled';
  }
}

function isFound({ file, group }: TransferView, words: readonly string[]): boolean {
  const searched = `${file}\n${group}`.toLowerCase();
  return words.every((word) => searched.includes(word));
}

function comparison({ column, isDescending }: GridOrder): (left: string, right: string) => number {
  const sign = isDescending ? -1 : 1;
  return (left, right) => {
    const [one, other] = [viewOf(left), viewOf(right)];
    if (column === 'totalBytes') return sign * (one.totalBytes - other.totalBytes);
    return sign * one.file.localeCompare(other.file, 'en', { numeric: true });
  };
}
