// How a replica reads, waits and halts; what the log says comes from records of its own.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { type AppliedRecord, Replica, type ReplicaOptions } from '../../../../apps/tracker/src/replica/replica.ts';
import { registerTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import { COMMITMENT } from '../../domain/log-of.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';
import { appended, newUserRecord } from '../user-records.ts';

const identity = newIdentity();
const forever = { sealed: null, timeoutMs: 60_000 };
const replicas: Replica[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const replica of replicas.splice(0)) await replica.stop();
});

/** A memory log that counts how often it is read from its beginning. */
class CountedLog extends MemoryLog {
  readsFromZero = 0;

  override read(fromOffset: number, signal: AbortSignal) {
    if (fromOffset === 0) this.readsFromZero += 1;
    return super.read(fromOffset, signal);
  }
}

function replicaOf(log: MemoryLog, options: Partial<ReplicaOptions> = {}): Replica {
  const replica = new Replica({ log, now: Date.now, ...options });
  replicas.push(replica);
  return replica;
}

async function serving(log: MemoryLog, options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const replica = replicaOf(log, options);
  await replica.start();
  const { signal } = new AbortController();
  await registerTracker(replica, { identity, now: Date.now, address: '127.0.0.1:9001', signal });
  replica.serve();
  return replica;
}

const newUser = (user = 'alice'): SignedLogRecord => newUserRecord(user, identity.id);

/** Appends a checkpoint that the replica does not agree with, and waits until it has read it. */
async function contested(log: MemoryLog, replica: Replica): Promise<void> {
  const note = signedCheckpointNote(identity, { ...replica.checkpoint()!, digest: 'f'.repeat(64) });
  const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1 };
  await appended(log, signedTrackerRecord(identity, { ...draft, command: { name: 'checkpoint', data: { note } } }));
  await replica.waitUntilApplied(log.records.length - 1);
}

describe('a replica tells', () => {
  it('where the log ends, how far it has applied it, and the root over what it has applied', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    await replica.submit(newUser(), forever);
    await appended(log, newUser());
    await replica.waitUntilApplied(3);
    expect([replica.appliedOffset, replica.endOffset]).toEqual([3, 4]);
    expect([replica.root, replica.digest]).toEqual([replica.rootAt(3), replica.digestAt(3)]);
  });

  it('whoever listens of every record that it applies, until that ends', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const heard: AppliedRecord[] = [];
    const forget = replica.onApplied((applied) => heard.push(applied));
    const record = newUser();
    const applied = await replica.submit(record, forever);
    forget();
    await replica.submit(newUser('bob'), forever);
    expect(heard).toEqual([{ offset: 2, record, applied }]);
  });

  it('whoever waits that reading has ended, and leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const log = new MemoryLog();
    const replica = await serving(log);
    await replica.submit(newUser(), forever);
    expect(vi.getTimerCount()).toBe(0);
    log.pauseReading();
    const outcome = replica.submit(newUser('bob'), forever);
    const isApplied = replica.waitUntilApplied(99);
    await replica.stop();
    expect([await outcome, await isApplied, vi.getTimerCount()]).toEqual([null, false, 0]);
    expect(await replica.waitUntilApplied(99)).toBe(false);
    expect(replica.isReading).toBe(false);
  });

  it('whoever waits for a time only that it is over', async () => {
    const replica = await serving(new MemoryLog());
    expect(await replica.waitUntilApplied(99, 1)).toBe(false);
    expect(await replica.waitUntilApplied(1, 1)).toBe(true);
  });
});

describe("a replica's clock", () => {
  it('is compared with the log when it serves, and not with a log that keeps no time', async () => {
    const log = new MemoryLog();
    const replica = replicaOf(log);
    await replica.start();
    log.now = () => Date.now() + 31_000;
    await replica.submit(newUser(), forever);
    replica.serve();
    expect(replica.readiness).toEqual({ ready: true });
    log.now = () => null as never;
    await replica.submit(newUser(), forever);
    expect(replica.readiness).toEqual({ ready: true });
  });

  it('that is off is told by how much, and is right again when it is set', async () => {
    let aheadMs = 0;
    const log = new MemoryLog();
    const replica = await serving(log, { now: () => Date.now() + aheadMs });
    log.now = () => Date.now() + 31_000;
    await replica.submit(newUser(), forever);
    const detail = "this clock is more than 30 s from the log's: set it right";
    expect(replica.readiness).toEqual({ ready: false, reason: 'clock_skew', detail });
    aheadMs = 31_000;
    expect(replica.readiness).toEqual({ ready: true });
  });
});

describe('a replica halts', () => {
  it('when the log was cut, which it tells whoever waits', async () => {
    const log = new MemoryLog();
    const replica = await serving(log, { probeIntervalMs: 5 });
    log.pauseReading();
    const waiting = replica.waitUntilApplied(99);
    log.records.length = 1;
    const { message } = await replica.halted;
    expect(message).toBe(
      'the log ends at offset 1, but this tracker has applied offset 1: it was cut, or is another log; if it is copied to, finish the copy first; if it was restored from before that, run cohort log skip 2, and start again',
    );
    expect(await waiting).toBe(false);
    expect(replica.readiness).toEqual({ ready: false, reason: 'log_halted', detail: message });
  });

  it('when the log says for good that it has no end', async () => {
    const log = new MemoryLog();
    const failure = new LogFailure('log_misconfigured', 'no such topic');
    log.end = () => Promise.reject(failure);
    const replica = replicaOf(log);
    expect(await replica.start()).toBe(false);
    expect(await replica.halted).toBe(failure);
  });

  it('at rules that it does not know, and applies nothing after them', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const command = { name: 'activate_rules', data: { rulesVersion: 99 } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    await appended(log, signedTrackerRecord(identity, draft), newUser());
    expect(await replica.waitUntilApplied(3)).toBe(false);
    expect(replica.appliedOffset).toBe(2);
    const { detail } = replica.readiness as { detail: string };
    expect(detail).toMatch(/rules version 99 since offset 2, this build knows up to \d+: install a newer one$/);
  });

  it('not when reading fails for a while', async () => {
    const log = new MemoryLog();
    const read = log.read.bind(log);
    log.read = () => {
      log.read = read;
      throw new LogFailure('log_unavailable', 'the log is away');
    };
    await serving(log);
    expect(log.records).toHaveLength(2);
  });
});

describe('a contested checkpoint', () => {
  it('makes a replica compute everything anew once', async () => {
    const log = new CountedLog();
    const replica = await serving(log);
    expect(log.readsFromZero).toBe(1);
    const { state } = replica;
    await contested(log, replica);
    await vi.waitFor(() => expect(replica.state).not.toBe(state));
    for (const user of ['alice', 'bob']) await replica.submit(newUser(user), forever);
    expect(log.readsFromZero).toBe(2);
    expect(replica.isDisputed).toBe(true);
    expect(replica.healedSize).toBe(0);
  });

  it('that was read while catching up is computed already', async () => {
    const log = new CountedLog();
    await contested(log, await serving(log));
    const readsBefore = log.readsFromZero;
    const replica = await serving(log);
    expect(replica.isDisputed).toBe(true);
    expect(log.readsFromZero).toBe(readsBefore + 1);
  });

  it('counts for nothing where it is ruled about', async () => {
    const log = new MemoryLog();
    await contested(log, await serving(log));
    const replica = await serving(log, { heedsCheckpoints: false });
    expect([replica.isDisputed, replica.readiness]).toEqual([false, { ready: true }]);
  });

  it('of a replica that had computed something wrong is remembered with how much was applied', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const { state } = replica;
    state.users.set('alice', { name: 'alice', createdOffset: 1, credentialOffset: 1, commitment: COMMITMENT });
    await replica.submit(newUser(), forever);
    await contested(log, replica);
    await vi.waitFor(() => expect(replica.state).not.toBe(state));
    expect(replica.healedSize).toBe(4);
  });

  it('halts a replica that reads other records than before, or for good none', async () => {
    for (const cut of [false, true]) {
      const log = new MemoryLog();
      const replica = await serving(log);
      await replica.submit(newUser(), forever);
      log.records[2] = { ...log.records[2]!, value: encodeLogRecord(newUser('mallory')) };
      if (cut) {
        log.read = () => {
          throw new LogFailure('log_halted', 'a gap');
        };
      }
      await contested(log, replica);
      const halted = await replica.halted;
      expect(halted).toMatchObject({ code: 'log_halted' });
      expect(halted.message).toBe(
        cut ? 'a gap' : 'the records up to offset 3 are others than this tracker has read before: the log was changed',
      );
      expect(replica.readiness).toMatchObject({ reason: 'log_halted' });
    }
  });

  it('stays in dispute when the log cannot be read again at the moment', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    log.read = () => {
      throw new LogFailure('log_unavailable', 'the log is away');
    };
    await contested(log, replica);
    await appended(log, newUser());
    await replica.waitUntilApplied(3);
    expect([replica.isReading, replica.isDisputed]).toEqual([true, true]);
  });
});
