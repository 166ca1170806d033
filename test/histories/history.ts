// Owns a history: what clients asked of a real system, what they were answered and when, one event a line, in the order in which
// it happened in the one process that all clients are in. Written as it happens, so that a run that is cut off leaves it too.
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { PeerCommandName } from '#wire/tracker-api';
import type { CommandAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import type { TrackerReply } from '../simulation/log-check.ts';

/** What happened. */
export type HistoryEvent =
  /** A person sends a command, the first time or again under its id. */
  | {
      readonly type: 'command';
      readonly call: number;
      readonly peerId: string;
      readonly name: PeerCommandName;
      readonly commandId: string;
      readonly user: string | null;
      readonly body: object;
    }
  /** What the link answers to it, whichever trackers it asked. */
  | { readonly type: 'answer'; readonly call: number; readonly answer: CommandAnswer }
  /** A person looks at something. */
  | { readonly type: 'look'; readonly call: number; readonly peerId: string }
  /** What it is as of; null when there is no answer. */
  | { readonly type: 'shown'; readonly call: number; readonly asOfOffset: number | null }
  /** What one tracker replied to one request of a link. */
  | {
      readonly type: 'reply';
      readonly tracker: string;
      readonly peerId: string;
      readonly pattern: string;
      readonly payload: object;
      readonly reply: TrackerReply;
    }
  /** What a tracker says that it has at an offset. */
  | {
      readonly type: 'digest';
      readonly tracker: string;
      readonly offset: number;
      readonly digest: string;
      readonly root: string;
    }
  /** Something was done to the system. */
  | { readonly type: 'fault'; readonly what: string };

/** An event, and when it was: milliseconds since the history began. */
export type TimedEvent = HistoryEvent & { readonly atMs: number };

/** A history that is being written. */
export class History {
  readonly #file: WriteStream;
  readonly #beginMs = performance.now();
  #calls = 0;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  /** A number for a call, by which its answer names it. */
  nextCall(): number {
    return this.#calls++;
  }

  add(event: HistoryEvent): void {
    const atMs = Math.round(performance.now() - this.#beginMs);
    this.#file.write(`${JSON.stringify({ atMs, ...event })}\n`);
  }

  /** Resolves when everything is in the file. */
  async close(): Promise<void> {
    this.#file.end();
    await finished(this.#file);
  }
}

/** The events of a history, in their order. */
export async function* readHistory(path: string): AsyncGenerator<TimedEvent> {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line) as TimedEvent;
}
