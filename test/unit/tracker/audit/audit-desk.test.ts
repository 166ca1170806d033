import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import {
  AUDIT_NEXT_PAGE_TIMEOUT_MS,
  AUDIT_QUESTIONS_AT_ONCE_MAX,
  AUDIT_QUESTIONS_WAITING_MAX,
  AUDIT_STALL_TIMEOUT_MS,
  AUDIT_WAITING_PER_KEY_MAX,
} from '#wire/limits';
import {
  type CommandLog,
  LogFailure,
  type StoredRecord,
} from '../../../../apps/tracker/src/command-log/command-log.ts';
import { AuditDesk } from '../../../../apps/tracker/src/audit/audit-desk.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const records = randomRecords(7, 120, { isTruthful: true });
const desks: AuditDesk[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(desks.splice(0).map((desk) => desk.stop()));
});

interface PlayedLog extends Pick<CommandLog, 'read' | 'end'> {
  readonly readers: AbortSignal[];
  /** How many of them have let go of what they hold. */
  readonly leftCount: () => number;
  /** Resolves when all places are taken by threads that have begun to read. */
  readonly isBusy: Promise<void>;
  /** Lets records be read. */
  readonly open: () => void;
}

/** A log that hands over nothing before it is opened. */
function logOf(stored: readonly StoredRecord[] = records): PlayedLog {
  const opened = Promise.withResolvers<void>();
  const busy = Promise.withResolvers<void>();
  const readers: AbortSignal[] = [];
  let leftCount = 0;
  return {
    readers,
    leftCount: () => leftCount,
    isBusy: busy.promise,
    open: opened.resolve,
    end: () => Promise.resolve(stored.length),
    async *read(fromOffset, signal) {
      readers.push(signal);
      if (readers.length === AUDIT_QUESTIONS_AT_ONCE_MAX) busy.resolve();
      await opened.promise;
      try {
        for (let at = fromOffset; at < stored.length && !signal.aborted; at += 50) yield stored.slice(at, at + 50);
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        leftCount += 1;
      }
    },
  };
}

function deskOn(log: Pick<CommandLog, 'read' | 'end'>, heapBytesMax?: number): AuditDesk {
  const desk = new AuditDesk(log, heapBytesMax);
  desks.push(desk);
  return desk;
}

const verify = { view: 'verify', parameters: {} } as const;
let keyCount = 0;

/** Somebody with a key of its own, or with one that others have too. */
function asker(keyId = `key ${keyCount++}`, gone = new AbortController().signal) {
  return { keyId, gone };
}

async function answerTo(desk: AuditDesk, question: Parameters<AuditDesk['ask']>[0], by = asker()): Promise<string> {
  return text((await desk.ask(question, by)).stream);
}

it('a question is answered from the log as it was when it was asked, in a thread of its own', async () => {
  const log = logOf();
  log.open();
  const { root, digest } = derivedOf(records);
  const found = JSON.parse(await answerTo(deskOn(log), verify)) as object;
  expect(found).toMatchObject({ verdict: 'sound', records: 120, root, digest, asOfOffset: 119 });
});

it('who reads for a question lets go of the log, whether all of it was read or not', async () => {
  const log = logOf();
  log.open();
  const desk = deskOn(log);
  for (const [view, parameters] of [
    ['diff', { from: '10', to: '20' }],
    ['log', { limit: '1' }],
    ['verify', {}],
  ] as const) {
    await answerTo(desk, { view, parameters });
  }
  await desk.stop();
  expect([log.readers.length, log.leftCount()]).toEqual([4, 4]);
});

it('a page that was begun earlier is of the log as it was then', async () => {
  const log = logOf();
  log.open();
  const question = { view: 'log', parameters: { after: '80.70', limit: '1000' } } as const;
  const { items, next } = JSON.parse(await answerTo(deskOn(log), question)) as {
    items: { offset: number }[];
    next: null;
  };
  expect([items.map(({ offset }) => offset), next]).toEqual([[70, 71, 72, 73, 74, 75, 76, 77, 78, 79], null]);
  await expect(deskOn(log).ask({ view: 'log', parameters: { after: '121.1' } }, asker())).rejects.toThrow('--after');
});

interface PageOfLog {
  readonly items: readonly { readonly offset: number; readonly outcome: string }[];
  readonly next: string | null;
}

/** A page of 50 records, or fewer, of whoever asks for all of them. */
async function pageOfLog(
  desk: AuditDesk,
  after?: string,
  { outcome, keyId = 'pages' } = NOBODY_ELSE,
): Promise<PageOfLog> {
  const parameters: Record<string, string> = { limit: '50' };
  if (after !== undefined) parameters['after'] = after;
  if (outcome !== undefined) parameters['outcome'] = outcome;
  return JSON.parse(await answerTo(desk, { view: 'log', parameters }, asker(keyId))) as PageOfLog;
}

const NOBODY_ELSE: { readonly outcome?: string; readonly keyId?: string } = {};

it('the next page goes on where the one before ended, and reads nothing of the log anew', async () => {
  const log = logOf();
  log.open();
  const desk = deskOn(log);
  const first = await pageOfLog(desk);
  const second = await pageOfLog(desk, first.next!);
  const third = await pageOfLog(desk, second.next!);
  const items = [first, second, third].flatMap((page) => page.items.map(({ offset }) => offset));
  expect(items).toEqual([...Array(120).keys()]);
  expect([third.next, log.readers.length]).toEqual([null, 1]);
  // Once more, and somewhere else than the thread was, it comes to the same by a replay.
  expect(await pageOfLog(desk, first.next!)).toEqual(second);
  expect(log.readers.length).toBe(2);
});

it('the next page of another question, or of another key, comes from a replay', async () => {
  const log = logOf();
  log.open();
  const desk = deskOn(log);
  const { next } = await pageOfLog(desk);
  const { items } = await pageOfLog(desk, next!, { outcome: 'rejected' });
  expect(new Set(items.map(({ outcome }) => outcome))).toEqual(new Set(['rejected']));
  const first = await pageOfLog(desk);
  const second = await pageOfLog(desk, first.next!, { keyId: 'another' });
  expect([second.items[0]!.offset, log.readers.length]).toEqual([50, 4]);
});

it('who waits for the next page gives way to who asks something else, and leaves after a while', async () => {
  const log = logOf();
  log.open();
  const desk = deskOn(log);
  const { next } = await pageOfLog(desk);
  expect(desk.underWayCount).toBe(0);
  const others = Array.from({ length: AUDIT_QUESTIONS_AT_ONCE_MAX }, () => answerTo(desk, verify));
  expect(new Set(await Promise.all(others)).size).toBe(1);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const second = await pageOfLog(desk, next!);
  const [read, left] = [log.readers.length, log.leftCount()];
  expect([read, left]).toEqual([2 + AUDIT_QUESTIONS_AT_ONCE_MAX, 1 + AUDIT_QUESTIONS_AT_ONCE_MAX]);
  vi.advanceTimersByTime(AUDIT_NEXT_PAGE_TIMEOUT_MS);
  await vi.waitFor(() => expect(log.leftCount()).toBe(read));
  expect((await pageOfLog(desk, second.next!)).items).toHaveLength(20);
});

it('no more are answered at once than there are places, some wait, and whoever comes then is told', async () => {
  const log = logOf();
  const desk = deskOn(log);
  const all = AUDIT_QUESTIONS_AT_ONCE_MAX + AUDIT_QUESTIONS_WAITING_MAX;
  const answers = Array.from({ length: all }, () => answerTo(desk, verify));
  await log.isBusy;
  await expect(desk.ask(verify, asker())).rejects.toMatchObject({ code: 'busy' });
  expect(desk.underWayCount).toBe(AUDIT_QUESTIONS_AT_ONCE_MAX);
  log.open();
  expect(new Set(await Promise.all(answers)).size).toBe(1);
});

it('who asks much, or reads slowly, waits behind itself: another key has a place, and room to wait', async () => {
  const log = logOf();
  const desk = deskOn(log);
  const ask = (keyId: string, gone?: AbortSignal) => void desk.ask(verify, asker(keyId, gone)).catch(() => undefined);
  for (let count = 0; count < 1 + AUDIT_WAITING_PER_KEY_MAX; count++) ask('greedy');
  await expect(desk.ask(verify, asker('greedy'))).rejects.toMatchObject({ code: 'busy' });
  expect(desk.underWayCount).toBe(1);
  const leaving = new AbortController();
  ask('modest', leaving.signal);
  ask('modest');
  await log.isBusy;
  expect(desk.underWayCount).toBe(AUDIT_QUESTIONS_AT_ONCE_MAX);
  leaving.abort();
  await vi.waitFor(() => expect(log.readers).toHaveLength(AUDIT_QUESTIONS_AT_ONCE_MAX + 1));
});

it('who goes away gives the place to the next one, and is no longer read for; who waited leaves the row', async () => {
  const log = logOf();
  const desk = deskOn(log);
  const leaving = Array.from({ length: AUDIT_QUESTIONS_AT_ONCE_MAX + 1 }, () => new AbortController());
  const asked = leaving.map(({ signal }) => desk.ask(verify, asker(undefined, signal)).catch(() => 'gone'));
  await log.isBusy;
  const next = answerTo(desk, verify);
  for (const each of leaving.toReversed()) each.abort();
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['gone']));
  expect(log.readers.slice(0, AUDIT_QUESTIONS_AT_ONCE_MAX).every(({ aborted }) => aborted)).toBe(true);
  log.open();
  expect(JSON.parse(await next)).toMatchObject({ verdict: 'sound' });
});

it('an answer that nobody reads holds its place until it stalls', async () => {
  const log = logOf(randomRecords(3, 2_000));
  log.open();
  const desk = deskOn(log);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { stream } = await desk.ask({ view: 'export', parameters: { tail: 'true' } }, asker());
  expect(desk.underWayCount).toBe(1);
  vi.advanceTimersByTime(AUDIT_STALL_TIMEOUT_MS);
  await expect(once(stream, 'end')).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(desk.underWayCount).toBe(0);
});

it('a question that needs more memory than it may have is refused, and the process goes on', async () => {
  const log = logOf();
  log.open();
  const desk = deskOn(log, 4 * 2 ** 20);
  await expect(desk.ask(verify, asker())).rejects.toMatchObject({ code: 'too_large' });
});

it('a log that halts is a verdict to verify, and the end of any other question', async () => {
  const halted = {
    end: () => Promise.resolve(5),
    // eslint-disable-next-line require-yield
    async *read() {
      throw new LogFailure('log_halted', 'a gap');
    },
  };
  expect(JSON.parse(await answerTo(deskOn(halted), verify))).toMatchObject({ verdict: 'tampered', problem: 'a gap' });
  await expect(deskOn(halted).ask({ view: 'log', parameters: {} }, asker())).rejects.toMatchObject({
    code: 'log_unavailable',
  });
});

it('a tracker that stops ends what is under way, and what waits', async () => {
  const log = logOf();
  const desk = deskOn(log);
  const asked = Array.from({ length: AUDIT_QUESTIONS_AT_ONCE_MAX + 1 }, () =>
    desk.ask(verify, asker()).catch((error: { code: string }) => error.code),
  );
  await log.isBusy;
  await desk.stop();
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['tracker_unavailable']));
});
