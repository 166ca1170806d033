import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyState, type State } from '#domain/state';
import { ListenersByUser } from '../../../../apps/tracker/src/control/listeners-by-user.ts';

interface Step {
  readonly what: 'listen' | 'leave' | 'login' | 'logout' | 'expiry';
  readonly peer: string;
  readonly user: string;
}

const step = fc.record({
  what: fc.constantFrom('listen', 'listen', 'leave', 'login', 'login', 'logout', 'expiry'),
  peer: fc.constantFrom('p1', 'p2', 'p3', 'p4'),
  user: fc.constantFrom('alice', 'bob', 'eve'),
}) as fc.Arbitrary<Step>;

class World {
  readonly replica = { state: emptyState() };
  readonly listeners = new ListenersByUser(this.replica);
  readonly listening = new Set<string>();

  take({ what, peer: peerId, user }: Step): void {
    const { sessions } = this.replica.state;
    if (what === 'listen') this.listening.add(peerId);
    if (what === 'listen') this.listeners.add(peerId);
    if (what === 'leave' && this.listening.delete(peerId)) this.listeners.remove(peerId);
    if (what === 'login' && !sessions.has(peerId)) {
      sessions.set(peerId, { id: 0, user, peerId, startedAtMs: 0, renewedAtMs: 0 });
      this.listeners.follow([{ type: 'session_started', user, peerId }]);
    }
    const session = sessions.get(peerId);
    const ends = { logout: 'session_ended', expiry: 'session_expired' } as const;
    if ((what === 'logout' || what === 'expiry') && session !== undefined) {
      sessions.delete(peerId);
      this.listeners.follow([{ type: ends[what], user: session.user, peerId }]);
    }
  }

  /** By the index, and by asking of each listening peer who is logged in on it. */
  audiences(...users: readonly string[]): [string[], string[]] {
    const wanted = new Set(users);
    const found = new Set<string>();
    this.listeners.collect(wanted, found);
    const { sessions } = this.replica.state;
    const asked = [...this.listening].filter((peerId) => wanted.has(sessions.get(peerId)?.user ?? ''));
    return [[...found].sort(), asked.sort()];
  }
}

test('whoever listens and is logged in is found, whatever peers and sessions do', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const each of steps) {
        world.take(each);
        for (const users of [['alice'], ['bob', 'eve'], ['alice', 'bob', 'eve', 'u1', 'u2', 'u3']]) {
          const [found, asked] = world.audiences(...users);
          expect(found).toEqual(asked);
        }
      }
    }),
  );
});

test('sessions of a state that was computed anew count from its first record on', () => {
  const world = new World();
  world.take({ what: 'listen', peer: 'p1', user: '' });
  world.take({ what: 'login', peer: 'p1', user: 'alice' });
  const state: State = emptyState();
  state.sessions.set('p1', { id: 0, user: 'bob', peerId: 'p1', startedAtMs: 0, renewedAtMs: 0 });
  world.replica.state = state;
  world.listeners.follow([]);
  expect(world.audiences('alice', 'bob')[0]).toEqual(['p1']);
  expect(world.audiences('alice')[0]).toEqual([]);
});
