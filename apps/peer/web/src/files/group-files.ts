// Owns the files of one group as the page follows them: all pages in the background while the first is shown, then what changes. After
// a break, and after changes too many to tell, they are read anew beside what is shown, which is replaced at once.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { FileItem } from '#wire/control-api';
import { getPage, type Page, part } from '../api/client.ts';
import type { Answer, PageProblem } from '../api/problem.ts';
import { onEvent, watchGroup } from '../live/event-feed.ts';
import {
  emptyIndex,
  type FileChanges,
  type FileIndex,
  type FileOrder,
  type FileRow,
  inOrder,
  matching,
  withChanges,
  withFiles,
} from './file-index.ts';

/** News about a group often come together: they are one reading, at most so often. */
const REREAD_MS = 1_000;

/** The files of one group. */
export class GroupFiles {
  readonly group: string;
  /** What is searched for. */
  readonly search: Signal<string> = signal('');
  readonly isComplete: Signal<boolean> = signal(false);
  readonly problem: Signal<PageProblem | null> = signal(null);
  readonly rows: ReadonlySignal<readonly FileRow[]>;
  readonly #index = signal<FileIndex>(emptyIndex());
  readonly #interrupt = new AbortController();
  readonly #stops: (() => void)[];
  /** What is being read anew; null while nothing is, or while it is shown as it comes. */
  #next: FileIndex | null = null;
  #isReading = false;
  #isStale = false;
  #rereadTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(group: string) {
    this.group = group;
    this.rows = computed(() => matching(this.#index.value, this.search.value));
    const isOurs = (event: { readonly group: string }): boolean => event.group === group;
    this.#stops = [
      watchGroup(group, () => this.reload()),
      onEvent<FileChanges & { group: string }>('files_changed', (event) => {
        if (isOurs(event)) this.#changed(event);
      }),
      // With an id it tells of members too, and of files what `files_changed` tells as well.
      onEvent<{ group: string }>('group_changed', (event, isNumbered) => {
        if (isOurs(event) && !isNumbered) this.#rereadSoon();
      }),
    ];
  }

  /** How many there are, whatever is searched for. */
  get count(): number {
    return this.#index.value.rows.length;
  }

  get order(): FileOrder {
    return this.#index.value.order;
  }

  sort(order: FileOrder): void {
    this.#index.value = inOrder(this.#index.peek(), order);
    if (this.#next !== null) this.#next = inOrder(this.#next, order);
  }

  /** The newest version of a file, if the group has it. */
  find(file: string): FileItem | null {
    return this.#index.value.rows.find(({ item }) => item.file === file)?.item ?? null;
  }

  /** Reads all of it anew; at most one reading runs, and one more waits. */
  reload(): void {
    this.#isStale = true;
    if (!this.#isReading) void this.#readWhileStale();
  }

  close(): void {
    this.#interrupt.abort();
    clearTimeout(this.#rereadTimer);
    for (const stop of this.#stops) stop();
  }

  #rereadSoon(): void {
    this.#rereadTimer ??= setTimeout(() => {
      this.#rereadTimer = undefined;
      this.reload();
    }, REREAD_MS);
  }

  async #readWhileStale(): Promise<void> {
    this.#isReading = true;
    while (this.#isStale && !this.#interrupt.signal.aborted) {
      this.#isStale = false;
      const { order, rows } = this.#index.peek();
      this.#next = rows.length === 0 ? null : emptyIndex(order);
      this.problem.value = await this.#readAll();
      if (this.#next !== null && this.problem.value === null) this.#index.value = this.#next;
      this.#next = null;
      if (this.problem.value === null) this.isComplete.value = true;
    }
    this.#isReading = false;
  }

  get #address(): string {
    return `/groups/${part(this.group)}/files`;
  }

  async #readAll(): Promise<PageProblem | null> {
    for (let after: string | null = null; ;) {
      const page: Answer<Page<FileItem>> = await getPage(this.#address, after, this.#interrupt.signal);
      if (this.#interrupt.signal.aborted) return null;
      if (!page.ok) return page.problem;
      if (this.#next === null) this.#index.value = withFiles(this.#index.peek(), page.value.items);
      else this.#next = withFiles(this.#next, page.value.items);
      after = page.value.next;
      if (after === null) return null;
    }
  }

  #changed(changes: FileChanges): void {
    this.#index.value = withChanges(this.#index.peek(), changes);
    if (this.#next !== null) this.#next = withChanges(this.#next, changes);
  }
}
