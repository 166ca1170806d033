// Owns telling what moves through this peer altogether, both ways, while somebody listens: once a second while anything does, and once more
// when it is over or when somebody came, who may have been told of more. Serving has no progress of its own that a view would tell.
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

/** Telling that goes on. */
export interface TrafficFeed {
  /** The next second is told, whether anything moves or not. */
  tellNext(): void;
  stop(): void;
}

/** Tells from now on. */
export function tellTraffic({ moved, now, tell }: TrafficParts): TrafficFeed {
  let before = { ...moved(), atMs: now() };
  let isExpected = false;
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
    if (!isSilent || isExpected) tell(traffic);
    isExpected = !isSilent;
  }, ROUND_MS);
  timer.unref();
  return {
    tellNext: () => void (isExpected = true),
    stop: () => clearInterval(timer),
  };
}
