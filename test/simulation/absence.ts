// Owns days in which nobody is there: every clock goes on by so much at one moment, as if all machines had slept. After a week
// peers renew their sessions, after a month the sessions have expired.
import type { SimulatedWorld } from './simulated-world.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const CHANCE = 0.3;
/** Of the time in which people are at it. */
const MOMENTS = [0.2, 0.8] as const;
const DAYS = [8, 8, 31] as const;

/** Lets days pass at some moment of a run: in some runs, or so many as are asked for. */
export function planAbsence(
  world: SimulatedWorld,
  { workMs, days }: { workMs: number; days: number | undefined },
): void {
  const { draws } = world;
  const drawn = draws.chance(CHANCE) ? draws.pick(DAYS) : 0;
  const moment = draws.between(...MOMENTS) * workMs;
  const durationMs = (days ?? drawn) * DAY_MS;
  if (durationMs > 0) world.at(null, moment, () => world.sleep(durationMs));
}
