// Facts about the bytes of a state: canonical, complete, and safe to read when they are damaged.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SmallMap } from '#domain/small-map';
import { emptyState, type State } from '#domain/state';
import { encodeState, StateReader } from '#wire/state-codec';
import type { UnreadGroup } from '#wire/unread-group';
import { seeded } from '../../seeded-random.ts';
import { plainState } from '../domain/plain-state.ts';
import { derivedOf, randomRecords } from '../tracker/random-log.ts';

const bytesOf = (state: State): Buffer => Buffer.concat([...encodeState(state)]);

function stateOf(seed: number, count = 250): State {
  return derivedOf(randomRecords(seed, count, { hasVersions: true })).state;
}

function readBack(blocks: Iterable<Uint8Array>): State {
  const reader = new StateReader();
  for (const block of blocks) expect(reader.take(block)).toBeNull();
  return reader.state;
}

/** The same state with every table in another order. */
function shuffled<Value>(value: Value, draw: () => number): Value {
  if (value instanceof Map || value instanceof SmallMap) {
    const given = [...(value as Iterable<[string, object]>)];
    const entries = given.map(([key, item]) => ({ key, item, place: draw() }));
    const sorted = entries.toSorted((left, right) => left.place - right.place);
    const inOrder = sorted.map(({ key, item }) => [key, shuffled(item, draw)] as const);
    return (value instanceof Map ? new Map(inOrder) : new SmallMap(inOrder)) as Value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shuffled(item, draw)])) as Value;
}

it('a state of any log is read back as it was', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const state = stateOf(seed);
      expect(plainState(readBack(encodeState(state)))).toEqual(plainState(state));
    }),
    { numRuns: 12 },
  );
  expect(readBack(encodeState(emptyState()))).toEqual(emptyState());
});

it('equal states have equal bytes, whatever order their tables are in', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (seed, order) => {
      const state = stateOf(seed);
      expect(bytesOf(shuffled(state, seeded(order))).equals(bytesOf(state))).toBe(true);
    }),
    { numRuns: 12 },
  );
});

it('groups that were read have the bytes that they were read from, whether or not somebody asked for their shares', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const bytes = bytesOf(stateOf(seed));
      const state = readBack([bytes]);
      for (const group of state.groups.values()) {
        expect(bytesOf(state).equals(bytes)).toBe(true);
        expect(group.shares).toBe(group.shares);
      }
      expect(bytesOf(state).equals(bytes)).toBe(true);
    }),
    { numRuns: 12 },
  );
});

it('what happens to the shares of a group that was read reaches its bytes', () => {
  const state = readBack(encodeState(stateOf(7, 400)));
  const shares = [...state.groups.values()].filter(({ name }) => stateOf(7, 400).groups.get(name)!.shares.size > 0);
  expect(shares.length).toBeGreaterThan(0);
  for (const group of shares) {
    const [file] = group.shares.keys();
    group.shares.delete(file!);
    expect(readBack(encodeState(state)).groups.get(group.name)!.shares.has(file!)).toBe(false);
  }
});

it('the shares of a group stay bytes until somebody asks, unless there are too many to be made at once', () => {
  const groupOf = (count: number): UnreadGroup => {
    const state = emptyState();
    const group = [...stateOf(7, 400).groups.values()].find(({ shares }) => shares.size > 0)!;
    const [share] = group.shares.values();
    state.groups.set(group.name, group);
    group.shares.clear();
    for (let id = 0; id < count; id++) group.shares.set(`${id}`, { ...share!, file: `${id}`, id });
    return readBack(encodeState(state)).groups.get(group.name) as UnreadGroup;
  };
  const few = groupOf(1_000);
  expect(few.unreadRows()).not.toBeNull();
  expect([few.shares.size, few.unreadRows()]).toEqual([1_000, null]);
  const many = groupOf(1_001);
  expect([many.unreadRows(), many.shares.size]).toEqual([null, 1_001]);
});

it('rows that another one would have written otherwise are written as this one writes them', () => {
  const state = stateOf(7, 400);
  const group = [...state.groups.values()].find(({ shares }) => shares.size > 0);
  const [share] = group!.shares.values();
  group!.shares.set(share!.file, { ...share!, hash: 'sha256' });
  const bytes = bytesOf(state);
  const hashAt = bytes.indexOf(Buffer.from(share!.contentId, 'hex')) + 32 + 3 * 8;
  expect(bytes[hashAt]).toBe(1);
  const strange = Buffer.from(bytes);
  strange[hashAt] = 7;
  expect(bytesOf(readBack([strange])).equals(bytes)).toBe(true);
});

it('every field of a state reaches its bytes', () => {
  const state = stateOf(7, 400);
  const bytes = bytesOf(state);
  let changes = 0;
  for (const changed of everyChange(state, '')) {
    changes += 1;
    expect(bytesOf(state).equals(bytes), changed).toBe(false);
  }
  expect(changes).toBeGreaterThan(200);
  expect(bytesOf(state).equals(bytes)).toBe(true);
});

it('bytes that were cut off or changed are read without an error being thrown', () => {
  const bytes = bytesOf(stateOf(3));
  for (let at = 0; at < bytes.length; at += 61) {
    new StateReader().take(bytes.subarray(0, at));
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 0xff;
    new StateReader().take(flipped);
  }
  expect(new StateReader().take(Uint8Array.of(99))).toContain('row of kind 99');
  expect(new StateReader().take(bytes.subarray(0, 5))).toBe('ends too early');
});

it('the bytes of a small state are these', () => {
  const state = { ...emptyState(), logId: '0a'.repeat(32), rulesVersion: 1, logTimeMs: 2, appliedOffset: 3 };
  const who = { name: 'é', createdOffset: 1, credentialOffset: 2, commitment: '0b'.repeat(32) };
  state.users.set('é', who);
  const head = `0100000000000000040000000000000001000000000000000201${'0a'.repeat(32)}`;
  expect(bytesOf(state).toString('hex')).toBe(
    `${head}0200000004c3a900000000000000010000000000000002${'0b'.repeat(32)}`,
  );
});

it('a session has the bytes that it had before there was renewal, until it is renewed', () => {
  const state = { ...emptyState(), rulesVersion: 2 };
  const bytesOfSession = (renewedAtMs: number): string => {
    const session = { id: 5, user: 'a', peerId: '0c'.repeat(32), startedAtMs: 7, renewedAtMs };
    state.sessions.set(session.peerId, session);
    const bytes = bytesOf(state);
    expect(readBack([bytes]).sessions.get(session.peerId)).toEqual(session);
    return bytes.toString('hex').slice(bytesOf({ ...state, sessions: new Map() }).length * 2);
  };
  const row = `${'0c'.repeat(32)}000000000000000500000002610000000000000007`;
  expect(bytesOfSession(7)).toBe(`03${row}`);
  expect(bytesOfSession(9)).toBe(`0d${row}0000000000000009`);
});

/** Changes each field below a value in turn, tells which, and puts it back. */
function* everyChange(value: object, path: string): Generator<string> {
  if (value instanceof Map || value instanceof SmallMap) {
    for (const [key, item] of [...(value as Map<string, unknown>)]) {
      value.delete(key);
      yield `${path} without ${key}`;
      value.set(key, item);
      if (typeof item === 'object' && item !== null) yield* everyChange(item, `${path}.${key}`);
    }
    return;
  }
  const fields = value as Record<string, unknown>;
  for (const [field, item] of Object.entries(fields)) {
    if (typeof item === 'object' && item !== null) yield* everyChange(item, `${path}.${field}`);
    const other = otherThan(item);
    if (other === undefined) continue;
    fields[field] = other;
    yield `${path}.${field}`;
    fields[field] = item;
  }
}

function otherThan(item: unknown): unknown {
  if (typeof item === 'number') return item + 1;
  if (typeof item !== 'string') return undefined;
  if (/^[0-9a-f]{64}$/.test(item)) return item.startsWith('0') ? `1${item.slice(1)}` : `0${item.slice(1)}`;
  // `status` decides what else an outcome has, so it does not change alone.
  if (item === 'accepted' || item === 'rejected') return undefined;
  return item === 'sha1' ? 'sha256' : `${item}x`;
}
