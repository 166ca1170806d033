// Owns where what the README promises stands: on its front page, and on the pages that this leads to. Tests read them as one text.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The pages in their order, by their paths below the root. */
export const README_PAGES = ['README.md', 'docs/using.md', 'docs/operating.md', 'docs/developing.md'];

/** All of them. */
export function readmeText(): string {
  const pathOf = (page: string): string => fileURLToPath(new URL(`../../${page}`, import.meta.url));
  return README_PAGES.map((page) => readFileSync(pathOf(page), 'utf8')).join('\n');
}
