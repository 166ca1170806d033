// Owns how events reach a client: as a server-sent stream that goes on after `Last-Event-ID`, or by a long poll. A stream also tells
// what has no id: how transfers move, and what changes in groups that it watches. It begins with the id after which it goes on, so that
// who comes back before the first event misses nothing. A client that does not read is cut off; it comes back with the id of its last event.
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PeerEventListView, type PeerEventView } from '#wire/control-events';
import { EventsQuery } from '#wire/control-requests';
import { EVENTS_UNREAD_BYTES_MAX } from '#wire/limits';
import { TRACKER_LINK, type TrackerLink } from '../tracker-link/tracker-link.ts';
import { EventJournal } from './event-journal.ts';
import { EventStreams, frameOf } from './event-streams.ts';
import { ProblemResponses } from './openapi-document.ts';

const KEEP_ALIVE_MS = 15_000;
/** How long a stream waits to begin until its watch has: what is read after that is not missed. */
const WATCH_WAIT_MS = 1_000;
/** A longer replay is none: it would leave too little of what may be unread for what happens while it is sent. */
const REPLAYED_BYTES = EVENTS_UNREAD_BYTES_MAX / 2;

@ApiTags('events')
@ProblemResponses()
@Controller('api/v1/events')
export class EventsController {
  readonly #journal: EventJournal;
  readonly #streams: EventStreams;
  readonly #link: TrackerLink;

  constructor(
    @Inject(EventJournal) journal: EventJournal,
    @Inject(EventStreams) streams: EventStreams,
    @Inject(TRACKER_LINK) link: TrackerLink,
  ) {
    this.#journal = journal;
    this.#streams = streams;
    this.#link = link;
  }

  @Get()
  @ApiOperation({ operationId: 'events', summary: 'Server-sent events; with since or timeout, a long poll' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, schema: { type: 'integer' } })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ type: PeerEventListView, description: 'With since or timeout; otherwise a text/event-stream.' })
  async events(
    @Query() { since, timeout = 0, watch = [] }: EventsQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const isPoll = since !== undefined || Object.hasOwn(request.query as object, 'timeout');
    if (!isPoll)
      return this.#stream(reply, { watch, lastEventId: request.headers['last-event-id'] as string | undefined });
    const from = since ?? this.#journal.lastId;
    await waitForEvent(this.#journal, { from, timeoutMs: timeout * 1000, gone: request.raw.socket });
    void reply.send({ items: this.#itemsSince(from), last: this.#journal.lastId } satisfies PeerEventListView);
  }

  #itemsSince(id: number): PeerEventView[] {
    const { events, isGapless } = this.#journal.since(id);
    return isGapless ? [...events] : [this.#journal.reset()];
  }

  /** What came after the last event that a client has, as far as that can be told at once; otherwise the one that stands for it. */
  #replay(lastEventId: string): Uint8Array {
    // What is no number is from nowhere here, and gets the reset that it needs.
    const from = /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : Number.MAX_SAFE_INTEGER;
    const frames = Buffer.concat(this.#itemsSince(from).map((event) => frameOf(event, JSON.stringify(event))));
    if (frames.length <= REPLAYED_BYTES) return frames;
    const reset = this.#journal.reset();
    return frameOf(reset, JSON.stringify(reset));
  }

  async #stream(reply: FastifyReply, { watch, lastEventId }: StreamRequest): Promise<void> {
    reply.hijack();
    const response = reply.raw;
    const watched = watch.length === 0 ? null : this.#link.watchGroups(watch);
    response.on('close', () => watched?.stop());
    if (watched !== null) await Promise.race([watched.begun, sleep(WATCH_WAIT_MS, undefined, { ref: false })]);
    if (response.destroyed) return;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const write = (frames: string | Uint8Array): void => {
      // What is written at once may be long; who has read what was written before it gets it all.
      if (response.writableLength > EVENTS_UNREAD_BYTES_MAX) response.destroy();
      else response.write(frames);
    };
    write(': events\n\n');
    write(lastEventId === undefined ? `id: ${this.#journal.lastId}\n\n` : this.#replay(lastEventId));
    const stop = this.#streams.open({ write, watches: new Set(watch) });
    const keepAlive = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS);
    response.on('close', () => {
      stop();
      clearInterval(keepAlive);
    });
  }
}

/** What a stream is to tell. */
interface StreamRequest {
  readonly watch: readonly string[];
  readonly lastEventId: string | undefined;
}

/** Resolves with the first event after `from`, at the end of the time, or when the client is gone. */
function waitForEvent(
  journal: EventJournal,
  { from, timeoutMs, gone }: { from: number; timeoutMs: number; gone: FastifyRequest['raw']['socket'] },
): Promise<void> {
  if (journal.lastId !== from || timeoutMs === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop();
      gone.off('close', finish);
      resolve();
    };
    const timer = setTimeout(finish, timeoutMs);
    const stop = journal.onEvent(finish);
    gone.on('close', finish);
  });
}
