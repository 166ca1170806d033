// Owns what everybody has to know wherever they are: the peer is away, or commands fail and why. What is said comes from the
// peer, with what to do about it; it goes as soon as it is not true any more.
import { Icon } from '../parts/icon.tsx';
import { isPeerAway, status } from '../state/session.ts';

/** Banners, said to who listens as they come. */
export function Banners() {
  const text = isPeerAway.value
    ? 'The peer does not answer. It may be restarting: this page goes on by itself as soon as it is back, and so do its transfers.'
    : (status.value?.outage?.detail ?? null);
  return (
    <div role="status">
      {text !== null && (
        <div class={`notice banner ${isPeerAway.value ? 'warn' : 'bad'}`}>
          <Icon name="alert" />
          <div>{text}</div>
        </div>
      )}
    </div>
  );
}
