// Owns telling what moves through this peer altogether, both ways, while somebody listens: once a second while anything does, and once more
// when it is over. Serving has no progress of its own that a view would tell.
import type { TrafficView } from '#wire/control-live-events';

const ROUND_MS = 1_000;

/** Bytes of pieces since the peer was started. */
export interface MovedBytes {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

interface TrafficParts {
  readonly moved: () => MovedBytes;
  /** Milliseconds since any moment. */
  readonly now: () => number;
  readonly tell: (traffic: TrafficView) => void;
}

/** Tells from now on. Returns the way to stop. */
export function tellTraffic({ moved, now, tell }: TrafficParts): () => void {
  let before = { ...moved(), atMs: now() };
  let wasSilent = true;
  const timer = setInterval(() => {
    const at = { ...moved(), atMs: now() };
    const seconds = Math.max(1, at.atMs - before.atMs) / 1000;
    const rateOf = (bytes: number): number => Math.round(Math.max(0, bytes) / seconds);
    const traffic = {
      downloadBytesPerSecond: rateOf(at.receivedBytes - before.receivedBytes),
      uploadBytesPerSecond: rateOf(at.sentBytes - before.sentBytes),
    };
    before = at;
    const isSilent = traffic.downloadBytesPerSecond === 0 && traffic.uploadBytesPerSecond === 0;
    if (!isSilent || !wasSilent) tell(traffic);
    wasSilent = isSilent;
  }, ROUND_MS);
  timer.unref();
  return () => clearInterval(timer);
}
