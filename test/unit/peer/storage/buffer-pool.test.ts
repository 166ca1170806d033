import { expect, it } from 'vitest';
import { BufferPool } from '../../../../apps/peer/src/storage/buffer-pool.ts';

it('a buffer that was given back is taken again by who asks for as many bytes', () => {
  const pool = new BufferPool(100);
  const buffer = pool.take(40);
  pool.give(buffer);
  expect(pool.take(41)).not.toBe(buffer);
  expect(pool.take(40)).toBe(buffer);
});

it('a buffer is never with two at once', () => {
  const pool = new BufferPool(100);
  pool.give(pool.take(40));
  expect(pool.take(40)).not.toBe(pool.take(40));
});

it('keeps no more than its bound, and lets go first of what was given back longest ago', () => {
  const pool = new BufferPool(100);
  const buffers = [40, 50, 30].map((bytes) => pool.take(bytes));
  for (const buffer of buffers) pool.give(buffer);
  expect(pool.keptBytes).toBe(80);
  expect(pool.take(40)).not.toBe(buffers[0]);
  expect(pool.take(50)).toBe(buffers[1]);
});

it('a buffer beyond the bound is not kept', () => {
  const pool = new BufferPool(100);
  pool.give(pool.take(101));
  expect(pool.keptBytes).toBe(0);
});
