// Owns what goes to everybody who follows the events of this peer: each event is put into words and bytes once, however many listen,
// and while nobody does nothing is. What follows soon after an event goes with the next write: of 200 events a second to five pages the
// writes cost most.
import type { PeerEventView } from '#wire/control-events';
import type { LiveEventType, LiveEventView } from '#wire/control-live-events';
import type { LinkEvent, TrackerLink } from '../tracker-link/tracker-link.ts';
import type { Transfers } from '../transfers/transfers.ts';
import type { EventJournal } from './event-journal.ts';
import { fileItem } from './file-item.ts';
import { type MovedBytes, tellTraffic, type TrafficFeed } from './traffic-feed.ts';

/** For how long after a write events are gathered for the next one. */
const GATHER_MS = 50;

interface StreamParts {
  readonly journal: EventJournal;
  readonly transfers: Transfers;
  readonly link: TrackerLink;
  /** What the workers have moved so far. */
  readonly moved: () => MovedBytes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Somebody who follows. */
export interface EventStream {
  /** Groups of whose files it hears. */
  readonly watches: ReadonlySet<string>;
  /** Takes one frame or more. */
  write(frames: Uint8Array): void;
}

export class EventStreams {
  readonly #parts: StreamParts;
  readonly #streams = new Set<EventStream>();
  /** What is to be written next, with the group whose watchers alone hear of it. */
  #gathered: { readonly frame: Uint8Array; readonly group: string | null }[] = [];
  #gathering: NodeJS.Timeout | null = null;
  #traffic: TrafficFeed | null = null;
  #stops: (() => void)[] = [];

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** How many follow. */
  get size(): number {
    return this.#streams.size;
  }

  /** Tells a stream what happens from now on. Returns the way to stop. */
  open(stream: EventStream): () => void {
    if (this.#streams.size === 0) this.#begin();
    // What was gathered came before, and whoever opens a stream has read it elsewhere.
    this.#writeGathered();
    this.#streams.add(stream);
    this.#traffic?.tellNext();
    return () => {
      if (this.#streams.delete(stream) && this.#streams.size === 0) this.#end();
    };
  }

  #begin(): void {
    const { journal, transfers, link, moved, now } = this.#parts;
    const traffic = tellTraffic({
      ...{ moved, now },
      tell: (rates) => this.#gather(this.#liveFrame('traffic', rates), null),
    });
    this.#traffic = traffic;
    this.#stops = [
      () => traffic.stop(),
      journal.onEvent((event, text) => this.#gather(frameOf(event, text), null)),
      transfers.onProgress((progress) => this.#gather(this.#liveFrame('transfer_progress', progress), null)),
      link.onEvent((event) => this.#linkEvent(event)),
    ];
  }

  #end(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#traffic = null;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    this.#gathered = [];
  }

  #linkEvent(event: LinkEvent): void {
    if (event.type === 'sessions_changed') this.#gather(this.#liveFrame(event.type, {}), null);
    if (event.type === 'files_reset') this.#tellWatchers(event.group, 'group_changed', { group: event.group });
    if (event.type !== 'files_changed') return;
    const { group, items, removed } = event;
    this.#tellWatchers(group, event.type, { group, items: items.map(fileItem), removed });
  }

  #tellWatchers(group: string, type: LiveEventType, data: object): void {
    const isWatched = [...this.#streams].some(({ watches }) => watches.has(group));
    if (isWatched) this.#gather(this.#liveFrame(type, data), group);
  }

  #gather(frame: Uint8Array, group: string | null): void {
    this.#gathered.push({ frame, group });
    if (this.#gathering === null) this.#writeAndGather();
  }

  #writeAndGather(): void {
    this.#gathering = null;
    if (this.#gathered.length === 0) return;
    this.#writeGathered();
    this.#gathering = setTimeout(() => this.#writeAndGather(), GATHER_MS).unref();
  }

  #writeGathered(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    const isForAll = gathered.every(({ group }) => group === null);
    const all = isForAll ? Buffer.concat(gathered.map(({ frame }) => frame)) : null;
    for (const stream of this.#streams) {
      const heard = all ?? heardBy(stream, gathered);
      if (heard.length > 0) stream.write(heard);
    }
  }

  #liveFrame(type: LiveEventType, data: object): Uint8Array {
    const event: LiveEventView = { time: new Date(this.#parts.now()).toISOString(), type, data };
    return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

function heardBy(
  { watches }: EventStream,
  gathered: readonly { readonly frame: Uint8Array; readonly group: string | null }[],
): Uint8Array {
  const heard = gathered.filter(({ group }) => group === null || watches.has(group));
  return Buffer.concat(heard.map(({ frame }) => frame));
}

/** A numbered event as the stream has it; `text` is its JSON. */
export function frameOf({ id, type }: PeerEventView, text: string): Uint8Array {
  return Buffer.from(`id: ${id}\nevent: ${type}\ndata: ${text}\n\n`);
}
