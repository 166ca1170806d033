// Owns whose turn it is at a door. Networks whose visitors have lately come in and shown nothing go last, the others take turns: the
// next is who had its last turn the longest ago, so who comes now and then does not wait for those who come again and again.

/** What is remembered of a network. */
interface Past {
  /** When it had its last turn, counted in turns. */
  lastTurn: number;
  /** How many came in and have shown nothing, as it was at a time; half of them are forgotten in each second. */
  vain: number;
  vainAtMs: number;
}

/** Networks that are remembered, and of those that wait so many are compared. */
const PASTS_MAX = 1_024;
const COMPARED_MAX = 64;
/** So many may be about to show who they are. */
const VAIN_FREE_MAX = 3;
const VAIN_HALF_MS = 1_000;

/** The turns at one door. Time comes in. */
export class DoorTurns {
  /** Networks of which somebody may be let in, in the order in which they came to be so. */
  readonly #waiting = new Set<string>();
  /** The one that had the latest turn is the last. */
  readonly #pasts = new Map<string, Past>();
  #turnCount = 0;

  /** Whether somebody waits for a turn. */
  get isWanted(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether somebody of a network may be let in. */
  expect(network: string, isReady: boolean): void {
    if (isReady) this.#waiting.add(network);
    else this.#waiting.delete(network);
  }

  /** Takes the turn of the network that has it, and waits no more; null when none does. */
  take(nowMs: number): string | null {
    const next = this.#next(nowMs);
    if (next === null) return null;
    this.#waiting.delete(next);
    this.#turnCount += 1;
    const { vain = 0, vainAtMs = nowMs } = this.#pasts.get(next) ?? {};
    this.#pasts.delete(next);
    this.#pasts.set(next, { lastTurn: this.#turnCount, vain, vainAtMs });
    if (this.#pasts.size > PASTS_MAX) this.#pasts.delete(this.#pasts.keys().next().value!);
    return next;
  }

  /** Somebody of a network came in; counts as vain until something was shown. */
  cameIn(network: string, nowMs: number): void {
    this.#addVain(network, 1, nowMs);
  }

  /** Somebody who came in has shown who that is. */
  showed(network: string, nowMs: number): void {
    this.#addVain(network, -1, nowMs);
  }

  #addVain(network: string, count: number, nowMs: number): void {
    const past = this.#pasts.get(network);
    if (past === undefined) return;
    past.vain = Math.max(0, vainOf(past, nowMs) + count);
    past.vainAtMs = nowMs;
  }

  #next(nowMs: number): string | null {
    let next: string | null = null;
    let best = { vain: Infinity, lastTurn: Infinity };
    let compared = 0;
    for (const network of this.#waiting) {
      const past = this.#pasts.get(network);
      const vain = past === undefined ? 0 : vainOf(past, nowMs);
      const rank = { vain: vain <= VAIN_FREE_MAX ? 0 : vain, lastTurn: past?.lastTurn ?? 0 };
      if (rank.vain < best.vain || (rank.vain === best.vain && rank.lastTurn < best.lastTurn)) {
        [next, best] = [network, rank];
      }
      compared += 1;
      if (compared === COMPARED_MAX) break;
    }
    return next;
  }
}

function vainOf({ vain, vainAtMs }: Past, nowMs: number): number {
  return vain * 2 ** ((vainAtMs - nowMs) / VAIN_HALF_MS);
}
