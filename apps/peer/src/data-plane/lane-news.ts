// Owns what a worker tells the main thread, and when. Every message wakes it, so verified pieces of all connections wait a little
// and are told together; whatever else happens is told at once, and what had waited before it.
import type { LaneEvent, SayToMain } from './lane-messages.ts';

/** Verified pieces are told of so often while more are to come. */
const TELL_MS = 50;

/** The news of one worker. */
export class LaneNews {
  readonly #tell: SayToMain;
  /** Verified pieces that were not told yet, by connection. */
  readonly #verified = new Map<number, number[]>();
  #toldMs = -Infinity;

  constructor(tell: SayToMain) {
    this.#tell = tell;
  }

  say(event: LaneEvent): void {
    this.tellVerified();
    this.#tell(event);
  }

  /** A piece of a connection is verified, and more are to come. */
  verified(connection: number, piece: number): void {
    const pieces = this.#verified.get(connection);
    if (pieces === undefined) this.#verified.set(connection, [piece]);
    else pieces.push(piece);
    if (performance.now() - this.#toldMs >= TELL_MS) this.tellVerified();
  }

  /** Tells what waits. Call it now and then, and when the main thread has to know. */
  tellVerified(): void {
    if (this.#verified.size === 0) return;
    const verified = [...this.#verified].map(([connection, pieces]) => ({
      kind: 'verified' as const,
      connection,
      pieces,
    }));
    this.#verified.clear();
    this.#toldMs = performance.now();
    this.#tell({ kind: 'delivered', verified });
  }
}
