import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  EVENT_CHARACTERS_KEPT_MAX,
  EventJournal,
  EVENTS_KEPT_MAX,
} from '../../../../apps/peer/src/control/event-journal.ts';

let directory: string;
const failed: string[] = [];
const open = (): EventJournal =>
  new EventJournal(join(directory, 'events.ndjson'), { now: () => 0, writeFailed: (path) => failed.push(path) });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-events-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const idsSince = (journal: EventJournal, id: number): number[] => journal.since(id).events.map((event) => event.id);

test('ids begin at 1, only grow, and go on after a restart', () => {
  const before = open();
  before.append('group_changed', { group: 'a' });
  before.append('group_changed', { group: 'b' });
  const after = open();
  after.append('group_changed', { group: 'c' });
  expect(after.lastId).toBe(3);
  expect(after.since(1)).toMatchObject({ isGapless: true, events: [{ id: 2 }, { id: 3, data: { group: 'c' } }] });
});

test.each([
  '{}',
  '{"id":"7","time":"","type":"a","data":{}}',
  '{"id":0.5,"time":"","type":"a","data":{}}',
  '[]',
  '7',
  '{',
])('a last line that a disk has made %s of is left out, and ids go on from the one before', (line) => {
  open().append('group_changed', { group: 'a' });
  writeFileSync(join(directory, 'events.ndjson'), `${line}\n`, { flag: 'a' });
  const journal = open();
  journal.append('group_changed', { group: 'b' });
  expect(journal.since(1)).toMatchObject({ isGapless: true, events: [{ id: 2, data: { group: 'b' } }] });
});

test('an id that was never given, as after the files were lost, has a gap', () => {
  const journal = open();
  journal.append('group_changed', {});
  expect(journal.since(2).isGapless).toBe(false);
  expect(journal.since(1)).toEqual({ events: [], isGapless: true });
  expect(journal.reset()).toMatchObject({ id: 1, type: 'reset' });
});

test('too old an id has a gap, and the file does not grow without end', () => {
  const journal = open();
  for (let count = 0; count < 2 * EVENTS_KEPT_MAX + 1; count++) journal.append('group_changed', {});
  expect(journal.since(0).isGapless).toBe(false);
  const reopened = open();
  expect(reopened.lastId).toBe(2 * EVENTS_KEPT_MAX + 1);
  expect(idsSince(reopened, 2 * EVENTS_KEPT_MAX)).toEqual([2 * EVENTS_KEPT_MAX + 1]);
  expect(reopened.since(EVENTS_KEPT_MAX + 1).isGapless).toBe(true);
  expect(reopened.since(EVENTS_KEPT_MAX).isGapless).toBe(false);
});

test('long events are kept as far as they have room, over restarts too, and the newest always', () => {
  const count = 50;
  const bitfield = 'A'.repeat(EVENT_CHARACTERS_KEPT_MAX / 10);
  const before = open();
  for (let number = 0; number < count; number++) before.append('transfer_changed', { bitfield });
  const after = open();
  for (const journal of [before, after]) {
    expect(idsSince(journal, count - 9)).toEqual(Array.from({ length: 9 }, (_, index) => count - 8 + index));
    expect(journal.since(count - 10).isGapless).toBe(false);
  }
  expect(statSync(join(directory, 'events.ndjson')).size).toBeLessThan(2.1 * EVENT_CHARACTERS_KEPT_MAX);
  after.append('transfer_changed', { bitfield: bitfield.repeat(11) });
  expect(idsSince(open(), count)).toEqual([count + 1]);
});

test('listeners hear of each event until they stop', () => {
  const journal = open();
  const heard: number[] = [];
  const stop = journal.onEvent(({ id }) => heard.push(id));
  journal.append('group_changed', {});
  stop();
  journal.append('group_changed', {});
  expect(heard).toEqual([1]);
});

test('a disk that takes nothing more is reported, and events go on from memory', () => {
  const journal = open();
  rmSync(directory, { recursive: true });
  journal.append('group_changed', {});
  journal.append('group_changed', {});
  expect(idsSince(journal, 0)).toEqual([1, 2]);
  expect(failed).toEqual([join(directory, 'events.ndjson'), join(directory, 'events.ndjson')]);
  mkdirSync(directory);
});

test('what lies before a line that was spoiled is gone, and no event is left out in silence', () => {
  const before = open();
  for (const group of ['a', 'b', 'c', 'd', 'e']) before.append('group_changed', { group });
  const path = join(directory, 'events.ndjson');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"id":3', '"id":'));
  const after = open();
  expect(after.since(1).isGapless).toBe(false);
  expect(idsSince(after, 3)).toEqual([4, 5]);
  expect(idsSince(after, 4)).toEqual([5]);
});
