// Owns waiting for something that can only be looked at, never for an amount of time to pass.
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_AGAIN_MS = 25;

/** Looks until `look` gives something (neither null nor false), and returns it. Throws after `timeoutMs`. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | null | false> | Found | null | false,
  timeoutMs = 30_000,
): Promise<Found> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}`);
    await delay(LOOK_AGAIN_MS);
  }
}
