// Owns short news for whoever looks at the page: what was done, and what went wrong elsewhere than in the form at hand. They go by
// themselves, unless something is wrong or somebody is reading.
import { signal } from '@preact/signals';
import type { PageProblem } from '../api/problem.ts';

/** How news are meant. */
export type NewsTone = 'good' | 'info' | 'bad';

/** One of them. */
export interface News {
  readonly id: number;
  readonly tone: NewsTone;
  /** A sentence. */
  readonly text: string;
  /** Where it leads. */
  readonly link?: { readonly href: string; readonly label: string };
}

/** Those that are shown, the newest last. */
export const news = signal<readonly News[]>([]);

const SHOWN_MOST = 4;
let lastId = 0;

/** Shows news. */
export function tell(told: Omit<News, 'id'>): void {
  const next = { ...told, id: ++lastId };
  news.value = [...news.value.filter(({ text }) => text !== told.text), next].slice(-SHOWN_MOST);
}

/** Shows what went wrong. */
export function tellProblem(problem: PageProblem): void {
  tell({ tone: 'bad', text: problem.detail });
}

/** Takes news away. */
export function dismiss(id: number): void {
  news.value = news.value.filter((each) => each.id !== id);
}
