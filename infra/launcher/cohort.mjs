#!/usr/bin/env node
// Owns how `cohort` starts from a checkout or a package: with a Node that is new enough, on a build that is not older
// than its sources. Plain JavaScript that Node 18 understands, because that may be the `node` of the host. When this process
// is new enough the program is imported into it: one process, nothing to forward.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildWhenStale } from './build.mjs';
import { becomeChild, dieWithParent } from './child.mjs';
import { chooseNode } from './node-choice.mjs';
import { programOf } from './program.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const words = process.argv.slice(2);
const choice = chooseNode(root);

if (choice.problem !== undefined) {
  process.stderr.write(`cohort: ${choice.problem}\n`);
  process.exitCode = 69;
} else if (choice.path !== process.execPath) {
  becomeChild(choice.path, [fileURLToPath(import.meta.url), ...words]);
} else {
  dieWithParent();
  const problem = await buildWhenStale(root);
  if (problem === null) await run(join(root, programOf(words)));
  else {
    process.stderr.write(`cohort: ${problem}\n`);
    process.exitCode = 70;
  }
}

/** Imports the program; it finds its own words behind its path in `process.argv`, the first one included. */
async function run(file) {
  process.argv[1] = file;
  await import(pathToFileURL(file).href);
}
