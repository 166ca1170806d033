import { expect, it } from 'vitest';
import { evolve } from '#domain/evolve';
import { emptyState } from '#domain/state';

it('an event about what the state does not have is a bug', () => {
  const there = 'an event names an entity that the state does not have';
  const state = emptyState();
  expect(() => evolve(state, { type: 'member_joined', group: 'g', user: 'alice' }, { offset: 0 })).toThrow(there);
  expect(() => evolve(state, { type: 'password_changed', user: 'alice', commitment: 'e' }, { offset: 0 })).toThrow(
    there,
  );
});
