import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/** The stream of the page. What it imports is for a browser, which the compiler of these tests knows nothing of. */
interface Feed {
  readonly feedState: { readonly value: string };
  readonly startFeed: () => void;
  readonly stopFeed: () => void;
  readonly onReset: (read: () => void) => () => void;
  readonly onEvent: (type: string, handler: () => void) => () => void;
  readonly watchGroup: (group: string, read: () => void) => () => void;
}

const FEED = new URL('../../../apps/peer/web/src/live/event-feed.ts', import.meta.url).pathname;
const { feedState, startFeed, stopFeed, onReset, onEvent, watchGroup } = (await import(FEED)) as Feed;

/** A stream that was asked for: its address, the event that it goes on after, and the way to tell something in it. */
interface AskedStream {
  readonly address: string;
  readonly lastEventId: string | null;
  readonly tell: (text: string) => void;
}

let asked: AskedStream[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', (address: string, { headers, signal }: RequestInit) => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const tell = (text: string): void => controller.enqueue(new TextEncoder().encode(text));
        signal!.addEventListener('abort', () => controller.error(signal!.reason));
        asked.push({ address, lastEventId: new Headers(headers).get('last-event-id'), tell });
      },
    });
    return Promise.resolve(new Response(body));
  });
});
afterEach(() => {
  stopFeed();
  vi.unstubAllGlobals();
});

async function nextStream(count: number): Promise<AskedStream> {
  await vi.waitFor(() => expect(asked).toHaveLength(count));
  return asked[count - 1]!;
}

test('everything that is shown is read each time that a stream opens, also when only the groups are others', async () => {
  const [shown, files, others] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
  const stop = onReset(shown);
  startFeed();
  (await nextStream(1)).tell(': events\n\nid: 4\n\n');
  await vi.waitFor(() => expect(shown).toHaveBeenCalledTimes(1));
  const leave = watchGroup('films', files);
  const watching = await nextStream(2);
  expect([watching.address, files.mock.calls.length]).toEqual(['/api/v1/events?watch=films', 0]);
  watching.tell(': events\n\n');
  await vi.waitFor(() => expect([shown, files].map(({ mock }) => mock.calls.length)).toEqual([2, 1]));
  const leaveToo = watchGroup('films', others);
  expect(others).toHaveBeenCalledTimes(1);
  leaveToo();
  leave();
  (await nextStream(3)).tell(': events\n\n');
  await vi.waitFor(() => expect([shown, files].map(({ mock }) => mock.calls.length)).toEqual([3, 1]));
  stop();
});

test('a stream goes on after the event at which the first one began, before any other has come', async () => {
  const heard = vi.fn<() => void>();
  const stop = onEvent('message', heard);
  startFeed();
  (await nextStream(1)).tell(': events\n\nid: 4\n\n');
  await vi.waitFor(() => expect(feedState.value).toBe('open'));
  const leave = watchGroup('films', () => undefined);
  expect((await nextStream(2)).lastEventId).toBe('4');
  expect([asked[0]!.lastEventId, heard.mock.calls]).toEqual([null, []]);
  leave();
  stop();
});
