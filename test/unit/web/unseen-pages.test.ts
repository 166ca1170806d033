import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

/** What the page imports is for a browser, which the compiler of these tests knows nothing of. */
interface Feed {
  readonly feedState: { readonly value: string };
  readonly startFeed: () => void;
  readonly stopFeed: () => void;
}

const LIVE = new URL('../../../apps/peer/web/src/live/', import.meta.url).pathname;
const { feedState, startFeed, stopFeed } = (await import(`${LIVE}event-feed.ts`)) as Feed;
const { shareConnections } = (await import(`${LIVE}unseen-pages.ts`)) as { readonly shareConnections: () => void };

const page = Object.assign(new EventTarget(), { hidden: false });

beforeAll(() => {
  vi.stubGlobal('document', page);
  // A stream that never says anything.
  vi.stubGlobal('fetch', () => new Promise(() => undefined));
  shareConnections();
});
afterAll(() => vi.unstubAllGlobals());
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  startFeed();
});
afterEach(() => {
  show();
  stopFeed();
  vi.useRealTimers();
});

function show(hidden = false): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
}

function hideForLong(): void {
  show(true);
  vi.advanceTimersByTime(30_000);
}

/** Another page that nobody looks at keeps its stream until it is shown or closed. */
async function otherPage(): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await new Promise<void>((chosen) => {
    void navigator.locks.request('cohort-unseen-page', () => {
      chosen();
      return promise;
    });
  });
  return resolve;
}

test('a page that nobody looks at keeps its stream when no other page has one for that', async () => {
  hideForLong();
  await vi.waitFor(async () => expect((await navigator.locks.query()).held).toHaveLength(1));
  expect(feedState.value).toBe('connecting');
});

test('a page that gave its stream back takes it again once the page that kept one has gone', async () => {
  const goes = await otherPage();
  hideForLong();
  await vi.waitFor(() => expect(feedState.value).toBe('idle'));
  goes();
  await vi.waitFor(() => expect(feedState.value).toBe('connecting'));
});

test('a page that gave its stream back takes it again when somebody looks at it, and waits no more', async () => {
  const goes = await otherPage();
  hideForLong();
  await vi.waitFor(() => expect(feedState.value).toBe('idle'));
  show();
  await vi.waitFor(() => expect(feedState.value).toBe('connecting'));
  goes();
  await vi.waitFor(async () => expect(await navigator.locks.query()).toMatchObject({ held: [], pending: [] }));
});
