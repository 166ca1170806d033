// Owns how pages that nobody looks at share what a browser has: it opens six connections to a peer, and each stream of events holds one for
// good. Of those that have not been seen for a while one keeps its stream, for its notifications; the others close theirs and are read
// anew when somebody comes back.
import { feedState, startFeed, stopFeed } from './event-feed.ts';

const UNSEEN_MS = 30_000;
const LOCK = 'cohort-unseen-page';

/** Begins to watch whether this page is seen. */
export function shareConnections(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let release: (() => void) | null = null;
  let isPaused = false;
  const pauseUnlessChosen = (): void => {
    // Only pages of this machine, or over TLS, have locks: others keep their streams.
    void navigator.locks?.request(LOCK, { ifAvailable: true }, async (lock) => {
      if (!document.hidden) return;
      if (lock !== null) {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return;
      }
      isPaused = feedState.peek() !== 'idle';
      if (isPaused) stopFeed();
    });
  };
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(pauseUnlessChosen, UNSEEN_MS);
      return;
    }
    release?.();
    release = null;
    if (isPaused) startFeed();
    isPaused = false;
  });
}
