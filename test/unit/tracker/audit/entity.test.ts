import { expect, it } from 'vitest';
import type { State } from '#domain/state';
import { effectsOn } from '../../../../apps/tracker/src/audit/entity.ts';
import { replayUnproved } from '../../../../apps/tracker/src/audit/replay.ts';
import { RANDOM_GROUPS, RANDOM_USERS, randomRecords } from '../random-log.ts';
import { sourceOf } from './sources.ts';

const MEMBERS = RANDOM_GROUPS.flatMap((group) => RANDOM_USERS.map((user) => ({ group, user })));

/** What somebody is in a group, and since when. */
function standingOf({ groups }: State, { group: name, user }: { group: string; user: string }): string {
  const group = groups.get(name);
  if (group === undefined) return 'nothing';
  const { owner, members, requests } = group;
  return `${owner === user} ${members.get(user)?.sinceOffset} ${requests.get(user)?.sinceOffset}`;
}

it('a record that changes what somebody is in a group is in the history of the membership, and of the user', async () => {
  const missed: string[] = [];
  const seen = new Set<string>();
  for (let seed = 0; seed < 4; seed++) {
    let before: readonly string[] = MEMBERS.map(() => 'nothing');
    await replayUnproved(sourceOf(randomRecords(seed, 500, { isTruthful: true })), {
      visit: (audited, { state }) => {
        const after = MEMBERS.map((member) => standingOf(state, member));
        const command = String(audited.record?.command.name);
        // A group that begins or ends is something to its members only.
        const isOfAll = ['create_group', 'leave_group'].includes(command);
        for (const [index, { group, user }] of MEMBERS.entries()) {
          if (after[index] === before[index]) continue;
          seen.add(command);
          const isMissed = (entity: Parameters<typeof effectsOn>[0]): boolean =>
            effectsOn(entity, audited).length === 0;
          if (isOfAll && audited.record?.actor.kind === 'peer' && audited.record.actor.user !== user) continue;
          if (isMissed({ kind: 'member', group, user })) missed.push(`${seed} ${audited.offset} ${command} ${user}`);
          if (isMissed({ kind: 'user', user })) missed.push(`${seed} ${audited.offset} ${command} ${user} as user`);
        }
        before = after;
      },
    });
  }
  expect(missed).toEqual([]);
  expect([...seen].sort()).toEqual([
    'accept_request',
    'create_group',
    'join_group',
    'leave_group',
    'reject_request',
    'remove_member',
    'transfer_ownership',
  ]);
});
