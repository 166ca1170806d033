// Owns how it stands with the network: each tracker and what keeps it from taking commands, whether others can reach this peer, and who it
// is. It says what is, since when nothing works, and what to do.
import type { StatusView, TrackerState, TrackerView } from '#wire/control-status';
import { Secret } from '../parts/copy-button.tsx';
import { Badge, Loading, Notice, type Tone } from '../parts/notice.tsx';
import { status } from '../state/session.ts';

const TRACKERS: Readonly<Record<TrackerState, { readonly tone: Tone; readonly words: string }>> = {
  connecting: { tone: 'warn', words: 'Connecting' },
  ready: { tone: 'good', words: 'Ready' },
  catching_up: { tone: 'warn', words: 'Catching up with the log' },
  unready: { tone: 'bad', words: 'Takes no commands' },
  unreachable: { tone: 'bad', words: 'Not reachable' },
  refused: { tone: 'bad', words: 'Refused: another key' },
};

/** The section. */
export function Network() {
  const peer = status.value;
  if (peer === null) return <Loading what="the status" />;
  return (
    <>
      {peer.outage !== null && <Notice tone="bad">{peer.outage.detail}</Notice>}
      <section aria-labelledby="trackers">
        <h2 id="trackers">Trackers</h2>
        <ul class="card rows">
          {peer.trackers.map((tracker) => (
            <Tracker key={tracker.address} tracker={tracker} />
          ))}
        </ul>
        <p class="soft">Any one of them is enough. They stand in tracker_info.txt, which the peer was started with.</p>
      </section>
      <section class="card card-body" aria-labelledby="this-peer">
        <h2 id="this-peer">This peer</h2>
        <Facts peer={peer} />
        {peer.reachable === false && (
          <Notice tone="warn">
            <p>
              No tracker could connect to {peer.advertise}, so others cannot fetch from here. Forward that port to this
              machine, or start the peer with --advertise and an address at which others reach it. Downloads work all
              the same.
            </p>
          </Notice>
        )}
      </section>
    </>
  );
}

function Tracker({ tracker }: { readonly tracker: TrackerView }) {
  const { address, state, active, trouble, fingerprint } = tracker;
  const { tone, words } = TRACKERS[state];
  return (
    <li class="row">
      <div class="row-text">
        <strong class="fixed">{address}</strong>
        <span class="faint fixed cut" title={fingerprint ?? undefined}>
          {fingerprint ?? 'Has not shown a key yet'}
        </span>
      </div>
      {active && <Badge tone="accent">In use</Badge>}
      <Badge tone={tone}>{words}</Badge>
      {trouble !== null && <p class="row-more soft">{trouble.detail}</p>}
      {state === 'refused' && (
        <p class="row-more soft">
          It shows another key than the one that is known of it. The event and the peer's terminal give both; trust the
          new one only if its operator says that it was changed.
        </p>
      )}
    </li>
  );
}

function Facts({ peer }: { readonly peer: StatusView }) {
  return (
    <dl class="facts">
      <dt>Id</dt>
      <dd>
        <Secret text={peer.peerId} label="peer id" />
      </dd>
      <dt>Listens on</dt>
      <dd class="fixed">{peer.listen}</dd>
      <dt>Others are told</dt>
      <dd class="fixed">{peer.advertise}</dd>
      <dt>Reachable</dt>
      <dd>{peer.reachable === null ? 'Not known yet' : peer.reachable ? 'Yes' : 'No'}</dd>
      <dt>Between peers</dt>
      <dd>{peer.transport === 'tls' ? 'Encrypted (TLS)' : 'Not encrypted (--plain)'}</dd>
      <dt>Log</dt>
      <dd class="fixed">{peer.logId ?? 'Not known yet'}</dd>
    </dl>
  );
}
