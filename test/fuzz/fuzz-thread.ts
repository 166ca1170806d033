// Owns fuzzing a target in a thread of its own, with an eye on it: one that shows no new input for too long hangs, one that ends
// by itself has run out of memory or was torn down, and either way the input that it was at is the finding.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FuzzBounds, FuzzReport } from './fuzz-loop.ts';
import { InputWindow, WINDOW_BYTES } from './input-window.ts';

/** What a thread is to do. */
export interface FuzzTask {
  readonly target: string;
  readonly seed: number;
  readonly bounds: FuzzBounds;
  readonly memory: SharedArrayBuffer;
}

const HANG_MS = 10_000;
/** Until the first input: the product is compiled as it is loaded. */
const LOADING_MS = 120_000;
const LOOK_MS = 500;
const HEAP_MIB_MAX = 1_024;

/** Fuzzes a target until its bounds; `plant` names a bug of planted-bugs.ts. */
export async function fuzzInThread(
  about: Omit<FuzzTask, 'memory'> & { readonly plant: string | undefined },
): Promise<FuzzReport> {
  const { plant, ...task } = about;
  const memory = new SharedArrayBuffer(WINDOW_BYTES);
  const window = new InputWindow(memory);
  const scratch = mkdtempSync(join(tmpdir(), 'cohort-fuzz-'));
  const beginMs = performance.now();
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData: { ...task, memory } satisfies FuzzTask,
    env: { ...process.env, TMPDIR: scratch, ...(plant !== undefined && { COHORT_FUZZ_PLANT: plant }) },
    execArgv: ['--import', new URL('instrumenting-hooks.mjs', import.meta.url).href],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  const ended = new Promise<FuzzReport | string>((resolve) => {
    worker.once('message', resolve);
    worker.once('error', (error: Error) => resolve(`tore its thread down: ${error.stack ?? String(error)}`));
    worker.once('exit', () => resolve('ended its thread'));
  });
  const result = await Promise.race([ended, hang(window, ended)]);
  await worker.terminate();
  // A thread that was ended cleans nothing up.
  rmSync(scratch, { recursive: true });
  if (typeof result !== 'string') return result;
  if (window.count === 0) throw new Error(`${task.target} ${result} before its first input`);
  return {
    ...{ target: task.target, executions: window.count, seconds: (performance.now() - beginMs) / 1_000 },
    ...{ branchesReached: 0, branches: 0, corpus: 0, findings: [{ problem: result, input: window.read() }] },
  };
}

/** Resolves when the thread shows nothing new for too long; never when it ends. */
function hang(window: InputWindow, ended: Promise<unknown>): Promise<string> {
  return new Promise((resolve) => {
    let last = { count: 0, sinceMs: performance.now() };
    const timer = setInterval(() => {
      const { count } = window;
      const nowMs = performance.now();
      if (count !== last.count) last = { count, sinceMs: nowMs };
      else if (nowMs - last.sinceMs > (count === 0 ? LOADING_MS : HANG_MS))
        resolve(`hangs: no end after ${HANG_MS} ms`);
    }, LOOK_MS);
    void ended.then(() => clearInterval(timer));
  });
}
