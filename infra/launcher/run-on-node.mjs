// Owns how every program of this checkout starts: on a Node that is new enough and on a build that is not older than its
// sources. Plain JavaScript that Node 18 understands, because that may be the `node` of the host. When this process is new
// enough the program runs in it: one process, nothing to forward.
import { fileURLToPath } from 'node:url';
import { buildWhenStale } from './build.mjs';
import { becomeChild, dieWithParent } from './child.mjs';
import { chooseNode } from './node-choice.mjs';

/** Root of the checkout or package. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Calls `run` with the words of the command line, here, or in a Node that is new enough by way of the script itself. */
export async function runOnNode(scriptUrl, run) {
  const words = process.argv.slice(2);
  const choice = chooseNode(root);
  if (choice.problem !== undefined) return fail(choice.problem, 69);
  if (choice.path !== process.execPath) return becomeChild(choice.path, [fileURLToPath(scriptUrl), ...words]);
  dieWithParent();
  const problem = await buildWhenStale(root);
  if (problem !== null) return fail(problem, 70);
  await run(words);
}

function fail(problem, exitCode) {
  process.stderr.write(`cohort: ${problem}\n`);
  process.exitCode = exitCode;
}
