// Owns commands as a person types them: `cohort <words>` through the launcher, in a pipe or at a terminal of their own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { LAUNCHER, ROOT } from '../../infra/quick-start/node-process.ts';

/** How a command ended. Typed at a terminal, both streams are one: `out`. */
export interface Typed {
  readonly exitCode: number | null;
  readonly out: string;
  readonly complaint: string;
}

export interface TypedOptions {
  /** What is piped into standard input; it is closed behind it. */
  readonly input?: string;
  readonly workingDirectory?: string;
}

/** Runs `cohort <words>` to its end. */
export async function cohort(words: readonly string[], options: TypedOptions = {}): Promise<Typed> {
  return endOf(startCohort(words, options), options.input ?? '');
}

/** Starts `cohort <words>` with standard input open. */
export function startCohort(
  words: readonly string[],
  { workingDirectory = ROOT }: Pick<TypedOptions, 'workingDirectory'> = {},
): ChildProcess {
  return spawn(process.execPath, [LAUNCHER, ...words], { cwd: workingDirectory, stdio: 'pipe' });
}

/** Feeds a process and collects what it prints. */
export async function endOf(child: ChildProcess, input: string): Promise<Typed> {
  const [out, complaint] = [collect(child.stdout!), collect(child.stderr!)];
  child.stdin!.end(input);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, out: out(), complaint: complaint() };
}

/** Whether this machine can give a command a terminal of its own (`script` of util-linux). */
export const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

/** Runs `cohort <words>` at a terminal; `answers` are typed one after the other, each when its prompt has appeared. */
export async function cohortAtTerminal(
  words: readonly string[],
  answers: readonly (readonly [prompt: string, line: string])[] = [],
): Promise<Typed> {
  const line = [process.execPath, LAUNCHER, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: ROOT, stdio: 'pipe' });
  const [out, complaint] = [collect(child.stdout), collect(child.stderr)];
  const waiting = [...answers];
  let answeredAt = 0;
  child.stdout.on('data', () => {
    const [next] = waiting;
    if (next === undefined || !out().slice(answeredAt).includes(next[0])) return;
    waiting.shift();
    answeredAt = out().length;
    child.stdin.write(`${next[1]}\r`);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, out: out(), complaint: complaint() };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
