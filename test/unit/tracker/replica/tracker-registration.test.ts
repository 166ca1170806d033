import { afterEach, describe, expect, it } from 'vitest';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { registerTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';

const identity = newIdentity();
const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
});

async function startedOn(log: MemoryLog): Promise<Replica> {
  const replica = new Replica({ log, now: Date.now });
  replicas.push(replica);
  await replica.start();
  return replica;
}

/** What registers this tracker on a log that a replica reads. */
function registering(replica: Replica, more: { address?: string; signal?: AbortSignal; id?: string } = {}) {
  const { address = '127.0.0.1:9001', signal = new AbortController().signal, id = identity.id } = more;
  return registerTracker(replica, { identity: { ...identity, id }, now: Date.now, address, signal });
}

/** Fails an append with the failure, and from then on takes what comes. */
function failOnce(log: MemoryLog, failure: Error): void {
  const append = log.append.bind(log);
  log.append = () => {
    log.append = append;
    return Promise.reject(failure);
  };
}

describe('the registration of a tracker', () => {
  it('is made anew for another address, and no other time', async () => {
    const log = new MemoryLog();
    const replica = await startedOn(log);
    await registering(replica);
    await registering(replica);
    expect(log.records).toHaveLength(2);
    await registering(replica, { address: '127.0.0.1:9002' });
    expect(log.records).toHaveLength(3);
    expect(replica.state.trackers.get(identity.id)).toEqual({
      trackerId: identity.id,
      publicKey: Buffer.from(identity.publicKeyDer).toString('base64'),
      address: '127.0.0.1:9002',
    });
  });

  it('is tried again when the log was away', async () => {
    const log = new MemoryLog();
    const replica = await startedOn(log);
    failOnce(log, new LogFailure('log_unavailable', 'the log is away'));
    await registering(replica);
    expect(replica.state.trackers.has(identity.id)).toBe(true);
  });

  it('fails when the log fails for good, and at a bug', async () => {
    for (const failure of [new LogFailure('log_halted', 'a gap'), new TypeError('a bug')]) {
      const log = new MemoryLog();
      const replica = await startedOn(log);
      failOnce(log, failure);
      await expect(registering(replica)).rejects.toBe(failure);
    }
  });

  it('fails when the log refuses it, which it would do again for ever', async () => {
    const log = new MemoryLog();
    const replica = await startedOn(log);
    await registering(replica);
    await expect(registering(replica, { id: 'f'.repeat(64) })).rejects.toThrow(
      "the log refuses this tracker's register_tracker: not_a_tracker",
    );
    expect(log.records).toHaveLength(3);
  });

  it('is given up when the tracker is told to stop, or stops reading', async () => {
    const log = new MemoryLog();
    log.isAvailable = false;
    const replica = new Replica({ log, now: Date.now });
    replicas.push(replica);
    const stopping = new AbortController();
    const registered = registering(replica, { signal: stopping.signal });
    stopping.abort();
    await registered;
    await replica.stop();
    await registering(replica);
    log.isAvailable = true;
    expect(log.records).toEqual([]);
  });
});
