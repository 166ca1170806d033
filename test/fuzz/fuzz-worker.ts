// Owns the thread in which one target is fuzzed: a target that hangs, or eats all memory, takes this thread with it and nothing
// else. Each input stands in shared memory before it runs, for whoever has to tell which one it was.
import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { seeded } from '../seeded-random.ts';
import { FuzzLoop } from './fuzz-loop.ts';
import { FUZZ_TARGETS } from './fuzz-target.ts';
import { InputWindow } from './input-window.ts';
import type { FuzzTask } from './fuzz-thread.ts';

const { target: name, seed, bounds, memory } = workerData as FuzzTask;
const window = new InputWindow(memory);
const target = await FUZZ_TARGETS[name]!();
const loop = new FuzzLoop(target, { random: seeded(seed), show: (input) => window.show(input) });
parentPort!.postMessage(await loop.run(bounds));
// Sockets that were only played may have timers.
process.exit(0);
