import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../../../apps/tracker/src/replica/sha256.ts';

function expected(parts: readonly (Uint8Array | string)[]): string {
  const whole = createHash('sha256');
  for (const part of parts) whole.update(part);
  return whole.digest('hex');
}

test('bytes and texts are hashed as one, the texts as UTF-8', () => {
  const part = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 100 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      expect(sha256(...parts).toString('hex')).toBe(expected(parts));
    }),
  );
});

test('what is longer than the shared buffer is hashed whole, and a digest stays as it was', () => {
  const long = ['ä'.repeat(40_000), Buffer.alloc(70_000, 7)];
  const digest = sha256(...long);
  sha256('something else');
  expect(digest.toString('hex')).toBe(expected(long));
  // Fewer characters than the buffer has bytes, and more bytes than it has.
  expect(sha256('日'.repeat(30_000)).toString('hex')).toBe(expected(['日'.repeat(30_000)]));
});
