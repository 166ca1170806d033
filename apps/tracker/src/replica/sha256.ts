// Owns the one way in which a replica hashes: bytes and texts joined in a buffer that is used again, and a digest that is
// handed over as text. Every record is hashed three times, and so short that what Node allocates for each costs more than
// the hashing.
import { hash } from 'node:crypto';

const DIGEST_BYTES = 32;
/** Digests are cut from slabs so small that one which is kept for long does not keep much beside it. */
const SLAB_DIGESTS = 32;
/** Longest input that is joined without a buffer of its own. */
const JOINED_BYTES_MAX = 64 * 1024;

const joined = Buffer.allocUnsafeSlow(JOINED_BYTES_MAX);
/** The first so many bytes of it, by their number. */
const beginnings: (Uint8Array | null)[] = Array.from({ length: 2_048 }, () => null);
let slab = Buffer.alloc(0);
let usedBytes = 0;

/** SHA-256 of the parts, one after the other; texts count as their UTF-8. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  let byteCountMax = 0;
  for (const part of parts) byteCountMax += typeof part === 'string' ? 3 * part.length : part.length;
  const target = byteCountMax <= JOINED_BYTES_MAX ? joined : Buffer.allocUnsafeSlow(byteCountMax);
  let byteCount = 0;
  for (const part of parts) {
    if (typeof part === 'string') byteCount += target.write(part, byteCount);
    else {
      target.set(part, byteCount);
      byteCount += part.length;
    }
  }
  const input = target === joined ? joinedUpTo(byteCount) : target.subarray(0, byteCount);
  return digestOf(hash('sha256', input, 'latin1'));
}

/** Records are about as long as others: what is cut off for one is there for the next. */
function joinedUpTo(byteCount: number): Uint8Array {
  if (byteCount >= beginnings.length) return joined.subarray(0, byteCount);
  return (beginnings[byteCount] ??= joined.subarray(0, byteCount));
}

function digestOf(latin1: string): Buffer {
  if (usedBytes === slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_DIGESTS * DIGEST_BYTES);
    usedBytes = 0;
  }
  const begin = usedBytes;
  usedBytes += slab.write(latin1, begin, 'latin1');
  return slab.subarray(begin, usedBytes);
}
