import { expect, it } from 'vitest';
import { actorKey } from '#domain/record';

it('a command id is scoped to the user, to the peer while nobody is logged in there, or to the tracker', () => {
  expect(actorKey({ kind: 'peer', peerId: 'a', user: 'alice' })).toBe('user alice');
  expect(actorKey({ kind: 'peer', peerId: 'a', user: null })).toBe('peer a');
  expect(actorKey({ kind: 'tracker', trackerId: 'a' })).toBe('tracker a');
});
