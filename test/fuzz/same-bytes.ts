// Owns the question whether bytes are the same, asked millions of times: quick, and short about where they are not.
import assert from 'node:assert/strict';

/** Throws when they are not; `fact` is what should be so. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, fact: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, position) => byte !== expected[position]);
  assert.fail(`${fact}: not at ${at < 0 ? actual.length : at} of ${actual.length} and ${expected.length} bytes`);
}
