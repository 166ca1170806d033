// Owns whom a download asks for the manifest, and when: one source, and another one when that has not given it out after a while, the
// next while twice as long. A manifest may be long and the way to here slow, and each source that is asked sends all of it; and
// one that never sends it holds up nobody for long.
import type { Connection, SourceEntry } from './source-table.ts';

/** How long the first one is waited for alone, and any at most. */
const PATIENCE_MS = 1_000;
const PATIENCE_MAX_MS = 8_000;

/** The questions of one download. */
export class ManifestQuestions {
  readonly #asked = new Set<number>();
  #patienceMs = PATIENCE_MS;
  #nextAskMs = 0;

  /** Which of the open connections is to be asked now, or undefined. */
  next(open: readonly Connection[], nowMs: number): Connection | undefined {
    if (nowMs < this.#nextAskMs) return undefined;
    const isAsked = ({ connections }: SourceEntry): boolean =>
      [...connections.keys()].some((id) => this.#asked.has(id));
    const connection = open.find(({ entry }) => !isAsked(entry));
    if (connection === undefined) return undefined;
    this.#asked.add(connection.id);
    this.#nextAskMs = nowMs + this.#patienceMs;
    this.#patienceMs = Math.min(2 * this.#patienceMs, PATIENCE_MAX_MS);
    return connection;
  }

  /** What came was another manifest: somebody else is asked at once. */
  wasWrong(): void {
    this.#nextAskMs = 0;
  }

  /** A connection is closed; who was asked over it gives nothing out any more. */
  closed({ id }: Connection): void {
    if (this.#asked.delete(id)) this.#nextAskMs = 0;
  }
}
