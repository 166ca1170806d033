// Owns how the scripts of this folder start: on a Node that is new enough and on a build that is not older than its
// sources, as `cohort` itself does. Plain JavaScript that Node 18 understands, because that may be the `node` of the host.
import { fileURLToPath } from 'node:url';
import { buildWhenStale } from '../launcher/build.mjs';
import { becomeChild, dieWithParent } from '../launcher/child.mjs';
import { chooseNode } from '../launcher/node-choice.mjs';

/** Calls `run` with the words of the command line, here or in a Node that is new enough, once there is a build. */
export async function runOnNode(scriptUrl, run) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const words = process.argv.slice(2);
  const choice = chooseNode(root);
  if (choice.problem !== undefined) return fail(choice.problem);
  if (choice.path !== process.execPath) return becomeChild(choice.path, [fileURLToPath(scriptUrl), ...words]);
  dieWithParent();
  const problem = await buildWhenStale(root);
  if (problem !== null) return fail(problem);
  await run(words);
}

function fail(problem) {
  process.stderr.write(`cohort: ${problem}\n`);
  process.exitCode = 69;
}
