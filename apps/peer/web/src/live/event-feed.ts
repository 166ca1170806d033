// Owns the stream of events that everything on the page lives by. It is opened once, opened again whenever it breaks or asks for other
// groups, and goes on after the last event; what a view shows is read anew each time, because what has no number (progress,
// availability) may be missing.
// The stream is read with fetch: an EventSource neither says why it was refused nor goes on after an id when its address changes.
import { signal } from '@preact/signals';
import { isShutOut, problemOf } from '../api/client.ts';
import { type EventFrame, EventFrames } from './event-frames.ts';

/** `away`: it broke, or nobody answers; it is tried again. */
export type FeedState = 'idle' | 'connecting' | 'open' | 'away';

/** How it stands with the stream. */
export const feedState = signal<FeedState>('idle');

/** What a handler is told: the data of an event, and whether it has an id; what has none is true only now. */
export type EventHandler<Data = unknown> = (data: Data, isNumbered: boolean) => void;

const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 5_000;
/** The peer says every 15 s that it is there; a stream that says less is broken without having closed. */
const SILENCE_MS = 40_000;
const WATCHED_MOST = 20;

const handlers = new Map<string, Set<EventHandler>>();
const readers = new Set<() => void>();
const watched = new Map<string, number>();

let lastId: string | null = null;
let running: AbortController | null = null;

/** Calls `handler` with the data of each event of a type. Returns the way to stop. */
export function onEvent<Data>(type: string, handler: EventHandler<Data>): () => void {
  const ofType = handlers.get(type) ?? new Set();
  handlers.set(type, ofType.add(handler as EventHandler));
  return () => ofType.delete(handler as EventHandler);
}

/** Calls `read` whenever what is shown has to be read: each time that the stream is open, and when events are gone. Returns the way to stop. */
export function onReset(read: () => void): () => void {
  readers.add(read);
  return () => readers.delete(read);
}

/**
 * Asks for `files_changed` of a group until the returned function is called; several may ask for the same. Once nothing that
 * changes is missed `read` is called: now when the group is followed already, otherwise as `onReset` does.
 */
export function watchGroup(group: string, read: () => void): () => void {
  const stop = onReset(read);
  watched.set(group, (watched.get(group) ?? 0) + 1);
  if (watched.get(group) === 1) reopen();
  else if (feedState.peek() === 'open') read();
  return () => {
    stop();
    const left = (watched.get(group) ?? 1) - 1;
    if (left > 0) watched.set(group, left);
    else watched.delete(group);
    if (left === 0) reopen();
  };
}

/** Opens the stream, and keeps it open. */
export function startFeed(): void {
  if (running !== null) return;
  running = new AbortController();
  feedState.value = 'connecting';
  void keepOpen(running.signal);
}

/** Closes it; what it has told is forgotten. */
export function stopFeed(): void {
  running?.abort();
  running = null;
  lastId = null;
  feedState.value = 'idle';
}

/** Another address asks for other groups: the stream goes on there after its last event. Several changes at once are one. */
function reopen(): void {
  if (running === null) return;
  const current = running;
  queueMicrotask(() => {
    if (running !== current) return;
    current.abort();
    running = new AbortController();
    void keepOpen(running.signal);
  });
}

async function keepOpen(stopped: AbortSignal): Promise<void> {
  for (let failures = 0; !stopped.aborted && !isShutOut.value;) {
    const hasOpened = await readOnce(stopped);
    if (stopped.aborted) return;
    feedState.value = 'away';
    failures = hasOpened ? 0 : failures + 1;
    await nextTry(failures, stopped);
  }
}

/** Until it is worth trying again: after a while that grows, or at once when the browser is online again or somebody looks. */
function nextTry(failures: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    const timer = setTimeout(
      done,
      Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** failures) * (0.75 + Math.random() / 2),
    );
    globalThis.addEventListener('online', done);
    document.addEventListener('visibilitychange', done);
    stopped.addEventListener('abort', done, { once: true });
  });
}

/** Reads a stream to its end, whatever that is. Whether it was open. */
async function readOnce(stopped: AbortSignal): Promise<boolean> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let hasOpened = false;
  try {
    const response = await fetch(address(), {
      headers: { accept: 'text/event-stream', ...(lastId !== null && { 'last-event-id': lastId }) },
      signal: AbortSignal.any([stopped, silence.signal]),
    });
    if (!response.ok || response.body === null) {
      problemOf(await response.json());
      return false;
    }
    const frames = new EventFrames();
    const decoder = new TextDecoder();
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return hasOpened;
      if (!hasOpened) opened();
      hasOpened = true;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      for (const frame of frames.take(decoder.decode(value, { stream: true }))) tell(frame);
    }
  } catch {
    return hasOpened;
  } finally {
    clearTimeout(timer);
  }
}

function address(): string {
  const groups = [...watched.keys()].slice(-WATCHED_MOST);
  const query = new URLSearchParams(groups.map((group): [string, string] => ['watch', group])).toString();
  return `/api/v1/events${query === '' ? '' : `?${query}`}`;
}

/** Whoever shows something reads it now: what has no number was told to nobody between two streams, also when only the address is another one. */
function opened(): void {
  feedState.value = 'open';
  readAnew();
}

function readAnew(): void {
  for (const read of readers) read();
}

function tell({ id, type, data }: EventFrame): void {
  if (id !== null) lastId = id;
  if (data === null) return;
  if (type === 'reset') return readAnew();
  const ofType = handlers.get(type);
  if (ofType === undefined || ofType.size === 0) return;
  const event = JSON.parse(data) as { readonly data: unknown };
  for (const handler of ofType) handler(event.data, id !== null);
}
