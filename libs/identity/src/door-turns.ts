// Owns whose turn it is, among networks of which somebody waits: that one's whose last turn is the longest ago, so who comes now and
// then does not wait for those who come again and again.

/** Networks whose last turns are remembered, and of those that wait so many are compared. */
const LAST_TURNS_MAX = 1_024;
const COMPARED_MAX = 64;

/** The turns of one kind. */
export class DoorTurns {
  /** In the order in which they came to wait. */
  readonly #waiting = new Set<string>();
  /** When each network had its last turn, counted in turns; the latest is the last. */
  readonly #lastTurns = new Map<string, number>();
  #turnCount = 0;

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Whether somebody of a network waits from now on. */
  expect(network: string, isWaiting: boolean): void {
    if (isWaiting) this.#waiting.add(network);
    else this.#waiting.delete(network);
  }

  /** Takes the turn of the network that has it; it waits no more until it is expected again, behind others. Null when nobody waits. */
  take(): string | null {
    const network = this.#next();
    if (network === null) return null;
    this.#waiting.delete(network);
    this.#turnCount += 1;
    this.#lastTurns.delete(network);
    this.#lastTurns.set(network, this.#turnCount);
    if (this.#lastTurns.size > LAST_TURNS_MAX) {
      const [longestAgo = ''] = this.#lastTurns.keys();
      this.#lastTurns.delete(longestAgo);
    }
    return network;
  }

  #next(): string | null {
    let [next = null] = this.#waiting as Iterable<string | null>;
    let compared = 0;
    for (const network of this.#waiting) {
      if (next !== null && this.#lastTurnOf(network) < this.#lastTurnOf(next)) next = network;
      if (++compared === COMPARED_MAX) break;
    }
    return next;
  }

  #lastTurnOf(network: string): number {
    return this.#lastTurns.get(network) ?? 0;
  }
}
