// Owns where the user is logged in, and ending that elsewhere.
import type { SessionItem } from '#wire/control-sessions';
import { getAll, remove } from '../api/client.ts';
import { useLiveView } from '../live/live-view.ts';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { confirmed } from '../parts/confirmation.tsx';
import { Badge, Loading, ViewProblem } from '../parts/notice.tsx';
import { Row } from '../parts/row.tsx';
import { Time } from '../parts/time.tsx';
import { tell, tellProblem } from '../state/news.ts';

const PEER_ID_SHOWN = 12;
const RENEWALS = [{ type: 'sessions_changed' }];

/** The section. */
export function Sessions() {
  const view = useLiveView('sessions', (interrupt) => getAll<SessionItem>('/sessions', interrupt), RENEWALS);
  if (view.value === null) {
    return view.problem === null ? (
      <Loading what="sessions" />
    ) : (
      <ViewProblem problem={view.problem} onRetry={view.reload} />
    );
  }
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">Where you are logged in</h2>
      <ul class="card rows">
        {view.value.map((session) => (
          <SessionRow key={session.sessionId} session={session} onChange={view.reload} />
        ))}
      </ul>
      <p class="soft">A peer that runs renews its session by itself. End one that is on a machine you gave away.</p>
    </section>
  );
}

function SessionRow({ session, onChange }: { readonly session: SessionItem; readonly onChange: () => void }) {
  const { peerId, startedAt, expiresAt, current } = session;
  const shortId = peerId.slice(0, PEER_ID_SHOWN);
  const action = useAction(async () => {
    const answer = await remove(`/sessions/${peerId}`);
    if (answer.ok) tell({ tone: 'good', text: `The session on peer ${shortId} has ended.` });
    else tellProblem(answer.problem);
    onChange();
    return answer;
  });
  const end = async (): Promise<void> => {
    const body = <p>Its transfers pause, and it shares nothing of yours, until you log in there again.</p>;
    if (await confirmed({ title: `End the session on ${shortId}?`, body, action: 'End session', isDangerous: true }))
      action.run();
  };
  return (
    <Row
      title={
        <>
          Peer <span class="fixed">{shortId}</span>
        </>
      }
      about={
        <>
          Since <Time at={startedAt} />
          {expiresAt !== null && (
            <>
              , ends <Time at={expiresAt} /> unless renewed
            </>
          )}
        </>
      }
    >
      {current ? (
        <Badge tone="good">This peer</Badge>
      ) : (
        <Button
          tone="danger quiet"
          isBusy={action.isBusy}
          label={`End session on peer ${shortId}`}
          onClick={() => void end()}
        >
          End session
        </Button>
      )}
    </Row>
  );
}
