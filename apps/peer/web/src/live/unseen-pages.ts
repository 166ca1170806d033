// Owns how pages that nobody looks at share what a browser has: it opens six connections to a peer, and each stream of events holds one for
// good. Of those that have not been seen for a while one keeps its stream, for its notifications; the others close theirs, wait for it to
// go or to be seen, and are read anew when somebody comes back.
import { feedState, startFeed, stopFeed } from './event-feed.ts';

const UNSEEN_MS = 30_000;
const LOCK = 'cohort-unseen-page';

/** Begins to watch whether this page is seen. */
export function shareConnections(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen = new AbortController();
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    seen.abort();
    if (!document.hidden) return;
    seen = new AbortController();
    const { signal } = seen;
    timer = setTimeout(() => void goUnseen(signal), UNSEEN_MS);
  });
}

/** Keeps the stream, or closes it until the page that keeps one does not any more, or until this page is seen. */
async function goUnseen(seen: AbortSignal): Promise<void> {
  // Only pages of this machine, or over TLS, have locks: others keep their streams.
  const { locks } = navigator as Partial<Navigator>;
  if (locks === undefined) return;
  const untilSeen = new Promise<void>((resolve) => seen.addEventListener('abort', () => resolve(), { once: true }));
  const isChosen = await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock !== null) await untilSeen;
    return lock !== null;
  });
  if (isChosen || seen.aborted || feedState.peek() === 'idle') return;
  stopFeed();
  await locks
    .request(LOCK, { signal: seen }, () => {
      startFeed();
      return untilSeen;
    })
    .catch(startFeed);
}
