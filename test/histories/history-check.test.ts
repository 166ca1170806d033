// A true history of two trackers and what the check of it has to find when it is not true any more: each row says something that
// a wrong tracker, link or log would have brought about.
import { join } from 'node:path';
import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandLog, StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { until } from '../../infra/quick-start/until.ts';
import { Cleanup, type TestTracker } from '../e2e/tracker-harness.ts';
import { Draws } from '../simulation/draws.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { History, readHistory, type TimedEvent } from './history.ts';
import { checkHistory, type HistoryVerdict } from './history-check.ts';
import { HistoryClient } from './history-client.ts';
import { People } from './people.ts';

interface Recorded {
  readonly records: readonly StoredRecord[];
  readonly events: readonly TimedEvent[];
}

type EventOf<Type extends TimedEvent['type']> = Extract<TimedEvent, { readonly type: Type }>;

const RECORDS_MIN = 250;
const RECORDS_MS_MAX = 90_000;
// Wrong passwords are limited, and hashed for nothing.
const SIZE = { users: 3, groups: 3, files: 3, passwords: 1 };

const cleanup = new Cleanup();
let recorded: Recorded;
beforeAll(async () => {
  const log = new MemoryLog();
  recorded = await play(log, [await cleanup.tracker(log), await cleanup.tracker(log)]);
}, 120_000);
afterAll(() => cleanup.run());

/** What people do at the trackers until there are enough records, and what the trackers have at the end. */
async function play(log: MemoryLog, trackers: readonly TestTracker[]): Promise<Recorded> {
  const folder = await cleanup.directory();
  const path = join(folder, 'history.ndjson');
  const history = new History(path);
  const draws = new Draws(1);
  const entries = trackers.map(({ rpc, identity }) => ({ ...rpc, trackerId: identity.id }));
  const people = new People({ draws, state: trackers[0]!.replica.state, size: SIZE, pauseMs: 1 });
  const clients = await Promise.all(
    [1, 2, 3].map((n) =>
      HistoryClient.open({ folder: join(folder, `${n}`), trackers: entries, history, random: draws.uniform }),
    ),
  );
  const lives = clients.flatMap((client) => [people.live(client), people.live(client)]);
  try {
    await until('there are enough records', () => log.records.length >= RECORDS_MIN, RECORDS_MS_MAX);
  } finally {
    people.end();
    await Promise.all(lives);
    await Promise.all(clients.map((client) => client.close()));
  }
  const offset = log.records.length - 1;
  for (const { replica, identity } of trackers) {
    await replica.waitUntilApplied(offset);
    const { digest, root } = replica;
    history.add({ type: 'digest', tracker: identity.id, offset, digest, root });
  }
  await history.close();
  const events: TimedEvent[] = [];
  for await (const event of readHistory(path)) events.push(event);
  return { records: [...log.records], events };
}

const check = ({ records, events }: Recorded): Promise<HistoryVerdict> => checkHistory(records, events);

describe('a true history', () => {
  it('has nothing wrong, and much in it', async () => {
    const verdict = await check(recorded);
    expect(verdict.violations).toEqual([]);
    expect(verdict).toMatchObject({ unknown: 0, records: recorded.records.length, digests: 2 });
    expect(verdict.acknowledged).toBeGreaterThan(150);
    expect(verdict.looks).toBeGreaterThan(30);
    expect(verdict.outcomeKinds).toBeGreaterThan(15);
  });
});

describe('a check of a history finds', () => {
  const rows: [wrong: string, doctor: (true_: Recorded) => Recorded, by: RegExp][] = [
    ['an acknowledged command that the log has lost', cutAfterLastEffect, /no such command stands at offset/],
    ['a tracker that was ahead of the log', withoutEnd, /which is not in the log/],
    ['a command that has an effect and was refused', withEffectRefused, /was refused without a record/],
    ['an effect that nobody asked for', withoutSender, /nobody sent \w+/],
    ['a retry that was decided a second time', withRetryDecided, /its first outcome is at/],
    ['an answer that the log contradicts', withOtherOutcome, /the log says/],
    ['an answer from another offset', withOtherOffset, /no such command stands at offset/],
    ['the outcome of another content', withOtherContent, /outcome of another content/],
    ['a command decided before it was sent', withLateBegin, /but it began after \d+ was answered/],
    ['a view of before what its session has seen', withStaleView, /was shown the state as of \d+ after it had seen/],
    ['a tracker that did not wait for what was seen', withStaleReply, /is older than \d+, which was seen/],
    ['a view that leaves something out', withShortList, /but true is/],
    ['a view for who is not logged in', withStrangersView, /nobody who is logged in|but true is/],
    ['a session that a tracker takes for another', withOtherUser, /says that .+ is logged in/],
    ['trackers with different digests', withOther('digest'), /another digest at offset/],
    ['trackers that read different records', withOther('root'), /another root at offset/],
    ['a failure that is a bug', withBug, /is answered with internal_error/],
  ];

  it('a tracker that reads another record in the place of one', { timeout: 120_000 }, async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(misreading(log, 100))];
    const { violations } = await check(await play(log, [one, other]));
    expect(violations.join('\n')).toContain(`tracker ${other.identity.id} has another digest at offset`);
  });

  it.each(rows)('%s', async (_wrong, doctor, by) => {
    const { violations } = await check(doctor(recorded));
    expect(violations.join('\n')).toMatch(by);
  });
});

/** A log of which a record is read as the one before it. */
function misreading(log: MemoryLog, offset: number): CommandLog {
  return {
    append: (records) => log.append(records),
    end: () => log.end(),
    close: () => log.close(),
    async *read(fromOffset, signal) {
      const wrong = (): StoredRecord => ({ ...log.records[offset - 1]!, offset });
      for await (const batch of log.read(fromOffset, signal))
        yield batch.map((each) => (each.offset === offset ? wrong() : each));
    },
  };
}

/** The answers that people got, with the commands that they had sent once only, and what came of it. */
function answers({ events }: Recorded, status: 'accepted' | 'rejected') {
  const sent = events.filter((event) => event.type === 'command');
  const times = (commandId: string): number => sent.filter((other) => other.commandId === commandId).length;
  return events.flatMap((event) => {
    if (event.type !== 'answer' || event.answer.status !== status) return [];
    const command = sent.find(({ call }) => call === event.call)!;
    return times(command.commandId) === 1
      ? [{ event, command, answer: event.answer, offset: event.answer.offset! }]
      : [];
  });
}

/** The last that was asked for: peers renew their sessions unasked, so nobody has to have sent that. */
function lastAccepted(true_: Recorded) {
  return answers(true_, 'accepted').findLast(({ command }) => command.name !== 'renew_session')!;
}

function exchanged<Event extends TimedEvent>({ records, events }: Recorded, event: Event, other: Event): Recorded {
  return { records, events: events.map((each) => (each === event ? other : each)) };
}

function replies({ events }: Recorded, pattern: string) {
  const found = events.filter((event) => event.type === 'reply' && event.pattern === pattern) as EventOf<'reply'>[];
  return found
    .filter(({ reply }) => reply.status === 'accepted')
    .map((event) => ({ event, view: event.reply.view as object }));
}

function withReply(true_: Recorded, event: EventOf<'reply'>, reply: Partial<EventOf<'reply'>['reply']>): Recorded {
  return exchanged(true_, event, { ...event, reply: { ...event.reply, ...reply } });
}

function cutAfterLastEffect(true_: Recorded): Recorded {
  return { ...true_, records: true_.records.slice(0, lastAccepted(true_).offset) };
}

function withoutEnd({ records, events }: Recorded): Recorded {
  return { records: records.slice(0, -20), events };
}

function withEffectRefused(true_: Recorded): Recorded {
  const { event, command } = lastAccepted(true_);
  const refused = { ...event, answer: { status: 'failed', code: 'rate_limited' } } as const;
  return withoutReplies(exchanged(true_, event, refused), command.commandId);
}

function withoutReplies({ records, events }: Recorded, commandId: string): Recorded {
  const isOfIt = (event: TimedEvent): boolean =>
    event.type === 'reply' && (event.payload as { commandId?: string }).commandId === commandId;
  return { records, events: events.filter((event) => !isOfIt(event)) };
}

function withoutSender(true_: Recorded): Recorded {
  const { event, command } = lastAccepted(true_);
  const { records, events } = withoutReplies(true_, command.commandId);
  return { records, events: events.filter((each) => each !== event && each !== command) };
}

/** As by a tracker that does not know the command any more. */
function withRetryDecided({ records, events }: Recorded): Recorded {
  const { event, command, offset } = answers({ records, events }, 'accepted').find(
    ({ command: { name } }) => name === 'create_group',
  )!;
  const again = records.length;
  const answer = { status: 'rejected', reason: 'group_exists', offset: again } as const;
  return {
    records: [...records, { ...records[offset]!, offset: again }],
    events: [...events, { ...command, call: -1 }, { ...event, call: -1, answer }],
  };
}

function withOtherOutcome(true_: Recorded): Recorded {
  const { event, offset } = lastAccepted(true_);
  return exchanged(true_, event, { ...event, answer: { status: 'rejected', reason: 'not_a_member', offset } });
}

function withOtherOffset(true_: Recorded): Recorded {
  const { event, answer, offset } = lastAccepted(true_);
  return exchanged(true_, event, { ...event, answer: { ...answer, offset: offset - 1 } } as typeof event);
}

function withOtherContent(true_: Recorded): Recorded {
  const { event } = answers(true_, 'accepted').find(({ command }) => command.name === 'create_group')!;
  const { commandId } = true_.events.find(
    (each) => each.type === 'command' && each.call === event.call,
  ) as EventOf<'command'>;
  const reply = true_.events.find(
    (each) => each.type === 'reply' && (each.payload as { commandId?: string }).commandId === commandId,
  ) as EventOf<'reply'>;
  return exchanged(true_, reply, { ...reply, payload: { ...reply.payload, body: { group: 'another' } } });
}

/** What was answered early comes to be sent when something later has been answered. */
function withLateBegin({ records, events }: Recorded): Recorded {
  const { event, command } = answers({ records, events }, 'accepted')[0]!;
  return { records, events: [...events.filter((each) => each !== event && each !== command), command, event] };
}

function withStaleView(true_: Recorded): Recorded {
  const shown = true_.events.findLast((event) => event.type === 'shown' && event.asOfOffset !== null);
  return exchanged(true_, shown!, { ...(shown as EventOf<'shown'>), asOfOffset: 3 });
}

function withStaleReply(true_: Recorded): Recorded {
  const { event } = replies(true_, 'list_groups').at(-1)!;
  return withReply(true_, event, { appliedOffset: (event.payload as { seenOffset: number }).seenOffset - 1 });
}

function withShortList(true_: Recorded): Recorded {
  const itemsOf = (view: object): readonly object[] => (view as { items: readonly object[] }).items;
  const { event, view } = replies(true_, 'list_groups').findLast((reply) => itemsOf(reply.view).length > 0)!;
  return withReply(true_, event, { view: { ...view, items: itemsOf(view).slice(1) } });
}

function withStrangersView(true_: Recorded): Recorded {
  const { event } = replies(true_, 'list_sessions').at(-1)!;
  return exchanged(true_, event, { ...event, peerId: 'f'.repeat(64) });
}

function withOtherUser(true_: Recorded): Recorded {
  const { event, view } = replies(true_, 'presence').at(-1)!;
  return withReply(true_, event, { view: { ...view, user: 'somebody' } });
}

function withOther(what: 'digest' | 'root'): (true_: Recorded) => Recorded {
  return (true_) => {
    const told = true_.events.findLast((event) => event.type === 'digest')!;
    return exchanged(true_, told, { ...told, [what]: 'f'.repeat(64) });
  };
}

function withBug(true_: Recorded): Recorded {
  const { event } = lastAccepted(true_);
  return exchanged(true_, event, { ...event, answer: { status: 'failed', code: 'internal_error' } });
}
