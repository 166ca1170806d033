import { expect, it } from 'vitest';
import { HeapWatch } from '../../../../apps/peer/src/data-plane/heap-watch.ts';

const MIB = 2 ** 20;

/** A heap in MiB that tells how often it was collected. */
function playedHeap(aliveMib: number) {
  const heap = { aliveMib, garbageMib: 0, collections: 0 };
  const watch = new HeapWatch({
    usedBytes: () => (heap.aliveMib + heap.garbageMib) * MIB,
    collect: () => {
      heap.garbageMib = 0;
      heap.collections++;
    },
  });
  return { heap, watch };
}

it('a small heap never holds more than two MiB of garbage for long', () => {
  const { heap, watch } = playedHeap(8);
  for (let turn = 0; turn < 100; turn++) {
    heap.garbageMib += 0.5;
    watch.look();
    expect(heap.garbageMib).toBeLessThanOrEqual(2);
  }
  expect(heap.collections).toBe(20);
});

it('a large heap is let be until a tenth of it is garbage', () => {
  const { heap, watch } = playedHeap(80);
  heap.garbageMib = 7.5;
  watch.look();
  expect(heap.collections).toBe(0);
  heap.garbageMib = 8.5;
  watch.look();
  expect(heap.collections).toBe(1);
});

it('what turns out to be alive is no garbage the next time', () => {
  const { heap, watch } = playedHeap(8);
  heap.aliveMib = 11;
  for (let turn = 0; turn < 10; turn++) watch.look();
  expect(heap.collections).toBe(1);
});

it('what V8 has collected by itself, or somebody has let go of, is not taken for alive', () => {
  const { heap, watch } = playedHeap(12);
  heap.aliveMib = 8;
  watch.look();
  heap.garbageMib = 2.5;
  watch.look();
  expect(heap.collections).toBe(1);
});
