// Owns what happened on this peer, as numbered events in a small file: ids only grow, over restarts too, so that a client
// that lost its stream goes on where it was, or learns that too much is gone. Progress is no such event: streams tell it while they
// are open. What is kept is text: it is made once, for the file and for everybody who listens.
import { hasFields, LineFile, type WriteFailed } from '#identity/durable-file';
import type { PeerEventType, PeerEventView } from '#wire/control-events';

/** Events kept, in memory and on disk: the newest, so many of them, and so many characters of their text. */
export const EVENTS_KEPT_MAX = 10_000;
export const EVENT_CHARACTERS_KEPT_MAX = 2 * 1024 * 1024;
/** The file is written anew before it holds more than so many times what is kept. */
const FILE_SLACK = 2;

/** What came after an id. `isGapless` is false when older events than asked for are gone, or the id is not from here. */
export interface EventsSince {
  readonly events: readonly PeerEventView[];
  readonly isGapless: boolean;
}

/** Hears of an event, and of its JSON. */
export type EventListener = (event: PeerEventView, text: string) => void;

/** The events of a peer, numbered for good and kept over restarts. */
export class EventJournal {
  readonly #file: LineFile<PeerEventView>;
  readonly #now: () => number;
  readonly #listeners = new Set<EventListener>();
  /** The newest events as JSON. Their ids are contiguous. */
  readonly #kept: string[] = [];
  #keptCharacters = 0;
  #lastId: number;
  #lineCount = 0;
  #lineCharacters = 0;

  constructor(path: string, { now, writeFailed }: { readonly now: () => number; readonly writeFailed: WriteFailed }) {
    this.#file = new LineFile(path, writeFailed);
    this.#now = now;
    const lines = this.#file.readAll().filter(isEvent);
    const goneCount = lines.length - withoutGap(lines).length;
    for (const [index, event] of lines.entries()) {
      const text = JSON.stringify(event);
      this.#lineCharacters += text.length;
      if (index >= goneCount) this.#keep(text);
    }
    this.#lastId = lines.at(-1)?.id ?? 0;
    this.#lineCount = lines.length;
  }

  /** Id of the newest event, 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  append(type: PeerEventType, data: object): void {
    const event: PeerEventView = { id: this.#lastId + 1, time: new Date(this.#now()).toISOString(), type, data };
    this.#lastId = event.id;
    const text = JSON.stringify(event);
    this.#keep(text);
    this.#store(text);
    for (const listener of this.#listeners) listener(event, text);
  }

  since(id: number): EventsSince {
    const oldestId = this.#lastId - this.#kept.length + 1;
    const isGapless = id >= oldestId - 1 && id <= this.#lastId;
    // Ids are contiguous, so the place of an event is known without a search.
    return { events: isGapless ? [...this.#events(id + 1 - oldestId)] : [], isGapless };
  }

  /** The event that stands for those that are gone. */
  reset(): PeerEventView {
    return { id: this.lastId, time: new Date(this.#now()).toISOString(), type: 'reset', data: {} };
  }

  /** Returns the way to stop. */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  *#events(from: number): Generator<PeerEventView> {
    for (let index = from; index < this.#kept.length; index++) yield JSON.parse(this.#kept[index]!) as PeerEventView;
  }

  /** Keeps one more, and lets go of the oldest ones; the newest stays, however long it is. */
  #keep(text: string): void {
    this.#kept.push(text);
    this.#keptCharacters += text.length;
    while (this.#kept.length > EVENTS_KEPT_MAX || this.#keptCharacters > EVENT_CHARACTERS_KEPT_MAX) {
      if (this.#kept.length === 1) return;
      this.#keptCharacters -= this.#kept.shift()!.length;
    }
  }

  #store(text: string): void {
    const isRoom =
      this.#lineCount < FILE_SLACK * EVENTS_KEPT_MAX &&
      this.#lineCharacters + text.length <= FILE_SLACK * EVENT_CHARACTERS_KEPT_MAX;
    if (isRoom) {
      this.#file.appendText(text);
      this.#lineCount++;
      this.#lineCharacters += text.length;
      return;
    }
    this.#file.replace(this.#events(0));
    this.#lineCount = this.#kept.length;
    this.#lineCharacters = this.#keptCharacters;
  }
}

/** The newest events whose ids follow each other: what lies before a line that was spoiled counts as gone. */
function withoutGap(events: readonly PeerEventView[]): readonly PeerEventView[] {
  const last = events.findLastIndex(({ id }, index) => index > 0 && id !== events[index - 1]!.id + 1);
  return last === -1 ? events : events.slice(last);
}

/** Whether a line still is what was written: ids are counted on from the last one. */
function isEvent(line: PeerEventView): boolean {
  const fields = { id: 'number', time: 'string', type: 'string', data: 'object' } as const;
  return hasFields(line, fields) && Number.isSafeInteger(line.id) && line.id > 0;
}
