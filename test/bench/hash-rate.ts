// One thread of the hashing baseline: says how many bytes it hashes in a second.
import { parentPort } from 'node:worker_threads';
import { hashRate } from './baselines.ts';

parentPort?.postMessage(hashRate());
