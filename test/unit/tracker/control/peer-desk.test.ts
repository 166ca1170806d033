import { beforeEach, expect, it } from 'vitest';
import { TrackerMetrics } from '../../../../apps/tracker/src/control/metrics.ts';
import { PeerDesk } from '../../../../apps/tracker/src/control/peer-desk.ts';
import { PushHub } from '../../../../apps/tracker/src/control/push-hub.ts';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';
import { Reachability } from '../../../../apps/tracker/src/presence/reachability.ts';
import { SESSION_LIFETIME_MS, SESSION_RENEWAL_MS } from '#domain/session-term';
import type { PresenceView } from '#wire/tracker-api';
import type { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { LogInMemory, peerOf } from '../../domain/log-of.ts';

const film = { shareId: 7, group: 'films', file: 'film.mkv' };
let log: LogInMemory;
let presence: PresenceTable;
let desk: PeerDesk;
let nowMs = 0;

beforeEach(() => {
  log = LogInMemory.started();
  presence = new PresenceTable({ now: Date.now, hasSession: () => true });
  const replica = { state: log.state, onApplied: () => () => undefined } as unknown as Replica;
  const reachability = new Reachability({ now: Date.now, mayBegin: () => false });
  const pushes = new PushHub({ replica, presence, metrics: new TrackerMetrics() });
  desk = new PeerDesk({ replica, presence, reachability, pushes, files: { watch: () => [] }, now: () => nowMs });
});

function present(user: string): PresenceView {
  const request = { addresses: ['192.0.2.1:9101'], downloading: [film], unserved: [4, 6], transport: 'tls' as const };
  return desk.present(request, { peerId: peerOf(user), address: '192.0.2.1' });
}

it('of a peer on which nobody is logged in only where it is is kept, and of others what they download and cannot serve too', () => {
  log.signUp('bob');
  present('bob');
  present('stranger');
  expect(presence.get(peerOf('bob'))).toMatchObject({ downloading: [film], unserved: [4, 6] });
  const stranger = { addresses: ['192.0.2.1:9101'], downloading: [], unserved: [] };
  expect(presence.get(peerOf('stranger'))).toMatchObject(stranger);
});

it('a peer of an older build, which does not say what it cannot serve, is taken to serve all of it', () => {
  log.signUp('bob');
  present('bob');
  const caller = { peerId: peerOf('bob'), address: '192.0.2.1' };
  desk.present({ addresses: ['192.0.2.1:9101'], downloading: [], transport: 'tls' }, caller);
  expect(presence.serves(peerOf('bob'), 5)).toBe(true);
});

it('a peer is told until when its session lasts, and when to renew it', () => {
  expect(present('stranger')).not.toHaveProperty('term');
  log.signUp('bob');
  const { renewedAtMs } = log.state.sessions.get(peerOf('bob'))!;
  const term = (isRenewalDue: boolean) => ({ term: { expiresAtMs: renewedAtMs + SESSION_LIFETIME_MS, isRenewalDue } });
  nowMs = renewedAtMs + SESSION_RENEWAL_MS - 1;
  expect(present('bob')).toMatchObject(term(false));
  nowMs += 1;
  expect(present('bob')).toMatchObject(term(true));
});
