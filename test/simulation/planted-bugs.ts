// Owns wrong parts that a simulation has to find: each stands where the product has a right one, behind the same interface, and
// does what a plausible mistake would do. None of them is in the product.
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { filter } from 'rxjs';
import { type Rules, RULES } from '#domain/rules';
import { SmallMap } from '#domain/small-map';
import type { Group, Share, State } from '#domain/state';
import { encodeLogRecord } from '#wire/log-record';
import { PEER_COMMAND_NAMES } from '#wire/tracker-api';
import { type CommandLog, LogFailure } from '../../apps/tracker/src/command-log/command-log.ts';
import type { GrantIssuer } from '../../apps/tracker/src/grants/grants.ts';
import type { Replica } from '../../apps/tracker/src/replica/replica.ts';
import type { OpenChannel } from '../../apps/peer/src/tracker-link/tracker-client.ts';
import {
  type Build,
  type Change,
  exchanging,
  NEWER_BUILD,
  NEWER_RULES,
  NEWER_RULES_VERSION,
  readingThrough,
} from './builds.ts';
import { LONGEST_PACE, type Plants } from './simulation.ts';
import type { TrackerPlants } from './simulated-tracker.ts';

/** How long a stale copy is used. */
const STALE_MS = 1_000;

/** Takes the newer schema whatever version is in force. */
const TOO_EARLY: Rules = {
  ...NEWER_RULES,
  apply: (state, { record, ...appended }) =>
    RULES.apply(state, { ...appended, record: record === null ? null : { ...record, schemaVersion: 1 } }),
};

/** What checkpoints are for. */
const WRONG_BUILD: Plants = { story: 'faulty_tracker', wrong: 'wrong_build' };

/** Wrong parts by what is wrong with them. */
export const PLANTED_BUGS: Readonly<Record<string, Plants>> = {
  'no deduplication': ofTracker({ applied: ({ state }) => state.outcomes.clear() }),
  'a replay that is off by one': ofTracker({
    log: (log, { isRestart }) => (isRestart ? readingShifted(log) : log),
  }),
  'a record that is left out while reading': ofTracker({ log: (log) => readingThrough(log, leavingOut()) }),
  'a digest in the order of a map': ofTracker({
    started: ({ state }, { isRestart }) => {
      if (isRestart) sortSessions(state);
    },
    digest: (digest, { sessions }) => hash('sha256', JSON.stringify([digest, ...sessions.keys()])),
  }),
  'membership of a moment ago in sources and grants': ofTracker({ seenBySources: withStaleGroups }),
  'a grant that was given once is given again': ofTracker({ grants: givingAgain }),
  'sessions of a moment ago in views': ofTracker({ seenByViews: withStaleSessions }),
  'an answer with the offset read last': ofTracker({
    replica: (replica) =>
      exchanging(replica, {
        submit: async (record, options) => {
          const applied = await replica.submit(record, options);
          return applied === null ? null : { ...applied, outcomeOffset: replica.appliedOffset };
        },
      }),
  }),
  'an answer before the record is applied': ofTracker({
    replica: (replica, log) =>
      exchanging(replica, {
        submit: async (record, { sealed }) => {
          const [offset] = await log.append([{ value: encodeLogRecord(record), sealed }]);
          return { outcome: { status: 'accepted', result: {} }, outcomeOffset: offset!, events: [] };
        },
      }),
  }),
  'an append without an answer taken for a refusal': ofTracker({
    replica: (replica) =>
      exchanging(replica, {
        submit: async (record, options) => {
          try {
            return await replica.submit(record, options);
          } catch (error) {
            if (!(error instanceof LogFailure)) throw error;
            const outcome = { status: 'rejected', reason: 'command_expired' } as const;
            return { outcome, outcomeOffset: replica.appliedOffset, events: [] };
          }
        },
      }),
  }),
  'views that do not wait for what was seen': ofTracker({
    seenByViews: (replica) => exchanging(replica, { waitUntilApplied: () => Promise.resolve(true) }),
  }),
  'the time of the reader instead of the record': ofTracker({
    applied: ({ state }) => {
      state.logTimeMs = Date.now();
    },
  }),
  'a revocation that is not told now and then': ofTracker({
    pushes: (pushes) => pushes.pipe(filter(({ type }) => type !== 'revoked' || Math.random() > 0.1)),
  }),
  'sessions that never expire': { ...ofTracker({ build: withoutExpiry }), absenceDays: 31 },
  'presence that never expires': {
    ...ofTracker({ presenceNow: () => () => 0 }),
    pace: { workMs: 120_000, pauseMs: 3_000 },
    faults: ['peer_crash'],
  },
  'grants while the log is away for long': {
    ...ofTracker({ seenBySources: (replica) => exchanging(replica, { logSilentMs: () => 0 }) }),
    pace: LONGEST_PACE,
    faults: ['outage', 'cut'],
  },
  'a build that reads on at rules that it does not know': {
    ...ofTracker({ build: (build) => ({ ...build, rules: { ...build.rules, newestVersion: NEWER_RULES_VERSION } }) }),
    story: 'upgrade',
  },
  'a newer record that is accepted before its rules are in force': {
    ...ofTracker({ build: (build) => (build === NEWER_BUILD ? { ...build, rules: TOO_EARLY } : build) }),
    story: 'upgrade',
  },
  'checkpoints that nobody compares': {
    ...ofTracker({ following: { heedsCheckpoints: false } }),
    ...WRONG_BUILD,
  },
  'grants while a checkpoint is disputed': {
    ...ofTracker({ seenBySources: (replica) => exchanging(replica, { isDisputed: false }) }),
    ...WRONG_BUILD,
  },
  'a dispute that no ruling ends': { ...ofTracker({ replica: withoutEndOfDisputes }), ...WRONG_BUILD },
  'a torn snapshot that is taken for a whole one': ofTracker({
    startingPoints: loading(({ groups }) => {
      for (const name of [...groups.keys()].slice(groups.size / 2)) groups.delete(name);
    }),
  }),
  'a snapshot without the outcomes of commands': ofTracker({
    startingPoints: loading(({ outcomes }) => outcomes.clear()),
  }),
  'a snapshot whose next record is left out': ofTracker(leavingOutAfterSnapshot()),
  'snapshots that nobody compares': {
    ...ofTracker({ comparison: (comparison) => exchanging(comparison, { look: () => undefined }) }),
    story: 'faulty_tracker',
    wrong: 'miskept',
  },
  'a snapshot that hangs on who writes it': {
    ...ofTracker({ build: (build) => ({ ...build, keeps: turnedRound() }) }),
    story: 'none',
  },
  'a log that loses what it had not synced': { log: { unsyncedRecordsMax: 3 } },
  'a peer that forgets what it has seen': {
    peer: (open) => sendingThrough(open, (_pattern, payload) => ({ ...payload, seenOffset: -1 })),
  },
  'a new command id for every attempt': {
    peer: (open) => {
      const sent = new Set<string>();
      return sendingThrough(open, (pattern, payload) => withFreshId(sent, pattern, payload));
    },
  },
};

/** Whatever a record finds was renewed just then. */
function withoutExpiry(build: Build): Build {
  const apply: Rules['apply'] = (state, appended) => {
    const nowMs = appended.record?.timeMs ?? 0;
    for (const [peerId, session] of state.sessions) {
      state.sessions.set(peerId, { ...session, renewedAtMs: Math.max(session.renewedAtMs, nowMs) });
    }
    state.sessionOrder.startAnew();
    return build.rules.apply(state, appended);
  };
  return { ...build, rules: { ...build.rules, apply } };
}

function ofTracker(tracker: TrackerPlants): Plants {
  return { tracker };
}

/** Connections on which every request is changed before it is sent. */
function sendingThrough(open: OpenChannel, change: (pattern: string, payload: object) => object): OpenChannel {
  return (options) => {
    const channel = open(options);
    const call: typeof channel.call = (pattern, payload, timeoutMs) =>
      channel.call(pattern, change(pattern, payload), timeoutMs);
    return exchanging(channel, { call });
  };
}

/** Each time that it is read anew. */
function readingShifted(log: CommandLog): CommandLog {
  return { ...log, read: (fromOffset, signal) => readingThrough(log, shifted()).read(fromOffset, signal) };
}

/** Every record of the first batch but its first has what the one before it has. */
function shifted(): Change {
  let isFirst = true;
  return (batch) => {
    if (!isFirst) return batch;
    isFirst = false;
    return batch.map((record, index) => ({ ...batch[Math.max(0, index - 1)]!, offset: record.offset }));
  };
}

/** Now and then the last record of a batch is taken for the one before it. */
function leavingOut(): Change {
  return (batch) => {
    if (batch.length < 2 || Math.random() > 0.05) return batch;
    return [...batch.slice(0, -2), { ...batch.at(-1)!, offset: batch.at(-2)!.offset }, batch.at(-1)!];
  };
}

function sortSessions({ sessions }: State): void {
  const sorted = [...sessions].sort(([left], [right]) => (left < right ? -1 : 1));
  sessions.clear();
  for (const [peerId, session] of sorted) sessions.set(peerId, session);
}

/** Snapshots of which something is lost while they are loaded. */
function loading(lose: (state: State) => void): NonNullable<TrackerPlants['startingPoints']> {
  return (points) =>
    exchanging(points, {
      load: async (restart) => {
        const derived = await points.load(restart);
        if (derived !== null) lose(derived.state);
        return derived;
      },
    });
}

/** Whoever begins at a snapshot takes the record after the next one for the next one. */
function leavingOutAfterSnapshot(): TrackerPlants {
  const nextOffsets = new WeakMap<object, number>();
  let beginning: object = {};
  return {
    startingPoints: (points) => {
      const here = beginning;
      return exchanging(points, {
        load: async (restart) => {
          const derived = await points.load(restart);
          if (derived !== null) nextOffsets.set(here, derived.state.appliedOffset + 1);
          return derived;
        },
      });
    },
    log: (log) => {
      const here = (beginning = {});
      return {
        ...log,
        async *read(fromOffset, signal) {
          const isTail = nextOffsets.get(here) === fromOffset;
          for await (const batch of log.read(isTail ? fromOffset + 1 : fromOffset, signal)) {
            yield isTail ? batch.map((record) => ({ ...record, offset: record.offset - 1 })) : batch;
          }
        },
      };
    },
  };
}

/** Writes one snapshot after another otherwise than the state is, where nothing shows it. */
function turnedRound(): (state: State) => void {
  let isOther = Math.random() < 0.5;
  return ({ users }) => {
    isOther = !isOther;
    const [user] = users.values();
    if (isOther && user !== undefined) users.set(user.name, { ...user, createdOffset: user.createdOffset + 1 });
  };
}

function withoutEndOfDisputes(replica: Replica): Replica {
  let disputed: Replica['readiness'] | null = null;
  return exchanging(replica, {
    get readiness() {
      const { readiness } = replica;
      if (!readiness.ready && readiness.reason === 'checkpoint_disputed') disputed = readiness;
      return disputed ?? readiness;
    },
  });
}

/** A replica whose state has some parts as they were a moment ago, and says that it is of now. */
function withStale(replica: Replica, copyOf: (state: State) => Partial<State>): Replica {
  let copy = copyOf(replica.state);
  void (async () => {
    for (;;) {
      await sleep(STALE_MS);
      copy = copyOf(replica.state);
    }
  })();
  const stale = new Proxy(replica.state, {
    get: (target, name) => (Object.hasOwn(copy, name) ? copy : target)[name as keyof State],
  });
  return exchanging(replica, { state: stale });
}

function withStaleGroups(replica: Replica): Replica {
  return withStale(replica, ({ groups }) => ({
    groups: new Map([...groups].map(([name, group]) => [name, copied(group)])),
  }));
}

function withStaleSessions(replica: Replica): Replica {
  return withStale(replica, ({ sessions }) => ({ sessions: new Map(sessions) }));
}

/** Whoever has had a grant of a share has one for as long as the tracker runs, dated as of now. */
function givingAgain(issuer: GrantIssuer): GrantIssuer {
  const given = new Set<string>();
  return exchanging(issuer, {
    issue: (request) => {
      const { group, share, user, peerId } = request;
      const key = `${share.id} ${user} ${peerId}`;
      const grant = issuer.issue(request);
      if (grant !== null) given.add(key);
      if (grant !== null || !given.has(key)) return grant;
      return issuer.issue({ ...request, group, share: { ...share, downloaders: new SmallMap([[peerId, user]]) } });
    },
  });
}

function copied(group: Group): Group {
  const copyOf = (share: Share): Share => ({
    ...share,
    downloaders: new SmallMap(share.downloaders ?? []),
    history: share.history === null ? null : { ...share.history, older: share.history.older.map(copyOf) },
  });
  const shares = [...group.shares].map(([file, share]) => [file, copyOf(share)]);
  return { ...group, members: new SmallMap(group.members), shares: new Map(shares as never) };
}

function withFreshId(sent: Set<string>, pattern: string, payload: object): object {
  if (!(PEER_COMMAND_NAMES as readonly string[]).includes(pattern)) return payload;
  const { commandId } = payload as { commandId: string };
  if (!sent.has(commandId)) {
    sent.add(commandId);
    return payload;
  }
  const digits = Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
  return { ...payload, commandId: commandId.slice(0, -12) + digits };
}
