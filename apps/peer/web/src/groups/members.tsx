// Owns who is in a group and who waits to be let in: the owner answers requests, removes members and hands the group over.
import type { GroupItem, MemberItem, RequestItem } from '#wire/control-api';
import { command, getAll, part } from '../api/client.ts';
import { useLiveView } from '../live/live-view.ts';
import { useAction } from '../parts/action.ts';
import { Button, type ButtonProps } from '../parts/button.tsx';
import { confirmed } from '../parts/confirmation.tsx';
import { Badge, Loading, ViewProblem } from '../parts/notice.tsx';
import { Row } from '../parts/row.tsx';
import { Time } from '../parts/time.tsx';
import { readGroups } from '../state/groups.ts';
import { tell, tellProblem } from '../state/news.ts';
import { readRequests, requests } from '../state/requests.ts';
import { user } from '../state/session.ts';

type MemberCommand = 'accept_request' | 'reject_request' | 'remove_member' | 'transfer_ownership';

/** What an owner can do with somebody. */
interface MemberDeed extends Pick<ButtonProps, 'tone'> {
  readonly name: MemberCommand;
  readonly words: string;
}

const REQUEST_BUTTONS: readonly MemberDeed[] = [
  { name: 'reject_request', words: 'Reject' },
  { name: 'accept_request', words: 'Accept', tone: 'main' },
];
const MEMBER_BUTTONS: readonly MemberDeed[] = [
  { name: 'transfer_ownership', words: 'Make owner', tone: 'quiet' },
  { name: 'remove_member', words: 'Remove', tone: 'danger quiet' },
];

/** Requests first, then members. */
export function Members({ item }: { readonly item: GroupItem }) {
  const { group, membership } = item;
  const view = useLiveView(group, (interrupt) => getAll<MemberItem>(`/groups/${part(group)}/members`, interrupt), [
    { type: 'group_changed', when: (data: { readonly group: string }) => data.group === group },
  ]);
  const waiting = membership === 'owner' ? (requests.value.get(group) ?? []) : [];
  return (
    <div class="view narrow">
      {waiting.length > 0 && <Requests group={group} items={waiting} onChange={view.reload} />}
      {view.value !== null && (
        <MemberTable group={group} items={view.value} isOwner={membership === 'owner'} onChange={view.reload} />
      )}
      {view.value === null && view.problem === null && <Loading what="members" />}
      {view.value === null && view.problem !== null && <ViewProblem problem={view.problem} onRetry={view.reload} />}
    </div>
  );
}

interface RequestsProps {
  readonly group: string;
  readonly items: readonly RequestItem[];
  readonly onChange: () => void;
}

function Requests({ group, items, onChange }: RequestsProps) {
  return (
    <section aria-labelledby="requests">
      <div class="section-title">
        <h2 id="requests">Requests to join</h2>
        <Badge tone="accent">{items.length}</Badge>
      </div>
      <ul class="card rows">
        {items.map((request) => (
          <Row key={request.user} title={request.user} about={<Since word="asked" at={request.since} />}>
            <MemberButtons of={REQUEST_BUTTONS} group={group} member={request.user} onChange={onChange} />
          </Row>
        ))}
      </ul>
    </section>
  );
}

interface MemberTableProps {
  readonly group: string;
  readonly items: readonly MemberItem[];
  readonly isOwner: boolean;
  readonly onChange: () => void;
}

function MemberTable({ group, items, isOwner, onChange }: MemberTableProps) {
  return (
    <section aria-labelledby="members">
      <div class="section-title">
        <h2 id="members">Members</h2>
        <span class="soft">{items.length === 1 ? '1 member' : `${items.length} members`}</span>
      </div>
      <ul class="card rows">
        {items.map((member) => (
          <Row
            key={member.user}
            title={
              <>
                {member.user}
                {member.user === user.value && <span class="soft"> (you)</span>}
              </>
            }
            about={<Since word="since" at={member.since} />}
          >
            {member.role === 'owner' && <Badge tone="accent">Owner</Badge>}
            {isOwner && member.role !== 'owner' && (
              <MemberButtons of={MEMBER_BUTTONS} group={group} member={member.user} onChange={onChange} />
            )}
          </Row>
        ))}
      </ul>
      {items.length === 1 && (
        <p class="soft">Tell others the name of the group: they ask to join, and you let them in here.</p>
      )}
    </section>
  );
}

function Since({ word, at }: { readonly word: string; readonly at: string }) {
  return (
    <>
      {word} <Time at={at} />
    </>
  );
}

interface MemberButtonProps {
  readonly group: string;
  readonly member: string;
  readonly onChange: () => void;
}

function MemberButtons({ of: buttons, ...about }: MemberButtonProps & { readonly of: readonly MemberDeed[] }) {
  return (
    <div class="button-row">
      {buttons.map((deed) => (
        <MemberButton key={deed.name} deed={deed} {...about} />
      ))}
    </div>
  );
}

function MemberButton({ deed, group, member, onChange }: MemberButtonProps & { readonly deed: MemberDeed }) {
  const { name, words, tone } = deed;
  const action = useAction(async () => {
    const answer = await command(name, { group, user: member });
    if (answer.ok) tell({ tone: 'good', text: doneText(name, group, member) });
    else tellProblem(answer.problem);
    onChange();
    await Promise.all([readGroups(), readRequests(group)]);
    return answer;
  });
  const run = async (): Promise<void> => {
    if (await isSure(name, group, member)) action.run();
  };
  return (
    <Button
      {...(tone !== undefined && { tone })}
      isBusy={action.isBusy}
      label={`${words}: ${member}`}
      onClick={() => void run()}
    >
      {words}
    </Button>
  );
}

function doneText(name: MemberCommand, group: string, member: string): string {
  switch (name) {
    case 'accept_request':
      return `${member} is a member of ${group} now.`;
    case 'reject_request':
      return `The request of ${member} is gone. It can be made again.`;
    case 'remove_member':
      return `${member} is no member of ${group} any more.`;
    case 'transfer_ownership':
      return `${member} owns ${group} now.`;
  }
}

async function isSure(name: MemberCommand, group: string, member: string): Promise<boolean> {
  switch (name) {
    case 'accept_request':
    case 'reject_request':
      return true;
    case 'remove_member':
      return confirmed({
        title: `Remove ${member}?`,
        body: (
          <p>
            {member} can no longer see or fetch the files of {group}, and what {member} shares there is gone from it.
            What was downloaded stays with {member}.
          </p>
        ),
        action: `Remove ${member}`,
        isDangerous: true,
      });
    case 'transfer_ownership':
      return confirmed({
        title: `Make ${member} the owner?`,
        body: (
          <p>
            {member} answers requests and removes members of {group} from then on, and alone can give it back to you.
            You stay a member.
          </p>
        ),
        action: 'Hand over',
        isDangerous: true,
      });
  }
}
