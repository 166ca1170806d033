// Owns how a rate is kept: a token bucket that may go into debt, held as one number, the moment from which it owes nothing. One
// number can be changed by several threads without a lock. Bytes are reserved in the order of asking, and each reservation
// is told how long to wait. Pure: time comes in.

/** What a bucket that was left alone may have saved up. */
export const CREDIT_MICROS = 200_000;

/** Time that a grain takes at the full rate: short enough to flow smoothly, long enough to cost little. */
const GRAIN_MICROS = 20_000;
const GRAIN_BYTES_MIN = 256;
const GRAIN_BYTES_MAX = 256 * 1024;

/** A reservation: when the bucket owes nothing once it is paid, and how long to wait before the bytes may go. */
export interface Reservation {
  readonly freeAtMicros: number;
  readonly waitMicros: number;
}

/** Reserves bytes of a bucket that owes nothing from `freeAtMicros` on. */
export function reserveTokens(
  freeAtMicros: number,
  asked: { readonly nowMicros: number; readonly bytes: number; readonly bytesPerSecond: number },
): Reservation {
  const { nowMicros, bytes, bytesPerSecond } = asked;
  const beginMicros = Math.max(freeAtMicros, nowMicros - CREDIT_MICROS);
  return {
    freeAtMicros: beginMicros + Math.round((bytes * 1e6) / bytesPerSecond),
    waitMicros: Math.max(0, beginMicros - nowMicros),
  };
}

/**
 * Bytes to reserve at once. What shares a flow with others takes smaller grains, so that flows get equal parts however many
 * connections each has: everybody waits for one reservation at a time.
 */
export function grainBytes(bytesPerSecond: number, sharers: number): number {
  const wholeBytes = Math.min((bytesPerSecond * GRAIN_MICROS) / 1e6, GRAIN_BYTES_MAX);
  return Math.max(GRAIN_BYTES_MIN, Math.floor(wholeBytes / Math.max(1, sharers)));
}
