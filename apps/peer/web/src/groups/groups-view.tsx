// Owns the place where groups are found: those of the user first, then all others, searched as one types.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { GroupItem } from '#wire/control-api';
import { Screen } from '../frame/screen.tsx';
import { countText } from '../lists/amounts.ts';
import { Button } from '../parts/button.tsx';
import { SearchField } from '../parts/field.tsx';
import { Icon } from '../parts/icon.tsx';
import { Badge, Empty, Loading, ViewProblem } from '../parts/notice.tsx';
import { hrefOf } from '../routing/route.ts';
import { groups, groupsProblem, readGroups } from '../state/groups.ts';
import { requests } from '../state/requests.ts';
import { JoinButton } from './join-button.tsx';
import { NewGroup } from './new-group.tsx';

/** So many rows are drawn; who looks for another one types a letter more. */
const SHOWN_MOST = 200;
const RANK: Readonly<Record<GroupItem['membership'], number>> = { owner: 0, member: 0, pending: 1, none: 2 };

/** All groups. */
export function GroupsView() {
  const isMaking = useSignal(false);
  const search = useSignal('');
  // Trackers tell of changes in the user's own groups; new ones of others are seen by who looks.
  useEffect(() => void readGroups(), []);
  return (
    <Screen
      title="Groups"
      actions={
        <Button tone="main" icon="plus" onClick={() => (isMaking.value = true)}>
          New group
        </Button>
      }
    >
      <div class="view">
        <Found search={search.value} onSearch={(text) => (search.value = text)} onNew={() => (isMaking.value = true)} />
      </div>
      {isMaking.value && <NewGroup onClose={() => (isMaking.value = false)} />}
    </Screen>
  );
}

interface FoundProps {
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly onNew: () => void;
}

function Found({ search, onSearch, onNew }: FoundProps) {
  const all = groups.value;
  if (all === null) {
    const problem = groupsProblem.value;
    return problem === null ? (
      <Loading what="groups" />
    ) : (
      <ViewProblem problem={problem} onRetry={() => void readGroups()} />
    );
  }
  if (all.length === 0) return <NoGroups onNew={onNew} />;
  const rows = foundGroups(all, search);
  return (
    <>
      <div class="view-head">
        <SearchField label="Search groups" value={search} onInput={onSearch}>
          <Icon name="search" />
        </SearchField>
        <span class="soft" role="status">
          {search === '' ? countText(all.length, 'group') : `${rows.length} of ${countText(all.length, 'group')}`}
        </span>
      </div>
      {rows.length === 0 ? (
        <Empty icon="search" title="No group has that in its name" actions={<Button onClick={onNew}>New group</Button>}>
          Names are searched, and owners. Ask whoever invited you how theirs is written, or make one.
        </Empty>
      ) : (
        <GroupTable rows={rows.slice(0, SHOWN_MOST)} moreCount={Math.max(0, rows.length - SHOWN_MOST)} />
      )}
    </>
  );
}

function NoGroups({ onNew }: { readonly onNew: () => void }) {
  return (
    <Empty
      icon="groups"
      title="There are no groups yet"
      actions={
        <Button tone="main" icon="plus" onClick={onNew}>
          New group
        </Button>
      }
    >
      Files are shared in groups. Make one, tell others its name, and let in who asks to join.
    </Empty>
  );
}

function GroupTable({ rows, moreCount }: { readonly rows: readonly GroupItem[]; readonly moreCount: number }) {
  return (
    <div class="card">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="wide-only">
              Owner
            </th>
            <th scope="col">You</th>
            <th scope="col" class="actions">
              <span class="heard">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <GroupRow key={row.group} item={row} />
          ))}
        </tbody>
      </table>
      {moreCount > 0 && <p class="table-foot soft">And {countText(moreCount, 'group')} more: search to find them.</p>}
    </div>
  );
}

function GroupRow({ item }: { readonly item: GroupItem }) {
  const { group, owner, membership } = item;
  const waitingCount = requests.value.get(group)?.length ?? 0;
  return (
    <tr>
      <td>
        <a class="group-link" href={hrefOf({ place: 'files', group })}>
          {group}
        </a>
      </td>
      <td class="wide-only">{owner}</td>
      <td>
        <Membership of={membership} />{' '}
        {waitingCount > 0 && (
          <a class="badge accent" href={hrefOf({ place: 'members', group })}>
            {waitingCount === 1 ? '1 request' : `${waitingCount} requests`}
          </a>
        )}
      </td>
      <td class="actions">{membership === 'none' && <JoinButton group={group} tone="quiet" />}</td>
    </tr>
  );
}

/** How the user stands to a group. */
function Membership({ of: membership }: { readonly of: GroupItem['membership'] }) {
  switch (membership) {
    case 'owner':
      return <Badge tone="accent">Owner</Badge>;
    case 'member':
      return <Badge tone="good">Member</Badge>;
    case 'pending':
      return <Badge tone="warn">Waiting for the owner</Badge>;
    case 'none':
      return <span class="faint">Not a member</span>;
  }
}

function foundGroups(all: readonly GroupItem[], search: string): GroupItem[] {
  const words = search.toLowerCase().split(/\s+/);
  const isFound = ({ group, owner }: GroupItem): boolean => {
    const text = `${group} ${owner}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return all.filter(isFound).sort((left, right) => RANK[left.membership] - RANK[right.membership]);
}
