// The table of limits in the README is that of the files that define them, and no door has one of its own.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { limitFacts, limitRowsOf, limitsIn } from './limit-table.ts';
import { readmeText } from './readme-pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Where strangers come in, or what they say is kept. */
const DOORS = [
  'apps/tracker/src/{control,presence,credentials}/*.ts',
  'apps/peer/src/control/{access-policy,control-*,events.controller}.ts',
  'apps/peer/src/data-plane/{peer-listener,peer-handshake,lane,serve-session,fetch-session,grant-desk,dial-socket}.ts',
  'libs/wire/src/{control-requests,tracker-api,command-bodies,transfer-frame,grant}.ts',
];
/** How a door is built, not how much of a stranger it takes. */
const NOT_A_LIMIT = ['ERRORS_MAX', 'PAGE_CHARACTERS_MAX'];

it('the README names every limit once, with its value, where it counts and what happens beyond it', () => {
  const rows = limitRowsOf(readmeText());
  expect(new Map(rows.map(({ name, value }) => [name, value]))).toEqual(limitFacts());
  expect(rows).toHaveLength(limitFacts().size);
  expect(rows.length).toBeGreaterThan(70);
  for (const { name, door, beyond } of rows) expect([name, door !== '', beyond !== '']).toEqual([name, true, true]);
});

it('no door has a limit of its own beside those', () => {
  const files = globSync(DOORS, { cwd: root });
  expect(files.length).toBeGreaterThan(35);
  const stray = files.flatMap((file) => limitsIn(read(file)).map((name) => `${file}: ${name}`));
  expect(stray.filter((each) => !NOT_A_LIMIT.some((name) => each.endsWith(`: ${name}`)))).toEqual([]);
});

it('a limit that stands in a source is found', () => {
  expect(limitsIn('const A_MAX = 1;\nexport const B_TIMEOUT_MS = 2;\nconst C_PAUSE_MS = 3;\n')).toEqual([
    'A_MAX',
    'B_TIMEOUT_MS',
  ]);
});
