// How a replica begins where an earlier process left off, and what it does when that was wrong, or when it is stopped meanwhile.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { LogFailure, type StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import type { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { Replica, type Restart, type StartingPoints } from '../../../../apps/tracker/src/replica/replica.ts';
import { registerTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import { plainState } from '../../domain/plain-state.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';
import { derivedOf, randomRecords } from '../random-log.ts';
import { appended, newUserRecord } from '../user-records.ts';

const identity = newIdentity();
const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
});

/** A memory log that tells from where it is read. */
class WatchedLog extends MemoryLog {
  readonly reads: number[] = [];

  override read(fromOffset: number, signal: AbortSignal) {
    this.reads.push(fromOffset);
    return super.read(fromOffset, signal);
  }
}

function replicaOn(log: MemoryLog, startingPoints: StartingPoints | null = null): Replica {
  const replica = new Replica({ log, now: Date.now, startingPoints });
  replicas.push(replica);
  return replica;
}

/** A log that a tracker has begun, with so many users. */
async function logWith(...users: readonly string[]): Promise<WatchedLog> {
  const log = new WatchedLog();
  const replica = replicaOn(log);
  await replica.start();
  const { signal } = new AbortController();
  await registerTracker(replica, { identity, now: Date.now, address: '127.0.0.1:9001', signal });
  await appended(log, ...users.map(newUser));
  await replica.waitUntilApplied(log.records.length - 1);
  log.reads.length = 0;
  return log;
}

const newUser = (user: string): SignedLogRecord => newUserRecord(user, identity.id);

const byTracker = (command: Parameters<typeof signedTrackerRecord>[1]['command']): SignedLogRecord =>
  signedTrackerRecord(identity, { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command });

/** A true checkpoint of all that stands in a log, but for what is given. */
function checkpointOf(log: MemoryLog, said: { digest?: string; root?: string } = {}): SignedLogRecord {
  const note = signedCheckpointNote(identity, { ...derivedOf(log.records).checkpoint()!, ...said });
  return byTracker({ name: 'checkpoint', data: { note } });
}

interface Kept extends StartingPoints {
  readonly discarded: string[];
}

/** One starting point, as a folder of snapshots has it. */
function startingAt(derived: DerivedState | null, load?: (restart: Restart) => Promise<DerivedState | null>): Kept {
  const discarded: string[] = [];
  const discard = (reason: string): Promise<void> => Promise.resolve(void discarded.push(reason));
  return { kept: [], discarded, load: load ?? (() => Promise.resolve(derived)), discard };
}

/** The records with another one in place of that of an offset. */
function withOther(records: readonly StoredRecord[], offset: number): StoredRecord[] {
  const other = { ...records[offset]!, value: encodeLogRecord(newUser('mallory')) };
  return records.map((record) => (record.offset === offset ? other : record));
}

describe('a replica that has a starting point', () => {
  it('reads only what follows it, and has what it would have without', async () => {
    const log = await logWith('alice', 'bob', 'carol');
    const replica = replicaOn(log, startingAt(derivedOf(log.records.slice(0, 4))));
    expect(await replica.start()).toBe(true);
    expect(log.reads).toEqual([0, 4]);
    const whole = derivedOf(log.records);
    expect([replica.state, replica.root, replica.digest]).toEqual([whole.state, whole.root, whole.digest]);
  });

  it('begins at offset 0 when there is none of use', async () => {
    const log = await logWith('alice');
    const replica = replicaOn(log, startingAt(null));
    expect(await replica.start()).toBe(true);
    expect(log.reads).toEqual([0, 0]);
    expect(replica.appliedOffset).toBe(2);
  });

  it('says what is wrong with a state of another log, of other records, or of more than there are', async () => {
    const log = await logWith('alice', 'bob');
    const said: (string | null)[] = [];
    const other = derivedOf(randomRecords(1, 4));
    const replica = replicaOn(
      log,
      startingAt(null, async ({ problemOf }) => {
        for (const derived of [other, derivedOf(withOther(log.records, 3)), derivedOf(log.records)]) {
          said.push(await problemOf(derived));
        }
        // The last leaf alone is compared.
        said.push(await problemOf(derivedOf(withOther(log.records, 2))));
        return null;
      }),
    );
    expect(await replica.start()).toBe(true);
    const [ofOtherLog, ofOtherRecord, ...none] = said;
    expect(ofOtherLog).toBe(`it is of another log, ${other.state.logId}`);
    expect(ofOtherRecord).toBe('this log has another record at offset 3');
    expect(none).toEqual([null, null]);
  });

  it('halts when the log has lost what stands in it', async () => {
    const log = await logWith('alice', 'bob');
    const derived = derivedOf(log.records);
    log.records.length = 3;
    const load = async ({ problemOf }: Restart): Promise<null> => {
      await problemOf(derived);
      return null;
    };
    const replica = replicaOn(log, startingAt(null, load));
    expect(await replica.start()).toBe(false);
    const halted = await replica.halted;
    expect(halted).toMatchObject({ code: 'log_halted' });
    expect(halted.message).toBe(
      'the log ends at offset 3, but this tracker has a snapshot of offset 3: it was cut, or is another log; if it is copied to, finish the copy first; if it was restored from before that, run cohort log skip 4, and start again',
    );
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'log_halted' });
  });

  it('has none on a log that is empty, or that has not begun', async () => {
    for (const values of [[], ['no record']]) {
      const log = new MemoryLog();
      await log.append(values.map((text) => ({ value: Buffer.from(text), sealed: null })));
      const said: (string | null)[] = [];
      const load = async ({ problemOf }: Restart): Promise<null> => {
        said.push(await problemOf(derivedOf(randomRecords(1, 4))));
        return null;
      };
      expect(await replicaOn(log, startingAt(null, load)).start()).toBe(true);
      expect(said).toEqual([`it is of another log, ${'b'.repeat(64)}`]);
    }
  });

  it('asks nothing of it once it is stopped', async () => {
    const log = await logWith('alice');
    const load = vi.fn<StartingPoints['load']>(() => Promise.resolve(null));
    log.pauseReading();
    const replica = replicaOn(log, startingAt(null, load));
    const started = replica.start();
    await expect.poll(() => log.reads).toEqual([0]);
    await replica.stop();
    expect(await started).toBe(false);
    expect(load).not.toHaveBeenCalled();
  });
});

describe('a replica that began at a state of other records', () => {
  it('computes everything anew when a checkpoint has other records, and halts at the next that has', async () => {
    const log = await logWith('alice', 'bob', 'carol');
    const kept = startingAt(derivedOf(withOther(log.records, 2).slice(0, 4)));
    await appended(log, checkpointOf(log));
    const replica = replicaOn(log, kept);
    expect(await replica.start()).toBe(true);
    await expect.poll(() => replica.root).toBe(derivedOf(log.records).root);
    expect(plainState(replica.state)).toEqual(plainState(derivedOf(log.records).state));
    expect(kept.discarded).toEqual(['the checkpoint at offset 5 has something else']);
    expect([replica.isReading, replica.isDisputed, replica.healedSize]).toEqual([true, false, 6]);
    await appended(log, checkpointOf(log, { root: 'f'.repeat(64) }));
    expect((await replica.halted).message).toContain('the checkpoint at offset 6');
  });

  it('computes everything anew only from then on: the log must not change once more', async () => {
    const log = await logWith('alice', 'bob');
    const replica = replicaOn(log, startingAt(derivedOf(withOther(log.records, 2))));
    expect(await replica.start()).toBe(true);
    replica.computeAnew('a test');
    await expect.poll(() => replica.root).toBe(derivedOf(log.records).root);
    log.records.splice(0, 4, ...withOther(log.records, 2));
    replica.computeAnew('a test');
    expect((await replica.halted).message).toBe(
      'the records up to offset 3 are others than this tracker has read before: the log was changed',
    );
  });

  it('computes it anew also when the checkpoint was read while it caught up', async () => {
    const log = await logWith('alice');
    const derived = derivedOf(log.records);
    derived.state.users.clear();
    await appended(log, newUser('alice'));
    await appended(log, checkpointOf(log));
    const replica = replicaOn(log, startingAt(derived));
    expect(await replica.start()).toBe(true);
    await expect.poll(() => plainState(replica.state)).toEqual(plainState(derivedOf(log.records).state));
    expect(replica.healedSize).toBe(log.records.length);
  });
});

describe('a replica that is stopped', () => {
  it('applies nothing more of the batch that it has in hand', async () => {
    const log = await logWith('alice', 'bob');
    const replica = replicaOn(log);
    replica.onApplied(({ offset }) => {
      if (offset === 1) void replica.stop();
    });
    expect(await replica.start()).toBe(false);
    expect(replica.appliedOffset).toBe(1);
  });

  it('keeps what it has, also when it has begun to compute it anew', async () => {
    const log = await logWith('alice', 'bob');
    const replica = replicaOn(log);
    await replica.start();
    const { state } = replica;
    log.read = async function* () {
      void replica.stop();
      yield log.records;
    };
    replica.computeAnew('a test');
    await replica.stop();
    expect(replica.state).toBe(state);
  });

  it('by rules that it does not know computes nothing anew, and keeps its starting points', async () => {
    const log = await logWith('alice');
    const kept = startingAt(derivedOf(log.records.slice(0, 2)));
    const rules = byTracker({ name: 'activate_rules', data: { rulesVersion: 99 } });
    await appended(log, checkpointOf(log, { digest: 'f'.repeat(64) }), rules);
    const replica = replicaOn(log, kept);
    expect(await replica.start()).toBe(false);
    await replica.stop();
    expect(replica.readiness).toMatchObject({ reason: 'upgrade_required' });
    expect(kept.discarded).toEqual([]);
  });
});

it('an append that fails says something of the log only when it is the log that is away', async () => {
  const log = await logWith();
  const replica = replicaOn(log);
  await replica.start();
  const foreign = Object.assign(new Error('no log'), { code: 'log_unavailable' });
  for (const error of [new LogFailure('log_busy', 'too many wait'), new TypeError('a bug'), foreign]) {
    log.append = () => Promise.reject(error);
    await expect(replica.submit(newUser('alice'), { sealed: null, timeoutMs: 60_000 })).rejects.toBe(error);
    expect(replica.logProblem).toBeNull();
  }
});
