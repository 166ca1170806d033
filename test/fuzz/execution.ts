// Owns one execution of a target and what it may cost: a time that nobody waits for, and memory that the input accounts for.
import { getHeapStatistics } from 'node:v8';
import type { FuzzTarget } from './fuzz-target.ts';

/** Of the processor, so that a busy machine makes no finding. */
const MILLISECONDS_MAX = 1_000;
/** Buffers: the longest frame that is no block, a few times. */
const BUFFER_BYTES_MAX = 1024 * 1024;
/** Everything else, garbage included: the collector comes when it wants. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;
const BYTES_PER_BYTE = 64;

/** What is wrong with how a target took an input, or null. */
export async function problemOf(target: FuzzTarget, input: Uint8Array): Promise<string | null> {
  const begin = { askedBytes: askedBytes(), heap: getHeapStatistics().used_heap_size, micros: cpuMicros() };
  try {
    const pending = target.run(input);
    if (pending !== undefined) await pending;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;
  }
  const about = `for ${input.length} bytes`;
  const milliseconds = (cpuMicros() - begin.micros) / 1_000;
  if (milliseconds > MILLISECONDS_MAX) return `took ${milliseconds.toFixed(0)} ms ${about}`;
  const justified = input.length * (target.bytesPerByte ?? BYTES_PER_BYTE);
  const buffers = askedBytes() - begin.askedBytes;
  if (buffers > BUFFER_BYTES_MAX + justified) return `${buffers} bytes of buffers were set aside ${about}`;
  const heap = getHeapStatistics().used_heap_size - begin.heap;
  return heap > HEAP_BYTES_MAX + justified ? `${heap} bytes were set aside ${about}` : null;
}

/** What the product has asked for in buffers so far; none while nothing counts it. */
function askedBytes(): number {
  return (globalThis as { cohortBranches?: { askedBytes: number } }).cohortBranches?.askedBytes ?? 0;
}

function cpuMicros(): number {
  return process.threadCpuUsage().user;
}
