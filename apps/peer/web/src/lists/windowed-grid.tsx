// Owns the long lists of the page: a grid of which only the rows that are seen are there, with one row that the keyboard is at.
// That row keeps its element when it is scrolled away, so that the focus is never lost; the elements of others are used again.
import { type Signal, useSignal } from '@preact/signals';
import { Component, type ComponentChildren, type JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { RowElements } from './row-elements.ts';
import { rowAfterKey, type RowRange, rowRange, scrolledTo } from './window-range.ts';

/** A column of a list. */
export interface GridColumn<Row> {
  /** Names its place in the style sheet, `cell-<name>`, and what is sorted by. */
  readonly name: string;
  readonly label: string;
  readonly isNumeric?: boolean;
  readonly isSortable?: boolean;
  /** What stands in a row; `isActive` when the keyboard is at it, and what can be pressed in it is to be reached by Tab. */
  readonly cell: (row: Row, isActive: boolean) => ComponentChildren;
}

/** What is sorted by. */
export interface GridOrder {
  readonly column: string;
  readonly isDescending: boolean;
}

interface GridProps<Row> {
  /** The accessible name. */
  readonly label: string;
  /** The class that gives its columns their widths. */
  readonly className: string;
  readonly columns: readonly GridColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowHeight: number;
  readonly order?: GridOrder;
  /** The row whose detail is shown. */
  readonly openKey: string | null;
  readonly keyOf: (row: Row) => string;
  readonly onSort?: (column: string) => void;
  readonly onOpen: (row: Row) => void;
  /** Of keys that do nothing to the list itself. */
  readonly onKey?: (key: string, row: Row) => void;
}

/** A list of any length. */
export function WindowedGrid<Row>(props: GridProps<Row>): JSX.Element {
  const { label, className, columns, rows } = props;
  return (
    <div class={`grid ${className}`} role="grid" aria-label={label} aria-rowcount={rows.length + 1}>
      <div class="grid-head" role="rowgroup">
        <div class="grid-row" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <GridHead key={column.name} column={column} order={props.order} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <GridBody {...props} />
    </div>
  );
}

function GridHead<Row>({
  column,
  order,
  onSort,
}: {
  readonly column: GridColumn<Row>;
  readonly order: GridOrder | undefined;
  readonly onSort: ((column: string) => void) | undefined;
}): JSX.Element {
  const { name, label, isNumeric, isSortable } = column;
  const isSorted = order?.column === name;
  const direction = order?.isDescending === true ? 'descending' : 'ascending';
  const className = `grid-cell cell-${name}${isNumeric === true ? ' is-numeric' : ''}`;
  if (isSortable !== true || onSort === undefined) {
    return (
      <div class={className} role="columnheader">
        {label}
      </div>
    );
  }
  return (
    <div class={className} role="columnheader" aria-label={label} aria-sort={isSorted ? direction : 'none'}>
      <button type="button" class="grid-sort" onClick={() => onSort(name)}>
        <span>{label}</span>
        <svg class="grid-arrow" viewBox="0 0 8 8" aria-hidden="true" data-direction={isSorted ? direction : 'none'}>
          <path d="M4 1.5 7 6H1z" />
        </svg>
      </button>
    </div>
  );
}

function GridBody<Row>(props: GridProps<Row>): JSX.Element {
  const { rows, rowHeight, keyOf } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const range = useSignal<RowRange>({ first: 0, end: Math.min(rows.length, 30) });
  const activeKey = useSignal<string | null>(null);
  const { active, isGone } = useActiveRow(props, activeKey.value);
  const follow = useRange({ scroller, range, rowHeight, rowCount: rows.length });
  const awaitFocus = useFocusedRow(scroller, isGone);
  const shown = shownRows(range.value, active, rows.length);
  const elements = useElements(shown.map((index) => keyOf(rows[index]!)));
  useLayoutEffect(() => {
    if (isGone && active >= 0) activeKey.value = keyOf(rows[active]!);
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    const element = scroller.current!;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const viewport = { scrollTop: element.scrollTop, height: element.clientHeight, rowHeight };
    const pageRows = Math.floor(viewport.height / rowHeight);
    const target = rowAfterKey(event.key, { row: active, rowCount: rows.length, pageRows });
    const row = rows[active];
    if (target !== null) {
      awaitFocus();
      activeKey.value = keyOf(rows[target]!);
      element.scrollTop = scrolledTo(target, viewport);
    } else if (row === undefined || !(event.target as HTMLElement).matches('[role=row]')) return;
    else if (event.key === 'Enter' || event.key === ' ') props.onOpen(row);
    else return props.onKey?.(event.key, row);
    event.preventDefault();
  };
  return (
    <div class="grid-body" role="rowgroup" ref={scroller} onScroll={follow} onKeyDown={onKeyDown}>
      <div class="grid-extent" role="presentation" style={{ height: `${rows.length * rowHeight}px` }}>
        {shown.map((index, place) => {
          const key = keyOf(rows[index]!);
          const makeActive = (): void => void (activeKey.value = key);
          const state = { isActive: index === active, isOpen: key === props.openKey };
          const parts = { row: rows[index]!, index, rowHeight, columns: props.columns, ...state };
          return (
            <GridRow key={elements[place]} {...parts} onPress={() => props.onOpen(rows[index]!)} onFocus={makeActive} />
          );
        })}
      </div>
    </div>
  );
}

/** The rows of a range, and the one that the keyboard is at, in order. */
function shownRows({ first, end }: RowRange, active: number, rowCount: number): number[] {
  const last = Math.min(end, rowCount);
  const rows: number[] = [];
  if (active >= 0 && active < first) rows.push(active);
  for (let row = first; row < last; row++) rows.push(row);
  if (active >= last) rows.push(active);
  return rows;
}

/** The element of each row of those that are shown. */
function useElements(keys: readonly string[]): readonly number[] {
  const elements = useMemo(() => new RowElements(), []);
  return elements.of(keys);
}

/** Where the keyboard is. It stays at its row when others come before it, and at its place when the row goes. */
function useActiveRow<Row>(
  { rows, keyOf }: Pick<GridProps<Row>, 'rows' | 'keyOf'>,
  key: string | null,
): { readonly active: number; readonly isGone: boolean } {
  const last = useRef(0);
  const found = useMemo(() => (key === null ? 0 : rows.findIndex((row) => keyOf(row) === key)), [rows, key]);
  const isGone = found === -1;
  last.current = isGone ? Math.min(last.current, rows.length - 1) : found;
  return { active: rows.length === 0 ? -1 : Math.max(0, last.current), isGone };
}

interface RangeParts {
  readonly scroller: { readonly current: HTMLDivElement | null };
  readonly range: Signal<RowRange>;
  readonly rowHeight: number;
  readonly rowCount: number;
}

/** Keeps the range at what is seen. Returns what is to be called after a scroll. */
function useRange({ scroller, range, rowHeight, rowCount }: RangeParts): () => void {
  const follow = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const next = rowRange({ scrollTop: element.scrollTop, height: element.clientHeight, rowHeight }, rowCount);
    const { first, end } = range.peek();
    if (next.first !== first || next.end !== end) range.value = next;
  };
  useLayoutEffect(follow, [rowHeight, rowCount]);
  const latest = useRef(follow);
  latest.current = follow;
  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    if (scroller.current !== null) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [scroller]);
  return follow;
}

/** Returns how to have the active row focused once it is in the document; so is the next one when a focused row goes. */
function useFocusedRow(scroller: { readonly current: HTMLDivElement | null }, isGone: boolean): () => void {
  const isAwaited = useRef(false);
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    // What had the focus is gone with its row, or shows another row now.
    const isLost = isGone && (activeElement === body || scroller.current?.contains(activeElement) === true);
    if (!isAwaited.current && !isLost) return;
    isAwaited.current = false;
    scroller.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus({ preventScroll: true });
  });
  // The keyboard may be at the last row already, and nothing is drawn anew then.
  return () => void (isAwaited.current = true);
}

interface RowProps<Row> {
  readonly row: Row;
  readonly index: number;
  readonly rowHeight: number;
  readonly columns: readonly GridColumn<Row>[];
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly onPress: () => void;
  readonly onFocus: () => void;
}

/** Is drawn anew only when something of it is another: what its cells read from signals they follow by themselves. */
class GridRow<Row> extends Component<RowProps<Row>> {
  override shouldComponentUpdate(next: RowProps<Row>, nextState: object): boolean {
    const now = this.props;
    return (
      // A signal that was read while it was drawn.
      nextState !== this.state ||
      next.row !== now.row ||
      next.index !== now.index ||
      next.rowHeight !== now.rowHeight ||
      next.columns !== now.columns ||
      next.isActive !== now.isActive ||
      next.isOpen !== now.isOpen
    );
  }

  override render({ row, index, rowHeight, columns, isActive, isOpen }: RowProps<Row>): JSX.Element {
    return (
      // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the list takes the keys of all its rows
      <div
        class="grid-row"
        role="row"
        aria-rowindex={index + 2}
        aria-selected={isOpen}
        tabIndex={isActive ? 0 : -1}
        style={{ height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)` }}
        onClick={(event) => this.#pressed(event)}
        // Of what is in the row, too: an element that has the focus shows no other row.
        onFocusIn={() => this.props.onFocus()}
      >
        {columns.map((column) => (
          <div
            key={column.name}
            class={`grid-cell cell-${column.name}${column.isNumeric === true ? ' is-numeric' : ''}`}
            role="gridcell"
          >
            {column.cell(row, isActive)}
          </div>
        ))}
      </div>
    );
  }

  #pressed(event: MouseEvent): void {
    // What is pressed in a row does what it says, and nothing else.
    if ((event.target as HTMLElement).closest('button, a') === null) this.props.onPress();
  }
}
