// The tables of the README say what the code does.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { COMMAND_NAMES } from '#domain/command';
import { README_PAGES, readmeText } from './readme-pages.ts';
import { factsOf, shownRowsOf, tableOf } from './readme-tables.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const facts = factsOf(read('libs/domain/src/decide.ts'), read('libs/domain/src/views.ts'));

it('the README names for each command who may issue it and how it can be refused', () => {
  const byName = (left: { command: string }, right: { command: string }): number =>
    left.command < right.command ? -1 : 1;
  expect(tableOf(read('README.md')).sort(byName)).toEqual(facts);
});

it('the README says what each dependency is for', () => {
  type Lists = Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>;
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Lists;
  const names = [dependencies, devDependencies, optionalDependencies].flatMap((list) => Object.keys(list));
  const text = readmeText().split('## What it stands on')[1] ?? '';
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

it.each([
  ['docs/operating.md', 'outage'],
  ['SECURITY.md', 'hole'],
])('%s names for each %s tests that there are', (file) => {
  const rows = shownRowsOf(read(file));
  expect(rows.length).toBeGreaterThan(10);
  for (const { about, tests } of rows) {
    expect(tests, about).not.toEqual([]);
    for (const { file: test, title } of tests) expect(read(`test/${test}`), about).toContain(title);
  }
});

it.each(['SECURITY.md', 'infra/README.md', ...README_PAGES])(
  '%s leads to files and headings that there are',
  (page) => {
    const links = [...read(page).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]+))?\)/g)];
    if (page === 'SECURITY.md') expect(links.length).toBeGreaterThan(20);
    for (const [link, path, heading] of links) {
      const text = read(path === '' ? page : join(dirname(page), path!));
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, words]) => words!.toLowerCase().replaceAll(' ', '-'));
      expect(text, link).not.toBe('');
      if (heading !== undefined) expect(headings, link).toContain(heading);
    }
  },
);

it('the front page leads to every other page', () => {
  const pages = README_PAGES.slice(1).filter((page) => !read('README.md').includes(`](${page})`));
  expect(pages).toEqual([]);
});

it('a reason is found in the decider itself and in what it calls', () => {
  expect(facts).toHaveLength(COMMAND_NAMES.length);
  expect(facts.find(({ command }) => command === 'stop_share')?.refusals).toEqual([
    'file_not_found',
    'group_not_found',
    'not_a_member',
    'not_share_owner',
    'request_pending',
    'version_not_found',
  ]);
});

it('a table is read without its prose', () => {
  const markdown =
    '| command | who | what | refused |\n| --- | --- | --- | --- |\n| `a_b` | x | y `no` | `d`, `c` |\n\n| not |\n';
  expect(tableOf(markdown)).toEqual([{ command: 'a_b', sender: 'x', refusals: ['c', 'd'] }]);
});
