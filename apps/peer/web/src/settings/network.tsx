// Owns how it stands with the network: each tracker and what keeps it from taking commands, whether others can reach this peer, and who it
// is. It says what is, since when nothing works, and what to do.
import type { StatusView, TrackerState, TrackerView } from '#wire/control-status';
import { Secret } from '../parts/copy-button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Badge, Loading, Notice, type Tone } from '../parts/notice.tsx';
import { Row } from '../parts/row.tsx';
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
        <PeerFacts peer={peer} />
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
    <Row title={<span class="fixed">{address}</span>} about={<Fingerprint of={fingerprint} />}>
      {active && <Badge tone="accent">In use</Badge>}
      <Badge tone={tone}>{words}</Badge>
      {trouble !== null && <p class="row-more soft">{trouble.detail}</p>}
      {state === 'refused' && (
        <p class="row-more soft">
          It shows another key than the one that is known of it. The event and the peer's terminal give both; trust the
          new one only if its operator says that it was changed.
        </p>
      )}
    </Row>
  );
}

function Fingerprint({ of: fingerprint }: { readonly of: string | null }) {
  return (
    <span class="faint fixed cut" title={fingerprint ?? undefined}>
      {fingerprint ?? 'Has not shown a key yet'}
    </span>
  );
}

function PeerFacts({ peer }: { readonly peer: StatusView }) {
  return (
    <Facts>
      <Fact name="Id">
        <Secret text={peer.peerId} label="peer id" />
      </Fact>
      <Fact name="Listens on" isFixed>
        {peer.listen}
      </Fact>
      <Fact name="Others are told" isFixed>
        {peer.advertise}
      </Fact>
      <Fact name="Reachable">{peer.reachable === null ? 'Not known yet' : peer.reachable ? 'Yes' : 'No'}</Fact>
      <Fact name="Between peers">{peer.transport === 'tls' ? 'Encrypted (TLS)' : 'Not encrypted (--plain)'}</Fact>
      <Fact name="Log" isFixed>
        {peer.logId ?? 'Not known yet'}
      </Fact>
    </Facts>
  );
}
