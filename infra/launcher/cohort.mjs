#!/usr/bin/env node
// Owns `cohort`: the program that answers to the first word, imported into this process when its Node is new enough.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { keepCompiledCode } from './compiled-code.mjs';
import { keepHeapsSmall } from './heap-growth.mjs';
import { programOf } from './program.mjs';
import { root, runOnNode } from './run-on-node.mjs';

await runOnNode(import.meta.url, async (words) => {
  const file = join(root, programOf(words));
  // The program finds its own words behind its path, the first one included.
  process.argv[1] = file;
  if (words[0] === 'peer') keepHeapsSmall();
  // What is read of a log dies with its page: in less room a part of each page would outlive two collections, and last until a full one.
  // Who asks about one file keeps so little that there is room for more.
  if (words[0] === 'audit' || words[0] === 'log') keepHeapsSmall({ youngMib: words[1] === 'access' ? 32 : 8 });
  // Compiled code is of the flags with which it was compiled.
  keepCompiledCode();
  await import(pathToFileURL(file).href);
});
