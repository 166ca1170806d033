// Owns what happened on this peer, as numbered events in a small file: ids only grow, over restarts too, so that a client
// that lost its stream goes on where it was, or learns that too much is gone. Progress is no event: views tell it.
import { LineFile, type WriteFailed } from '#identity/durable-file';
import type { PeerEventType, PeerEventView } from '#wire/control-events';

/** Events kept, in memory and on disk. */
export const EVENTS_KEPT_MAX = 10_000;
/** The file is written anew when it holds this many lines. */
const LINES_MAX = 2 * EVENTS_KEPT_MAX;

/** What came after an id. `isGapless` is false when older events than asked for are gone, or the id is not from here. */
export interface EventsSince {
  readonly events: readonly PeerEventView[];
  readonly isGapless: boolean;
}

export class EventJournal {
  readonly #file: LineFile<PeerEventView>;
  readonly #now: () => number;
  readonly #listeners = new Set<(event: PeerEventView) => void>();
  #events: PeerEventView[];
  #lineCount: number;

  constructor(path: string, { now, writeFailed }: { readonly now: () => number; readonly writeFailed: WriteFailed }) {
    this.#file = new LineFile(path, writeFailed);
    this.#now = now;
    const lines = this.#file.readAll();
    this.#events = withoutGap(lines).slice(-EVENTS_KEPT_MAX);
    this.#lineCount = lines.length;
  }

  /** Id of the newest event, 0 before the first. */
  get lastId(): number {
    return this.#events.at(-1)?.id ?? 0;
  }

  append(type: PeerEventType, data: object): void {
    const event: PeerEventView = { id: this.lastId + 1, time: new Date(this.#now()).toISOString(), type, data };
    this.#events.push(event);
    this.#store(event);
    for (const listener of this.#listeners) listener(event);
  }

  since(id: number): EventsSince {
    const oldestId = this.#events[0]?.id ?? this.lastId + 1;
    const isGapless = id >= oldestId - 1 && id <= this.lastId;
    // Ids are contiguous, so the place of an event is known without a search.
    return { events: isGapless ? this.#events.slice(id + 1 - oldestId) : [], isGapless };
  }

  /** The event that stands for those that are gone. */
  reset(): PeerEventView {
    return { id: this.lastId, time: new Date(this.#now()).toISOString(), type: 'reset', data: {} };
  }

  /** Returns the way to stop. */
  onEvent(listener: (event: PeerEventView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #store(event: PeerEventView): void {
    if (this.#lineCount < LINES_MAX) {
      this.#file.append(event);
      this.#lineCount++;
      return;
    }
    this.#events = this.#events.slice(-EVENTS_KEPT_MAX);
    this.#file.replace(this.#events);
    this.#lineCount = this.#events.length;
  }
}

/** The newest events whose ids follow each other: what lies before a line that was spoiled counts as gone. */
function withoutGap(events: readonly PeerEventView[]): readonly PeerEventView[] {
  const last = events.findLastIndex(({ id }, index) => index > 0 && id !== events[index - 1]!.id + 1);
  return last === -1 ? events : events.slice(last);
}
