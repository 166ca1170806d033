// Owns who waits to be let into the groups that the user owns. New ones are told as news, wherever the user is.
import { effect, signal } from '@preact/signals';
import type { RequestItem } from '#wire/control-api';
import { getAll, part } from '../api/client.ts';
import { onEvent, onReset } from '../live/event-feed.ts';
import { hrefOf } from '../routing/route.ts';
import { ownGroups } from './groups.ts';
import { tell } from './news.ts';

/** Who waits, by group; a group of others is not in it. */
export const requests = signal<ReadonlyMap<string, readonly RequestItem[]>>(new Map());

/** Of more groups than this nobody is told at once: they are read when somebody looks. */
const FOLLOWED_MOST = 50;

/** Reads anew who waits to be let into a group of the user's. */
export async function readRequests(group: string): Promise<void> {
  const answer = await getAll<RequestItem>(`/groups/${part(group)}/requests`);
  if (!answer.ok || !isOwned(group)) return;
  const before = requests.value.get(group);
  requests.value = new Map([...requests.value, [group, answer.value]]);
  if (before === undefined) return;
  const known = new Set(before.map((request) => request.user));
  for (const { user } of answer.value.filter((request) => !known.has(request.user))) {
    const link = { href: hrefOf({ place: 'members', group }), label: 'Answer' };
    tell({ tone: 'info', text: `${user} asks to join ${group}.`, link });
  }
}

function isOwned(group: string): boolean {
  return ownGroups.peek().some((own) => own.group === group && own.membership === 'owner');
}

function readAll(): void {
  for (const group of requests.peek().keys()) void readRequests(group);
}

onReset(readAll);
onEvent<{ readonly group: string }>('group_changed', ({ group }) => {
  if (requests.peek().has(group)) void readRequests(group);
});

effect(() => {
  const owned = ownGroups.value.filter(({ membership }) => membership === 'owner').slice(0, FOLLOWED_MOST);
  const names = new Set(owned.map(({ group }) => group));
  const kept = [...requests.peek()].filter(([group]) => names.has(group));
  if (kept.length !== requests.peek().size) requests.value = new Map(kept);
  for (const group of names) if (!requests.peek().has(group)) void readRequests(group);
});
