// `npm run mutants`: changes one thing at a time in the domain and in the replica and runs the tests that reach it, which have to
// fail. Ends with exit code 1 when they find less than 90 % of all such mutants, those that nobody could find included. The list
// of survivors, each with the reason why it may live, is in dist/mutants/survivors.md.
//   npm run mutants -- --files libs/domain/src/apply.ts,libs/domain/src/decide.ts --workers 2 --at-least 90
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say, textTable, type TextColumn } from '../bench/table.ts';
import { type FileScore, scoresOf, survivorList, survivorsOf } from './scores.ts';
import { EXPLAINED } from './survivors.ts';

const FOLDER = 'dist/mutants';
const SOURCES = 'libs/domain/src/**/*.ts,apps/tracker/src/replica/**/*.ts';

const { values: flags } = parseArgs({
  options: {
    files: { type: 'string', default: SOURCES },
    workers: { type: 'string', default: '2' },
    'at-least': { type: 'string', default: '90' },
  },
});

const COLUMNS: readonly TextColumn<FileScore>[] = [
  ['file', ({ file }) => file],
  ['mutants', ({ mutants }) => `${mutants}`],
  ['killed', ({ killed }) => `${killed}`],
  ['of them by time', ({ timedOut }) => `${timedOut}`],
  ['not run by a test', ({ notCovered }) => `${notCovered}`],
  ['score', ({ percent }) => `${percent.toFixed(1)} %`],
];

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const machine = machineLine();
say(machine);
const startMs = performance.now();
const mutants = await tried();
const scores = scoresOf(mutants);
const survivors = survivorsOf(mutants, { textOf: (file) => readFileSync(file, 'utf8'), explained: EXPLAINED });
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/survivors.md`, survivorList(survivors, machine));
say(textTable(scores, COLUMNS));
const unexplained = survivors.filter(({ why }) => why === null).length;
say(`${survivors.length} survivors, ${unexplained} of them not explained: ${FOLDER}/survivors.md`);
say(`${((performance.now() - startMs) / 60_000).toFixed(1)} minutes on ${flags.workers} threads`);
const { percent } = scores.at(-1)!;
if (!(percent >= Number(flags['at-least']))) {
  say(`less than ${flags['at-least']} % are killed`);
  process.exitCode = 1;
}

function tried(): ReturnType<Stryker['runMutationTest']> {
  const stryker = new Stryker({
    mutate: flags.files.split(','),
    testRunner: 'vitest',
    plugins: [import.meta.resolve('@stryker-mutator/vitest-runner')],
    vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: Number(flags.workers),
    tempDirName: `${FOLDER}/sandbox`,
    cleanTempDir: 'always',
    ignorePatterns: ['/dist', '/.cohort'],
    reporters: ['progress-append-only', 'html'],
    htmlReporter: { fileName: `${FOLDER}/report.html` },
    allowConsoleColors: false,
  });
  return stryker.runMutationTest();
}
