// Owns what goes to everybody who follows the events of this peer: each event is put into words and bytes once, however many listen,
// and while nobody does nothing is.
import type { PeerEventView } from '#wire/control-events';
import type { LiveEventType, LiveEventView } from '#wire/control-live-events';
import type { LinkEvent, TrackerLink } from '../tracker-link/tracker-link.ts';
import type { Transfers } from '../transfers/transfers.ts';
import type { EventJournal } from './event-journal.ts';
import { fileItem } from './file-item.ts';
import { type MovedBytes, tellTraffic } from './traffic-feed.ts';

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
  write(frame: Uint8Array): void;
}

export class EventStreams {
  readonly #parts: StreamParts;
  readonly #streams = new Set<EventStream>();
  #stops: (() => void)[] = [];

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Tells a stream what happens from now on. Returns the way to stop. */
  open(stream: EventStream): () => void {
    if (this.#streams.size === 0) this.#begin();
    this.#streams.add(stream);
    return () => {
      if (this.#streams.delete(stream) && this.#streams.size === 0) this.#end();
    };
  }

  #begin(): void {
    const { journal, transfers, link, moved, now } = this.#parts;
    this.#stops = [
      journal.onEvent((event, text) => this.#write(frameOf(event, text))),
      transfers.onProgress((progress) => this.#write(this.#liveFrame('transfer_progress', progress))),
      tellTraffic({ moved, now, tell: (traffic) => this.#write(this.#liveFrame('traffic', traffic)) }),
      link.onEvent((event) => this.#linkEvent(event)),
    ];
  }

  #end(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  #linkEvent(event: LinkEvent): void {
    if (event.type === 'files_reset') this.#tellWatchers(event.group, 'group_changed', { group: event.group });
    if (event.type !== 'files_changed') return;
    const { group, items, removed } = event;
    this.#tellWatchers(group, event.type, { group, items: items.map(fileItem), removed });
  }

  #tellWatchers(group: string, type: LiveEventType, data: object): void {
    const watching = [...this.#streams].filter(({ watches }) => watches.has(group));
    if (watching.length === 0) return;
    const frame = this.#liveFrame(type, data);
    for (const stream of watching) stream.write(frame);
  }

  #write(frame: Uint8Array): void {
    for (const stream of this.#streams) stream.write(frame);
  }

  #liveFrame(type: LiveEventType, data: object): Uint8Array {
    const event: LiveEventView = { time: new Date(this.#parts.now()).toISOString(), type, data };
    return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

/** A numbered event as the stream has it; `text` is its JSON. */
export function frameOf({ id, type }: PeerEventView, text: string): Uint8Array {
  return Buffer.from(`id: ${id}\nevent: ${type}\ndata: ${text}\n\n`);
}
