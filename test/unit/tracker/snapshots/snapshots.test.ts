// Facts about trackers with snapshots: they begin where they left off and answer as if they had read everything, they take
// no snapshot for good that is not, and lose nothing with any of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RULES } from '#domain/rules';
import type { State } from '#domain/state';
import type { SnapshotClaim } from '#wire/checkpoint-note';
import { LogFailure, type StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import type { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { SnapshotComparison } from '../../../../apps/tracker/src/snapshots/snapshot-comparison.ts';
import { SnapshotStore } from '../../../../apps/tracker/src/snapshots/snapshot-store.ts';
import { takeSnapshot } from '../../../../apps/tracker/src/snapshots/snapshot-taking.ts';
import { SnapshotWriter } from '../../../../apps/tracker/src/snapshots/snapshot-writer.ts';
import { plainState } from '../../domain/plain-state.ts';
import { MemoryLog } from '../memory-log.ts';
import { derivedOf, randomRecords } from '../random-log.ts';
import { checkpointBy, stopTrackers, trackerOn } from '../replica/signing-trackers.ts';
import { MemoryFiles } from './memory-files.ts';

const INTERVAL = 100;
const OTHER_LOG_ID = 'c'.repeat(64);
const turn = (): undefined => undefined;
const nameOf = (offset: number): string => `snapshot-${String(offset).padStart(16, '0')}`;
const asideOf = (offset: number): string => nameOf(offset).replace('snapshot', 'set-aside');

const clock = { nowMs: 0 };
let files: MemoryFiles;
let warnings: string[];
const running: Tracker[] = [];
beforeEach(() => {
  files = new MemoryFiles();
  warnings = [];
});
afterEach(async () => {
  for (const { replica, writer } of running.splice(0)) await Promise.all([replica.stop(), writer.stop()]);
  await stopTrackers();
});

interface Tracker {
  readonly replica: Replica;
  readonly store: SnapshotStore;
  readonly writer: SnapshotWriter;
  /** From which offsets the log was read. */
  readonly reads: readonly number[];
}

const warn = (message: string): void => void warnings.push(message);
const newStore = (): SnapshotStore => new SnapshotStore(files, warn);

/** Counts from where a log is read. */
function watched(log: MemoryLog, reads: number[]): Pick<MemoryLog, 'append' | 'read' | 'end' | 'close'> {
  return {
    append: (records) => log.append(records),
    read: (fromOffset, signal) => {
      reads.push(fromOffset);
      return log.read(fromOffset, signal);
    },
    end: () => log.end(),
    close: () => log.close(),
  };
}

/** A process of a tracker with these files. */
async function started(log: MemoryLog): Promise<Tracker> {
  const reads: number[] = [];
  const store = newStore();
  const followed = watched(log, reads);
  const replica = new Replica({ log: followed, now: Date.now, startingPoints: store });
  const writer = new SnapshotWriter({
    ...{ replica, store, warn, intervalRecords: INTERVAL, monotonicNow: () => clock.nowMs },
    take: (order, signal) => {
      const read = log.read.bind(log);
      return takeSnapshot(order, { store: newStore(), read, rules: RULES, signal, turn });
    },
  });
  const tracker = { replica, store, writer, reads };
  running.push(tracker);
  if (await replica.start()) replica.serve();
  return tracker;
}

async function logOf(records: readonly StoredRecord[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.append(records);
  return log;
}

/** Snapshots of the given offsets of the records. */
async function snapshotsOf(records: readonly StoredRecord[], ...offsets: readonly number[]): Promise<void> {
  for (const offset of offsets) await newStore().save(derivedOf(records.slice(0, offset + 1)), turn);
}

/** A snapshot whose state is not what the records come to there. */
async function wrongSnapshot(
  of: readonly StoredRecord[],
  { offset, spoil }: { offset: number; spoil: (state: State) => void },
): Promise<void> {
  const wrong = derivedOf(of.slice(0, offset + 1));
  spoil(wrong.state);
  await newStore().save(wrong, turn);
}

const losesGroups = ({ groups }: State): void => groups.clear();
const isLate = (state: State): void => void (state.logTimeMs += 1);

/** Another tracker signs a checkpoint, with what it says of its snapshot. */
async function otherClaims(log: MemoryLog, snapshot?: SnapshotClaim): Promise<Replica> {
  const other = await trackerOn(log);
  await checkpointBy(other, {}, snapshot);
  return other.replica;
}

function expectSame(replica: Replica, derived: DerivedState): void {
  expect(plainState(replica.state)).toEqual(plainState(derived.state));
  expect([replica.root, replica.digest]).toEqual([derived.root, derived.digest]);
}

const records = randomRecords(11, 520, { isTruthful: true });

describe('a tracker with a snapshot', () => {
  it('reads only what stands after it, and has what it would have without', async () => {
    await snapshotsOf(records, 400);
    const { replica, reads, store } = await started(await logOf(records));
    expectSame(replica, derivedOf(records));
    expect(reads).toContain(401);
    // The genesis and the snapshot's last record are looked at.
    expect(reads.filter((offset) => offset !== 401)).toEqual([0, 400]);
    expect(store.kept).toMatchObject([{ offset: 400 }]);
    expect(warnings).toEqual([]);
  });

  it('takes the one before when the newest was cut off, is not readable, or has a wrong byte', async () => {
    const damages: ((bytes: Buffer) => Buffer)[] = [
      (bytes) => bytes.subarray(0, bytes.length - 1),
      () => Buffer.alloc(0),
      (bytes) => Buffer.concat([bytes.subarray(0, 900), Buffer.alloc(bytes.length - 900)]),
      (bytes) => Buffer.from(bytes).fill(bytes[700]! ^ 1, 700, 701),
    ];
    for (const damage of damages) {
      files.files.clear();
      warnings = [];
      await snapshotsOf(records, 200, 400);
      files.files.set(nameOf(400), damage(files.files.get(nameOf(400))!));
      const { replica, reads } = await started(await logOf(records));
      expectSame(replica, derivedOf(records));
      expect(reads).toContain(201);
      expect([...files.files.keys()].toSorted()).toEqual([asideOf(400), nameOf(200)]);
      expect(warnings).toEqual([
        expect.stringMatching(/^snapshot-0+400 is not used and set aside as set-aside-0+400: /),
      ]);
    }
  });

  it('reads the whole log when the folder of snapshots cannot be read, and goes on when it is to discard them', async () => {
    await snapshotsOf(records, 400);
    files.names = () => Promise.reject(new Error('EACCES'));
    const { replica, store } = await started(await logOf(records));
    await store.discard('for no reason');
    expectSame(replica, derivedOf(records));
    expect(replica.isReading).toBe(true);
    expect(new Set(warnings)).toEqual(new Set(['the folder of snapshots cannot be read: EACCES']));
  });

  it('reads the whole log when none is sound', async () => {
    await snapshotsOf(records, 200, 400);
    for (const [name, bytes] of files.files) files.files.set(name, bytes.subarray(0, 500));
    const { replica, reads } = await started(await logOf(records));
    expectSame(replica, derivedOf(records));
    expect(reads).toEqual([0, 0]);
    expect(warnings).toHaveLength(2);
  });

  it('does not take one of another log, or of other records with the same id', async () => {
    const other = randomRecords(12, 520, { isTruthful: true, logId: OTHER_LOG_ID });
    await snapshotsOf(other, 300);
    await snapshotsOf(randomRecords(13, 520, { isTruthful: true }), 400);
    const { replica } = await started(await logOf(records));
    expectSame(replica, derivedOf(records));
    expect(warnings).toEqual([
      expect.stringContaining('this log has another record at offset 400'),
      expect.stringContaining(`it is of another log, ${OTHER_LOG_ID}`),
    ]);
  });

  it('that is older than the last, or was lost with the rename of a newer one, costs a longer read only', async () => {
    await snapshotsOf(records, 100);
    files.files.set('unfinished', Buffer.from('half of the next'));
    const { replica, reads } = await started(await logOf(records));
    expectSame(replica, derivedOf(records));
    expect(reads).toContain(101);
  });

  it('halts when the log ends before it', async () => {
    await snapshotsOf(records, 400);
    const { replica } = await started(await logOf(records.slice(0, 400)));
    expect(replica.readiness).toMatchObject({ ready: false, reason: 'log_halted' });
    expect((await replica.halted).message).toContain(
      'the log ends at offset 400, but this tracker has a snapshot of offset 400',
    );
    expect(files.files.has(nameOf(400))).toBe(true);
  });
});

describe('a snapshot is taken', () => {
  it('of the latest offset that is a multiple, and the last two are kept', async () => {
    const log = await logOf(records.slice(0, 250));
    const { replica, writer, store } = await started(log);
    await writer.look();
    expect(store.kept).toMatchObject([{ offset: 200 }]);
    for (const end of [310, 420, 520]) {
      await log.append(records.slice(log.records.length, end));
      await replica.waitUntilApplied(end - 1);
      await writer.look();
    }
    expect([...files.files.keys()].toSorted()).toEqual([nameOf(400), nameOf(500)]);
    expect(store.kept).toMatchObject([{ offset: 500 }, { offset: 400 }]);
    await writer.look();
    expect(warnings).toEqual([]);
    const next = await started(log);
    expect(next.store.kept[0]).toEqual(store.kept[0]);
    expectSame(next.replica, derivedOf(records));
  });

  it('with the same bytes by every tracker, whether it began at offset 0 or at a snapshot', async () => {
    const log = await logOf(records);
    const { store, writer } = await started(log);
    await writer.look();
    files = new MemoryFiles();
    await snapshotsOf(records, 100, 300);
    const other = await started(log);
    await other.writer.look();
    expect(other.store.kept[0]).toEqual(store.kept[0]);
  });

  it('again later when it could not be written', async () => {
    const { writer, store } = await started(await logOf(records));
    const write = files.write.bind(files);
    files.write = () => Promise.reject(new Error('no room'));
    await writer.look();
    expect(warnings).toEqual(['no snapshot of offset 500 could be taken: no room; trying again later']);
    files.write = write;
    await writer.look();
    expect(store.kept).toEqual([]);
    clock.nowMs += 60_000;
    await writer.look();
    expect(store.kept).toMatchObject([{ offset: 500 }]);
  });

  it.each(['root', 'digest'] as const)(
    'only if it comes to the same %s as the tracker that orders it',
    async (field) => {
      const log = await logOf(records);
      const { root, digest } = derivedOf(records.slice(0, 501));
      const order = { offset: 500, root, digest, [field]: 'f'.repeat(64) };
      const tools = { store: newStore(), rules: RULES, signal: new AbortController().signal, turn };
      const taken = await takeSnapshot(order, { ...tools, read: log.read.bind(log) });
      expect(taken).toEqual({ differs: expect.stringContaining('offset 500 has another') as unknown });
      expect(files.files.size).toBe(0);
    },
  );

  it('not of what differs from what the tracker has: it says so, and computes everything anew', async () => {
    // Without checkpoints, or one of them would be the first to differ.
    const unsigned = records.map((record) =>
      Buffer.from(record.value).includes('checkpoint') ? { ...record, value: Buffer.from('{}') } : record,
    );
    const right = derivedOf(unsigned);
    await wrongSnapshot(unsigned, { offset: 400, spoil: losesGroups });
    const { replica, writer, store } = await started(await logOf(unsigned));
    expect(replica.digest).not.toBe(right.digest);
    files.files.clear();
    await writer.look();
    expect(warnings).toEqual([expect.stringMatching(/offset 500 has another effect digest; everything is computed/)]);
    await expect.poll(() => replica.digest).toBe(right.digest);
    expectSame(replica, right);
    await writer.look();
    expect(store.kept).toMatchObject([{ offset: 500 }]);
    expect(replica.healedSize).toBe(unsigned.length);
  });
});

describe('a tracker that began at a snapshot with a wrong state', () => {
  it('throws it away when a checkpoint has something else, and has what the log replays to', async () => {
    const log = await logOf(records);
    await wrongSnapshot(records, { offset: 400, spoil: losesGroups });
    // Another tracker, which has read everything, says what it has.
    const other = await otherClaims(log);
    const { replica } = await started(log);
    await expect.poll(() => replica.readiness).toEqual({ ready: true });
    expect([replica.root, replica.digest]).toEqual([other.root, other.digest]);
    expect(plainState(replica.state)).toEqual(plainState(other.state));
    expect([...files.files.keys()]).toEqual([asideOf(400)]);
  });

  it('computes everything anew as soon as the log is there again', async () => {
    const log = await logOf(records);
    await wrongSnapshot(records, { offset: 500, spoil: losesGroups });
    const { replica } = await started(log);
    const read = log.read.bind(log);
    let failures = 2;
    log.read = (fromOffset, signal) => {
      if (fromOffset === 0 && failures-- > 0) throw new LogFailure('log_unavailable', 'the log is away');
      return read(fromOffset, signal);
    };
    replica.computeAnew('a test');
    await expect.poll(() => replica.state.groups.size).toBe(derivedOf(records).state.groups.size);
    expectSame(replica, derivedOf(records));
    expect(failures).toBeLessThan(0);
  });

  it('does not begin at it once more, however soon the next is due', async () => {
    const log = await logOf(records);
    const right = await newStore().save(derivedOf(records.slice(0, 501)), turn);
    files = new MemoryFiles();
    await wrongSnapshot(records, { offset: 500, spoil: isLate });
    const { replica, writer, store } = await started(log);
    replica.computeAnew('a test');
    await writer.look();
    await expect.poll(() => store.isDiscarding).toBe(false);
    await writer.look();
    expect(store.kept).toEqual([right]);
    expectSame(replica, derivedOf(records));
  });
});

describe('two trackers compare their snapshots', () => {
  it('and one whose state is another, though its effects are not yet, computes everything anew, once', async () => {
    const log = await logOf(records);
    const right = await newStore().save(derivedOf(records.slice(0, 501)), turn);
    files = new MemoryFiles();
    await wrongSnapshot(records, { offset: 500, spoil: isLate });
    const { replica, writer, store } = await started(log);
    const comparison = new SnapshotComparison({ replica, warn });
    comparison.look();
    await otherClaims(log, right);
    await replica.waitUntilApplied(log.records.length - 1);
    expect(comparison.differingCount).toBe(1);
    comparison.look();
    await expect.poll(() => plainState(replica.state)).toEqual(plainState(derivedOf(log.records).state));
    expect([...files.files.keys()]).toEqual([asideOf(500)]);
    await writer.look();
    expect(store.kept).toEqual([right]);
    expect(comparison.differingCount).toBe(0);
    warnings = [];
    await otherClaims(log, { offset: 500, hash: 'f'.repeat(64) });
    await replica.waitUntilApplied(log.records.length - 1);
    comparison.look();
    comparison.look();
    expect(warnings).toEqual([expect.stringContaining('differs from this one')]);
    expect(store.kept).toEqual([right]);
  });

  it('and nothing comes of equal ones, or of one that only the other has', async () => {
    const log = await logOf(records);
    const { replica, writer, store } = await started(log);
    const comparison = new SnapshotComparison({ replica, warn });
    await writer.look();
    await otherClaims(log, store.kept[0]!);
    await otherClaims(log, { offset: 400, hash: 'f'.repeat(64) });
    await replica.waitUntilApplied(log.records.length - 1);
    comparison.look();
    expect([comparison.differingCount, warnings, store.kept.length]).toEqual([0, [], 1]);
  });
});
