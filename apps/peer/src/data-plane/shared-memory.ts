// Owns putting bytes where all threads of this process see the same ones, instead of a copy for each.

/** A copy of the bytes in shared memory. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
