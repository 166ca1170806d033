// Owns the lines of the README that read the raw log without Cohort: which there are, how one is run against a log of a test, and
// what it has to print.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { rawLogCommandsOf } from '../architecture/readme-commands.ts';
import { readmeText } from '../architecture/readme-pages.ts';

const TOOLS = ['kcat', 'sqlite3', 'jq'];
const README_BROKER = '127.0.0.1:9092';

/** A record as it stands in the log; what is no record lacks fields. */
interface Line {
  readonly time?: string;
  readonly type?: string;
  readonly actor?: string;
  readonly peerid?: string;
  readonly subject?: string;
  readonly data?: object;
}

/** What each line of the README prints of these records, by a part of it that no other has. */
const PRINTS: readonly (readonly [part: string, printed: (texts: readonly string[]) => readonly string[]])[] = [
  ['ORDER BY offset', (texts) => texts.map((text, offset) => rowOf(offset, JSON.parse(text) as Line))],
  ['GROUP BY', countedTypes],
  ["-f '%o %s", (texts) => texts.map((text, offset) => `${offset} ${text}`)],
  [
    '.actor == "alice"',
    (texts) =>
      linesOf(texts)
        .filter(({ actor }) => actor === 'alice')
        .map(({ time, type, subject }) => [time, type, subject].join('\t')),
  ],
  [
    'cohort.download_file.v1',
    (texts) =>
      linesOf(texts)
        .filter(({ type }) => type === 'cohort.download_file.v1')
        .map(({ time, actor = null, peerid, data }) => JSON.stringify({ time, actor, peerid, data })),
  ],
];

const commands = rawLogCommandsOf(readmeText());

/** The lines of the README by what they read. */
export const rawLogCommands = {
  sqlite: commands.filter((command) => command.startsWith('sqlite3 ')),
  kafka: commands.filter((command) => command.startsWith('kcat ')),
  exported: commands.filter((command) => command.startsWith('jq ')),
} as const;

/** Why they cannot be run here; where they are demanded that is a failure. */
export const rawLogSkipReason = reasonToSkip();

function reasonToSkip(): string | null {
  const missing = TOOLS.filter((tool) => spawnSync(tool, ['-h']).error !== undefined);
  if (missing.length === 0 || process.env['COHORT_REQUIRE_LOG_TOOLS'] === '1') return null;
  process.stderr.write(`left out, reading the raw log: there is no ${missing.join(', no ')}\n`);
  return `there is no ${missing.join(', no ')}`;
}

/** What a line of the README prints of a log that holds these records. */
export function printedOf(command: string, records: readonly { readonly value: Uint8Array }[]): readonly string[] {
  const [known, ...more] = PRINTS.filter(([part]) => command.includes(part));
  if (known === undefined || more.length > 0) throw new Error(`it is not said what this has to print: ${command}`);
  return known[1](records.map(({ value }) => Buffer.from(value).toString()));
}

/** Runs a line of the README in a folder, with the test's broker in place of the usual one; the lines that it printed. */
export async function printedBy(command: string, { folder, brokers }: { folder: string; brokers: string | null }) {
  const line = brokers === null ? command : command.replace(README_BROKER, brokers);
  const options = { cwd: folder, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line], options);
  return stdout.trimEnd().split('\n');
}

function linesOf(texts: readonly string[]): Line[] {
  return texts.map((text) => JSON.parse(text) as Line);
}

/** As `sqlite3` prints a row: null is nothing. */
function rowOf(offset: number, { time = '', type = '', data }: Line): string {
  return [offset, time, type, data === undefined ? '' : JSON.stringify(data)].join('|');
}

function countedTypes(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const { type = '' } of linesOf(texts)) counts.set(type, (counts.get(type) ?? 0) + 1);
  const inOrder = [...counts].sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1));
  return inOrder.map(([type, count]) => `${type}|${count}`);
}
