import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Command, CommandData, CommandName } from '#domain/command';
import type { LogRecord } from '#domain/record';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { sealPassword } from '../../../../apps/tracker/src/credentials/credentials.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { registerTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import { CONTENT_ID, peerOf, SMALL_CONTENT } from '../../domain/log-of.ts';
import { plainState } from '../../domain/plain-state.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';

const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
});

const identity = newIdentity();
const signal = new AbortController().signal;
const forever = { sealed: null, timeoutMs: 60_000 };

function replicaOf(log: MemoryLog, options: { now?: () => number; probeIntervalMs?: number } = {}): Replica {
  const replica = new Replica({ log, now: Date.now, ...options });
  replicas.push(replica);
  return replica;
}

async function serving(log: MemoryLog, options: { now?: () => number; probeIntervalMs?: number } = {}) {
  const replica = replicaOf(log, options);
  await replica.start();
  await registerTracker(replica, { identity, now: options.now ?? Date.now, address: '127.0.0.1:9001', signal });
  replica.serve();
  return replica;
}

function record<Name extends CommandName>(
  name: Name,
  data: CommandData[Name],
  about: { user?: string | null; id?: string; timeMs?: number } = {},
): SignedLogRecord {
  const user = about.user ?? null;
  const plain: LogRecord = {
    id: about.id ?? randomUUID(),
    trackerId: identity.id,
    timeMs: about.timeMs ?? Date.now(),
    actor: { kind: 'peer', peerId: peerOf('alice'), user },
    correlationId: 'test',
    seenOffset: -1,
    schemaVersion: 1,
    command: { name, data } as Command,
  };
  return { ...plain, signature: null };
}

const newUser = (user: string, id?: string) =>
  record('create_user', { user, commitment: 'e'.repeat(64) }, id === undefined ? {} : { id });

describe('a replica', () => {
  it('begins an empty log with a genesis and its own registration', async () => {
    const log = new MemoryLog();
    const { state } = await serving(log);
    expect(log.records).toHaveLength(2);
    expect(state.logId).toMatch(/^[0-9a-f]{64}$/);
    expect([...state.trackers.values()]).toMatchObject([{ trackerId: identity.id, address: '127.0.0.1:9001' }]);
  });

  it('adds nothing to a log that knows it', async () => {
    const log = new MemoryLog();
    await serving(log);
    await serving(log);
    expect(log.records).toHaveLength(2);
  });

  it('agrees with another about the first genesis when both write one', async () => {
    const log = new MemoryLog();
    log.pauseReading();
    const first = replicaOf(log);
    const second = replicaOf(log);
    const ready = [first, second].map(async (replica) => {
      await replica.start();
      await registerTracker(replica, { identity: newIdentity(), now: Date.now, address: 'a:1', signal });
    });
    await vi.waitFor(() => expect(log.records).toHaveLength(2));
    log.resumeReading();
    await Promise.all(ready);
    await Promise.all([first, second].map((replica) => replica.waitUntilApplied(3)));
    expect(first.state.logId).toBe(second.state.logId);
    expect(first.state.trackers.size).toBe(2);
    expect(first.digest).toBe(second.digest);
  });

  it('answers with the outcome that stands in the log', async () => {
    const replica = await serving(new MemoryLog());
    const accepted = await replica.submit(newUser('alice'), forever);
    const refused = await replica.submit(newUser('alice'), forever);
    expect(accepted).toMatchObject({ outcome: { status: 'accepted' }, outcomeOffset: 2 });
    expect(refused).toMatchObject({ outcome: { status: 'rejected', reason: 'user_exists' }, outcomeOffset: 3 });
  });

  it('answers a repeated command with the first outcome, through another replica too', async () => {
    const log = new MemoryLog();
    const [one, other] = [await serving(log), await serving(log)];
    const id = randomUUID();
    const first = await one.submit(newUser('alice', id), forever);
    // Otherwise the first record may be the one that answers.
    await other.waitUntilApplied(first!.outcomeOffset);
    const again = await other.submit(newUser('alice', id), forever);
    expect(again).toMatchObject({ outcome: first!.outcome, outcomeOffset: first!.outcomeOffset, events: [] });
    expect(log.records).toHaveLength(4);
  });

  it('does not give one command the outcome of another that used its id', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const id = randomUUID();
    log.pauseReading();
    const both = Promise.all([
      replica.submit(newUser('alice', id), forever),
      replica.submit(newUser('bob', id), forever),
    ]);
    log.resumeReading();
    expect(await both).toMatchObject([
      { outcome: { status: 'accepted' } },
      { outcome: { status: 'rejected', reason: 'idempotency_key_reused' } },
    ]);
  });

  it('answers nothing while reading is paused, and the state stays as it was', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    log.pauseReading();
    expect(await replica.submit(newUser('alice'), { sealed: null, timeoutMs: 20 })).toBeNull();
    expect(replica.state.users.size).toBe(0);
    log.resumeReading();
    expect(await replica.waitUntilApplied(2)).toBe(true);
    expect(replica.state.users.size).toBe(1);
  });

  it('fails an append that the log does not take', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    log.isAvailable = false;
    await expect(replica.submit(newUser('alice'), forever)).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('takes bytes that are no record for a record without effect, like every other', async () => {
    const log = new MemoryLog();
    const [one, other] = [await serving(log), await serving(log)];
    const bytes = ['', 'no json', '{}', '[1]', 'null', '{"specversion":"1.0"}', '\ud800'];
    await log.append(bytes.map((text) => ({ value: Buffer.from(text), sealed: null })));
    await log.append([{ value: new Uint8Array([0xff, 0xfe]), sealed: 'x' }]);
    await Promise.all([one, other].map((replica) => replica.waitUntilApplied(9)));
    expect(one.digest).toBe(other.digest);
    expect(await one.submit(newUser('alice'), forever)).toMatchObject({ outcome: { status: 'accepted' } });
  });

  it('has the same state, digests and root as one that replays the log later', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const { outcomeOffset } = (await replica.submit(newUser('alice'), forever))!;
    await replica.submit(record('login', { user: 'alice', credentialOffset: outcomeOffset }), forever);
    const user = 'alice';
    await replica.submit(record('create_group', { group: 'films' }, { user }), forever);
    const file = { group: 'films', file: 'a', contentId: CONTENT_ID, ...SMALL_CONTENT };
    await replica.submit(record('upload_file', file, { user }), forever);
    await replica.submit(record('leave_group', { group: 'films' }, { user }), forever);
    const replayed = replicaOf(log);
    await replayed.start();
    expect(plainState(replayed.state)).toEqual(plainState(replica.state));
    expect([replayed.digest, replayed.root]).toEqual([replica.digest, replica.root]);
    for (let offset = 0; offset < log.records.length; offset++) {
      expect(replayed.digestAt(offset)).toMatch(/^[0-9a-f]{64}$/);
      expect(replayed.digestAt(offset)).toBe(replica.digestAt(offset));
      expect(replayed.rootAt(offset)).toMatch(/^[0-9a-f]{64}$/);
      expect(replayed.rootAt(offset)).toBe(replica.rootAt(offset));
    }
  });

  it("does not believe a tracker's record that another signed, or nobody", async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const command = { name: 'reset_password', data: { user: 'alice', commitment: 'f'.repeat(64) } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    const genuine = signedTrackerRecord(identity, draft);
    const forged = { ...signedTrackerRecord(newIdentity(), draft), trackerId: identity.id, actor: genuine.actor };
    await replica.submit(newUser('alice'), forever);
    for (const unsigned of [forged, { ...genuine, signature: null }, { ...genuine, signature: 'AAAA' }]) {
      const applied = await replica.submit({ ...unsigned, id: randomUUID() }, forever);
      expect(applied).toMatchObject({ outcome: { status: 'rejected', reason: 'not_a_tracker' } });
    }
    expect(await replica.submit(genuine, forever)).toMatchObject({ outcome: { status: 'accepted' } });
  });

  it('knows the password hash in force, if its commitment fits', async () => {
    const replica = await serving(new MemoryLog());
    const seal = sealPassword('$argon2id$hash');
    const data = { user: 'alice', commitment: seal.commitment };
    await replica.submit(record('create_user', data), { ...forever, sealed: seal.sealed });
    await replica.submit(newUser('bob'), { ...forever, sealed: seal.sealed });
    expect(replica.passwordHashOf('alice')).toBe('$argon2id$hash');
    expect(replica.passwordHashOf('bob')).toBeNull();
    expect(replica.passwordHashOf('carol')).toBeNull();
  });

  it('is ready once it has caught up, and says until then how far it is', async () => {
    const log = new MemoryLog();
    await serving(log);
    log.pauseReading();
    const replica = replicaOf(log);
    const started = replica.start();
    await vi.waitFor(() => expect(replica.endOffset).toBe(2));
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'catching_up', detail: 'applied 0 of 2 records' });
    log.resumeReading();
    await started;
    replica.serve();
    expect(replica.readiness).toEqual({ ready: true });
  });

  it('waits out a log that is away when it starts', async () => {
    const log = new MemoryLog();
    await serving(log);
    log.isAvailable = false;
    const replica = replicaOf(log);
    const started = replica.start();
    log.isAvailable = true;
    await started;
    expect(replica.appliedOffset).toBe(1);
  });

  it('knows for how long the log has been silent', async () => {
    let nowMs = 1_000_000;
    const log = new MemoryLog();
    log.now = () => nowMs;
    const replica = await serving(log, { now: () => nowMs });
    log.isAvailable = false;
    nowMs += 700_000;
    expect(replica.logSilentMs()).toBe(700_000);
    log.isAvailable = true;
    await replica.submit(newUser('alice'), forever);
    expect(replica.logSilentMs()).toBe(0);
  });

  it('knows why the log takes no records: what it said last, until it takes one or some time has passed', async () => {
    let nowMs = 1_000_000;
    const log = new MemoryLog();
    log.now = () => nowMs;
    const replica = await serving(log, { now: () => nowMs });
    expect(replica.logProblem).toBeNull();
    log.refuses = new LogFailure('log_unavailable', 'its disk is full');
    await expect(replica.submit(newUser('alice'), forever)).rejects.toThrow('its disk is full');
    expect(replica.logProblem).toBe('its disk is full');
    nowMs += 30_001;
    expect(replica.logProblem, 'nobody knows by now').toBe('it does not answer');
    await expect(replica.submit(newUser('alice'), forever)).rejects.toThrow('its disk is full');
    log.refuses = null;
    await replica.submit(newUser('alice'), forever);
    expect(replica.logProblem).toBeNull();
  });

  it('knows that the log does not answer from the first question on', async () => {
    const log = new MemoryLog();
    const replica = await serving(log, { probeIntervalMs: 5 });
    log.isAvailable = false;
    await expect.poll(() => replica.logProblem).toBe('the log is away');
    log.isAvailable = true;
    await expect.poll(() => replica.logProblem).toBeNull();
  });

  it('halts when the log ends before what it has applied', async () => {
    const log = new MemoryLog();
    const replica = await serving(log, { probeIntervalMs: 5 });
    log.records.length = 1;
    expect(await replica.halted).toMatchObject({ code: 'log_halted' });
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'log_halted' });
  });

  it('halts when reading the log fails for good', async () => {
    const log = new MemoryLog();
    log.read = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new LogFailure('log_halted', 'a gap')) }),
    });
    const replica = replicaOf(log);
    await log.append([{ value: encodeLogRecord(newUser('alice')), sealed: null }]);
    await replica.start();
    expect(await replica.halted).toMatchObject({ message: 'a gap' });
  });

  it('stops at rules that this build does not know', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    const command = { name: 'activate_rules', data: { rulesVersion: 99 } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    await replica.submit(signedTrackerRecord(identity, draft), forever);
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'upgrade_required' });
    await log.append([{ value: encodeLogRecord(newUser('alice')), sealed: null }]);
    expect(await replica.waitUntilApplied(3, 50)).toBe(false);
  });

  it('stops at a log that begins with rules that this build does not know', async () => {
    const log = new MemoryLog();
    const publicKey = Buffer.from(identity.publicKeyDer).toString('base64');
    const command = { name: 'genesis', data: { logId: 'b'.repeat(64), rulesVersion: 99, publicKey } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    await log.append([{ value: encodeLogRecord(signedTrackerRecord(identity, draft)), sealed: null }]);
    const replica = replicaOf(log);
    expect(await replica.start()).toBe(false);
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'upgrade_required' });
  });

  it('starts on a log of newer rules without waiting for what it will never apply', async () => {
    const log = new MemoryLog();
    await serving(log);
    const command = { name: 'activate_rules', data: { rulesVersion: 99 } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    const values = [signedTrackerRecord(identity, draft), newUser('alice')].map(encodeLogRecord);
    await log.append(values.map((value) => ({ value, sealed: null })));
    const replica = replicaOf(log);
    expect(await replica.start()).toBe(false);
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'upgrade_required' });
  });

  it('is not ready while its clock is not that of the log', async () => {
    const log = new MemoryLog();
    const replica = await serving(log);
    log.now = () => Date.now() + 31_000;
    await replica.submit(newUser('alice'), forever);
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'clock_skew' });
    log.now = Date.now;
    await replica.submit(newUser('bob'), forever);
    expect(replica.readiness).toEqual({ ready: true });
  });

  it('lets other work have its turn during a long replay', async () => {
    const log = new MemoryLog();
    await serving(log);
    const value = encodeLogRecord(newUser('alice'));
    await log.append(Array.from({ length: 20_000 }, () => ({ value, sealed: null })));
    const replica = replicaOf(log);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    await replica.start();
    clearInterval(ticking);
    expect(replica.appliedOffset).toBe(20_001);
    expect(turns).toBeGreaterThan(0);
  });
});
