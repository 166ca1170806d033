// Owns the groups as everything on the page knows them: all that there are, and how the user stands to each. The trackers tell members
// of changes in their groups; groups of others are read when somebody looks for them.
import { computed, effect, signal } from '@preact/signals';
import type { GroupItem } from '#wire/control-api';
import { getAll } from '../api/client.ts';
import type { PageProblem } from '../api/problem.ts';
import { followView, type LiveView } from '../live/live-view.ts';
import { user } from './session.ts';

const view = signal<(LiveView<readonly GroupItem[]> & { readonly stop: () => void }) | null>(null);

/** Every group, by name; null until they have been read for who is logged in. */
export const groups = computed<readonly GroupItem[] | null>(() => view.value?.value.value ?? null);

/** Why they could not be read. */
export const groupsProblem = computed<PageProblem | null>(() => view.value?.problem.value ?? null);

/** Those that the user is in. */
export const ownGroups = computed<readonly GroupItem[]>(
  () => groups.value?.filter(({ membership }) => membership === 'owner' || membership === 'member') ?? [],
);

/** A group by its name; undefined when there is none, or they have not been read yet. */
export function groupOf(name: string): GroupItem | undefined {
  return groups.value?.find(({ group }) => group === name);
}

/** Reads them anew, as after a command that changes them; done when that is to be seen. */
export async function readGroups(): Promise<void> {
  await view.peek()?.reload();
}

effect(() => {
  if (user.value === '') return;
  const followed = followView<readonly GroupItem[]>(
    (interrupt) => getAll<GroupItem>('/groups', interrupt),
    [{ type: 'group_changed' }],
  );
  view.value = followed;
  return () => {
    view.value = null;
    followed.stop();
  };
});
