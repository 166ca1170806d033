// Owns what a page has read of the streams of events that its peer sent it: each stream with the event after which it was asked for,
// and the text of it that came to the page's own hands.
import type { BrowserContext, Page } from 'playwright-core';
import { type EventFrame, EventFrames } from '../../apps/peer/web/src/live/event-frames.ts';

/** A stream as the page had it. */
export interface NotedStream {
  /** The id after which it was to go on; null where there was none yet. */
  readonly after: string | null;
  readonly text: string;
  /** Whether it has ended, or the page has given it up. */
  readonly isOver: boolean;
}

/** Has every page of a context note its streams from its first script on. */
export async function noteStreams(context: BrowserContext): Promise<void> {
  await context.addInitScript(noteInPage);
}

/** What a page has read so far, stream by stream. */
export function notedStreams(page: Page): Promise<readonly NotedStream[]> {
  return page.evaluate(() => (globalThis as unknown as { notedStreams: readonly NotedStream[] }).notedStreams);
}

/** The whole frames of a stream; what a broken connection cut off is none. */
export function framesOf({ text }: NotedStream): readonly EventFrame[] {
  return new EventFrames().take(text);
}

/** Runs in the page. */
function noteInPage(): void {
  const noted: { after: string | null; text: string; isOver: boolean }[] = [];
  Object.assign(globalThis, { notedStreams: noted });
  const ask = globalThis.fetch;
  globalThis.fetch = async (address, options) => {
    const response = await ask(address, options);
    const { body } = response;
    if (typeof address !== 'string' || !/^\/api\/v1\/events(?:\?|$)/.test(address) || body === null) return response;
    const stream = { after: new Headers(options?.headers).get('last-event-id'), text: '', isOver: false };
    noted.push(stream);
    const decoder = new TextDecoder();
    const reader = body.getReader();
    const end = (): void => void (stream.isOver = true);
    void reader.closed.then(end, end);
    const read = async (): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> => {
      const piece = await reader.read();
      stream.text += decoder.decode(piece.value, { stream: true });
      return piece;
    };
    Object.assign(body, { getReader: () => ({ read }) });
    return response;
  };
}
