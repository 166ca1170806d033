// Trackers on one log in memory that sign checkpoints by one clock, for tests of when they do and of what others make of it.
import type { Checkpoint, CheckpointRuling } from '#domain/checkpoint';
import type { Command } from '#domain/command';
import type { Identity } from '#identity/identity';
import { openCheckpointNote, type SnapshotClaim } from '#wire/checkpoint-note';
import { decodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { CheckpointWriter } from '../../../../apps/tracker/src/replica/checkpoint-writer.ts';
import { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { registerTracker, submitAsTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import type { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';
import { appended, newUserRecord } from '../user-records.ts';

const signal = new AbortController().signal;
const running: Tracker[] = [];

/** Ends what a test has started. */
export async function stopTrackers(): Promise<void> {
  for (const { replica } of running.splice(0)) await replica.stop();
}

export interface Tracker {
  readonly identity: Identity;
  readonly replica: Replica;
  readonly writer: CheckpointWriter;
}

/** The one clock of a test, milliseconds. */
export const clock = { nowMs: 0 };

/** A tracker on the log: ready, unless something in the log keeps it from that. */
export async function trackerOn(log: MemoryLog, identity: Identity = newIdentity()): Promise<Tracker> {
  const replica = new Replica({ log, now: Date.now });
  const author = { identity, now: Date.now };
  const tracker = {
    identity,
    replica,
    writer: new CheckpointWriter({ replica, author, monotonicNow: () => clock.nowMs }),
  };
  running.push(tracker);
  if (!(await replica.start())) return tracker;
  await registerTracker(replica, { ...author, address: '127.0.0.1:9001', signal });
  replica.serve();
  return tracker;
}

/** Two trackers, the one first that is asked first to sign. */
export async function twoTrackersOn(log: MemoryLog): Promise<[Tracker, Tracker]> {
  const [first, second] = [newIdentity(), newIdentity()].toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const trackers: [Tracker, Tracker] = [await trackerOn(log, first), await trackerOn(log, second)];
  await caughtUp(log, ...trackers);
  return trackers;
}

export async function caughtUp(log: MemoryLog, ...trackers: readonly Tracker[]): Promise<void> {
  await Promise.all(trackers.map(({ replica }) => replica.waitUntilApplied(log.records.length - 1)));
}

/** A command of a peer, which some outcome or other comes of. */
export const commandOf = (user: string): SignedLogRecord => newUserRecord(user, 'a'.repeat(64));

export async function commands(log: MemoryLog, count: number, ...trackers: readonly Tracker[]): Promise<void> {
  await appended(log, ...Array.from({ length: count }, () => commandOf('alice')));
  await caughtUp(log, ...trackers);
}

/** The offsets of the checkpoints in the log, with the ids of who signed them. */
export function checkpointsIn(log: MemoryLog): Array<[number, string]> {
  return log.records.flatMap(({ value, offset }) => {
    const record = decodeLogRecord(value);
    return record?.command.name === 'checkpoint' ? [[offset, record.trackerId] as [number, string]] : [];
  });
}

/** How many records each of them is about, in their order. */
export function sizesIn(log: MemoryLog): number[] {
  return log.records.flatMap(({ value }) => {
    const { command } = decodeLogRecord(value)!;
    return command.name === 'checkpoint' ? openCheckpointNote(command.data.note, () => true)!.size : [];
  });
}

/** Appends a checkpoint of what the tracker has, apart from what is given, and with what it says of its snapshot; its offset. */
export async function checkpointBy(
  { identity, replica }: Tracker,
  said: Partial<Checkpoint> = {},
  snapshot?: SnapshotClaim,
): Promise<number> {
  const note = signedCheckpointNote(identity, { ...replica.checkpoint()!, ...said }, snapshot);
  return (await submitted(replica, identity, { name: 'checkpoint', data: { note } })).offset;
}

export async function submitted(replica: Replica, identity: Identity, command: Command) {
  const done = await submitAsTracker(replica, { identity, now: Date.now }, { command, sealed: null });
  if (done?.outcome.status !== 'accepted') throw new Error(`${command.name}: ${JSON.stringify(done)}`);
  return done;
}

/** What an operator does: reads the log with a replica that nothing stops, and appends a ruling. */
export async function ruleAsOperator(
  log: MemoryLog,
  identity: Identity,
  offset: number,
  counts: CheckpointRuling = 'log',
) {
  const replica = new Replica({ log, now: Date.now, heedsCheckpoints: false });
  if (!(await replica.start())) throw new Error('the log cannot be read');
  await submitted(replica, identity, { name: 'resolve_checkpoint', data: { offset, counts } });
  await replica.stop();
}

export const wrong = 'f'.repeat(64);
