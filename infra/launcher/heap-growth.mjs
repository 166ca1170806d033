// Owns how much memory a program's heaps take beyond what is alive in them. V8 lets the young generation of each thread grow to
// 64 MiB and more with what passes through it, and the old one to twice what is alive, so that resident memory would follow
// the length and the rate of a transfer. Collecting sooner costs a program like a peer nothing that can be measured.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** How much may be added to what was alive at a full collection before the next one. */
const GROWTH_PERCENT = 20;

/** How large the old generation of a new thread is at its first full collection; left alone, V8 lets it become very much larger. */
const FIRST_COLLECTION_MIB = 16;

/** A young generation that does not grow within so many rounds is left as it is. */
const ROUNDS_MAX = 4_096;
/** Of so many rounds everything is kept: long enough to outlive two collections. */
const ROUNDS_KEPT = 64;

/**
 * Keeps the heaps of this thread, and of those that it starts, close to what is alive in them: young generations stay as
 * large as they begin, that of this thread as large as is said. Call it before the program is imported: loading it would make
 * them grow first.
 */
export function keepHeapsSmall({ youngMib = 0 } = {}) {
  if (youngMib > 0) growYoungGeneration((youngMib / 2) * 2 ** 20);
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString(`--initial-old-space-size=${FIRST_COLLECTION_MIB}`);
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  // No flag makes V8's least step smaller: threads that start from now on can collect by themselves.
  setFlagsFromString('--expose-gc');
}

/**
 * Makes each half of the young generation larger. V8 takes no size for a heap that is there, but multiplies this one when more outlives
 * collections than it holds: that is seen to once.
 */
function growYoungGeneration(halfBytes) {
  setFlagsFromString(`--semi-space-growth-factor=${Math.round(halfBytes / youngHalfBytes())}`);
  let kept = [];
  // A page of it has a head of its own, so that it never holds quite so much.
  for (let round = 0; round < ROUNDS_MAX && youngHalfBytes() < 0.9 * halfBytes; round++) {
    if (round % ROUNDS_KEPT === 0) kept = [];
    kept.push(Array.from({ length: 1_024 }, (_, at) => ({ at })));
  }
}

function youngHalfBytes() {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return young.space_used_size + young.space_available_size;
}
