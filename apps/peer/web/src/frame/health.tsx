// Owns one line about how it stands: with the peer, with its trackers, and with others that would reach it. It leads to where more is said.
import type { StatusView } from '#wire/control-status';
import { hrefOf } from '../routing/route.ts';
import { isPeerAway, status } from '../state/session.ts';

interface Standing {
  readonly tone: 'good' | 'warn' | 'bad';
  readonly text: string;
}

/** A dot and a few words. */
export function Health() {
  const { tone, text } = standingOf(status.value, isPeerAway.value);
  return (
    <a class="health" href={hrefOf({ place: 'settings', section: 'network' })}>
      <span class={`dot ${tone}`} />
      <span class="cut">{text}</span>
    </a>
  );
}

function standingOf(peer: StatusView | null, isAway: boolean): Standing {
  if (isAway) return { tone: 'bad', text: 'Peer away' };
  if (peer === null) return { tone: 'warn', text: 'Connecting' };
  const readyCount = peer.trackers.filter(({ state }) => state === 'ready').length;
  if (readyCount === 0 || peer.outage !== null) return { tone: 'bad', text: 'No tracker takes commands' };
  if (readyCount < peer.trackers.length) {
    return { tone: 'warn', text: `${readyCount} of ${peer.trackers.length} trackers` };
  }
  return peer.reachable === false ? { tone: 'warn', text: 'Not reachable' } : { tone: 'good', text: 'Connected' };
}
