// Owns the place of one group: its tabs for who is in it, and the way in for who is not.
import type { GroupItem } from '#wire/control-api';
import { FilesView } from '../files/files-view.tsx';
import { Screen } from '../frame/screen.tsx';
import { Button } from '../parts/button.tsx';
import { Badge, Empty, Loading, ViewProblem } from '../parts/notice.tsx';
import { hrefOf, type Route } from '../routing/route.ts';
import { groupOf, groups, groupsProblem, readGroups } from '../state/groups.ts';
import { requests } from '../state/requests.ts';
import { GroupSettings } from './group-settings.tsx';
import { JoinButton } from './join-button.tsx';
import { Members } from './members.tsx';

type GroupRoute = Extract<Route, { readonly group: string }>;

/** A group, and what of it is looked at. */
export function GroupView({ at }: { readonly at: GroupRoute }) {
  const item = groupOf(at.group);
  if (item === undefined || item.membership === 'none' || item.membership === 'pending') {
    return (
      <Screen title={at.group}>
        <Outside group={at.group} item={item} />
      </Screen>
    );
  }
  return (
    <Screen title={at.group} tabs={<Tabs item={item} here={at.place} />}>
      <Tab at={at} item={item} />
    </Screen>
  );
}

function Tab({ at, item }: { readonly at: GroupRoute; readonly item: GroupItem }) {
  switch (at.place) {
    case 'files':
      return <FilesView group={at.group} file={at.file} />;
    case 'members':
      return <Members item={item} />;
    case 'group':
      return <GroupSettings item={item} />;
  }
}

function Tabs({ item, here }: { readonly item: GroupItem; readonly here: GroupRoute['place'] }) {
  const { group } = item;
  const waitingCount = requests.value.get(group)?.length ?? 0;
  const isHere = (place: GroupRoute['place']) => (here === place ? 'page' : undefined);
  return (
    <nav class="tabs" aria-label={group}>
      <a href={hrefOf({ place: 'files', group })} aria-current={isHere('files')}>
        Files
      </a>
      <a href={hrefOf({ place: 'members', group })} aria-current={isHere('members')}>
        Members{' '}
        {waitingCount > 0 && (
          <Badge tone="accent">
            {waitingCount}
            <span class="heard">{waitingCount === 1 ? ' request to join' : ' requests to join'}</span>
          </Badge>
        )}
      </a>
      <a href={hrefOf({ place: 'group', group })} aria-current={isHere('group')}>
        Group settings
      </a>
    </nav>
  );
}

/** For who is not in the group: why nothing is shown, and what to do. */
function Outside({ group, item }: { readonly group: string; readonly item: GroupItem | undefined }) {
  const toGroups = (
    <a class="button" href={hrefOf({ place: 'groups' })}>
      All groups
    </a>
  );
  if (groups.value === null) {
    const problem = groupsProblem.value;
    return problem === null ? (
      <Loading what="the group" />
    ) : (
      <ViewProblem problem={problem} onRetry={() => void readGroups()} />
    );
  }
  if (item === undefined) {
    return (
      <Empty icon="search" title={`There is no group named ${group}`} actions={toGroups}>
        Its last member may have left it, or its name is written in another way.
      </Empty>
    );
  }
  if (item.membership === 'pending') {
    return (
      <Empty
        icon="groups"
        title={`${item.owner} has not answered yet`}
        actions={
          <>
            {toGroups}
            <Button onClick={() => void readGroups()}>Look again</Button>
          </>
        }
      >
        You asked to join {group}. Its files appear here as soon as you are let in.
      </Empty>
    );
  }
  return (
    <Empty icon="groups" title={`You are not a member of ${group}`} actions={<JoinButton group={group} />}>
      Its owner, {item.owner}, can let you in. Only members see its files.
    </Empty>
  );
}
