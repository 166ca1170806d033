import { afterEach, describe, expect, it } from 'vitest';
import type { GroupView } from '#domain/views';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('a tracker', () => {
  it('takes commands over TLS and shows what they changed', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const alice = await cleanup.peer(tracker);
    await alice.signUp('alice');
    await alice.accepted('create_group', { group: 'films' });
    expect(await alice.list<GroupView>('list_groups')).toEqual([
      { group: 'films', owner: 'alice', membership: 'owner' },
    ]);
    expect(verdict(await alice.command('create_group', { group: 'films' }))).toBe('group_exists');
  });
});
