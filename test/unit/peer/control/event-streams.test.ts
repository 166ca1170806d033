import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FileView } from '#wire/tracker-api';
import { EventJournal } from '../../../../apps/peer/src/control/event-journal.ts';
import { EventStreams } from '../../../../apps/peer/src/control/event-streams.ts';
import type { LinkEvent } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import type { ProgressListener } from '../../../../apps/peer/src/transfers/progress-feed.ts';
import { RecordedLink, RecordedTransfers, TRANSFER_ID } from './recorded-ports.ts';

let directory: string;
let journal: EventJournal;
let streams: EventStreams;
const progressListeners = new Set<ProgressListener>();
const linkListeners = new Set<(event: LinkEvent) => void>();

beforeEach(() => {
  vi.useFakeTimers();
  progressListeners.clear();
  linkListeners.clear();
  directory = mkdtempSync(join(tmpdir(), 'cohort-streams-'));
  const writeFailed = (_path: string, error: Error): void => expect.fail(error.message);
  journal = new EventJournal(join(directory, 'events.ndjson'), { now: () => 0, writeFailed });
  const transfers = Object.assign(new RecordedTransfers(), { onProgress: listenersOf(progressListeners) });
  const link = Object.assign(new RecordedLink(), { onEvent: listenersOf(linkListeners) });
  streams = new EventStreams({
    ...{ journal, transfers, link, now: () => 0 },
    moved: () => ({ receivedBytes: 0, sentBytes: 0 }),
  });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

function listenersOf<Listener>(listeners: Set<Listener>) {
  return (listener: Listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
}

function open(...watches: readonly string[]) {
  const frames: Uint8Array[] = [];
  const stop = streams.open({ write: (written) => void frames.push(written), watches: new Set(watches) });
  const texts = (): string[] => {
    vi.advanceTimersByTime(50);
    return Buffer.concat(frames)
      .toString()
      .split(/(?<=\n\n)/);
  };
  return { frames, stop, texts };
}

const progress = { transferId: TRANSFER_ID, state: 'downloading', pieces: [[0, 3]] } as never;
const LIVE = '"time":"1970-01-01T00:00:00.000Z"';

test('everybody is told the same bytes: numbered events with their id, progress without one', () => {
  const [one, other] = [open(), open()];
  journal.append('group_changed', { group: 'films' });
  for (const listener of progressListeners) listener(progress);
  expect(one.texts()).toEqual([
    `id: 1\nevent: group_changed\ndata: {"id":1,${LIVE},"type":"group_changed","data":{"group":"films"}}\n\n`,
    `event: transfer_progress\ndata: {${LIVE},"type":"transfer_progress","data":${JSON.stringify(progress)}}\n\n`,
  ]);
  expect(one.frames.every((frame, index) => frame === other.frames[index])).toBe(true);
});

test('what changes in a group is told to those who watch it', () => {
  const [films, books, nothing] = [open('films', 'music'), open('books'), open()];
  const row = { file: 'a', sharedAtMs: 0, seedersOnline: 2 } as FileView;
  for (const listener of linkListeners) {
    listener({ type: 'files_changed', group: 'films', items: [row], removed: [{ file: 'b', version: 1 }] });
    listener({ type: 'files_reset', group: 'films' });
  }
  const [changed, anew] = films.texts();
  expect(changed).toContain('event: files_changed\ndata: {');
  expect(changed).toContain('"completeCopies":2');
  expect(changed).toContain('"removed":[{"file":"b","version":1}]');
  expect(anew).toBe(`event: group_changed\ndata: {${LIVE},"type":"group_changed","data":{"group":"films"}}\n\n`);
  expect([books.frames, nothing.frames]).toEqual([[], []]);
});

test('that sessions are others is told to everybody', () => {
  const { texts } = open();
  for (const listener of linkListeners) listener({ type: 'sessions_changed' });
  expect(texts()).toEqual([`event: sessions_changed\ndata: {${LIVE},"type":"sessions_changed","data":{}}\n\n`]);
});

test('what follows soon after an event goes with the next write, and nothing of it to who comes later', () => {
  const { frames, texts } = open();
  for (let number = 0; number < 10; number++) journal.append('group_changed', { group: 'films' });
  expect(frames).toHaveLength(1);
  vi.advanceTimersByTime(50);
  expect(frames).toHaveLength(2);
  journal.append('group_changed', { group: 'films' });
  expect(frames).toHaveLength(2);
  const late = open();
  expect(frames).toHaveLength(3);
  journal.append('group_changed', { group: 'films' });
  expect(texts().map((text) => Number(/^id: (\d+)/.exec(text)![1]))).toEqual(
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
  expect(late.texts().map((text) => /^id: (\d+)/.exec(text)![1])).toEqual(['12']);
});

test('whoever comes is told what moves within a second, also when nothing does', () => {
  const silence = { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 };
  const traffic = [`event: traffic\ndata: {${LIVE},"type":"traffic","data":${JSON.stringify(silence)}}\n\n`];
  const one = open();
  vi.advanceTimersByTime(3_000);
  const other = open();
  vi.advanceTimersByTime(3_000);
  expect([one.texts(), other.texts()]).toEqual([[...traffic, ...traffic], traffic]);
});

test('nothing is listened to while nobody follows', () => {
  expect([progressListeners.size, linkListeners.size]).toEqual([0, 0]);
  const [one, other] = [open(), open()];
  expect([progressListeners.size, linkListeners.size]).toEqual([1, 1]);
  one.stop();
  one.stop();
  expect(progressListeners.size).toBe(1);
  other.stop();
  expect([progressListeners.size, linkListeners.size]).toEqual([0, 0]);
});
