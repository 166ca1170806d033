import { describe, expect, test } from 'vitest';
import { ChangeSignal } from '../../../../apps/tracker/src/command-log/change-signal.ts';

const NEVER_MS = 1_000_000;

describe('a change signal', () => {
  const { signal } = new AbortController();

  test('wakes everybody who waits', async () => {
    const changes = new ChangeSignal();
    const waits = [1, 2].map(() => changes.wait({ since: changes.version, timeoutMs: NEVER_MS, signal }));
    changes.notify();
    expect(await Promise.all(waits)).toEqual([true, true]);
  });

  test('a notification between looking and waiting is not lost', async () => {
    const changes = new ChangeSignal();
    const since = changes.version;
    changes.notify();
    expect(await changes.wait({ since, timeoutMs: NEVER_MS, signal })).toBe(true);
  });

  test('the timeout ends a wait without a notification', async () => {
    const changes = new ChangeSignal();
    expect(await changes.wait({ since: changes.version, timeoutMs: 1, signal })).toBe(false);
  });

  test('an abort ends a wait, before it and during it', async () => {
    const changes = new ChangeSignal();
    const stop = new AbortController();
    const waiting = changes.wait({ since: changes.version, timeoutMs: NEVER_MS, signal: stop.signal });
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await changes.wait({ since: changes.version, timeoutMs: NEVER_MS, signal: stop.signal })).toBe(false);
  });
});
