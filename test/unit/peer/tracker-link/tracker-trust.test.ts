// Which key a tracker has to show, and what is said when it shows another one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stamp } from './played-tracker.ts';
import { becomes, directory, pinned, start, trackers } from './started-link.ts';

describe('trust', () => {
  test('a tracker that shows another key than the pinned one gets not one request', async () => {
    const impostor = { ...trackers[0]!.entry(), trackerId: 'ef'.repeat(32) };
    const started = await start([impostor]);
    const event = await started.seen(({ type }) => type === 'tracker_key_changed');
    expect(event).toMatchObject({ expected: 'ef'.repeat(32), shown: trackers[0]!.identity.id });
    expect(started.link.trackers()).toMatchObject([{ state: 'refused', active: false }]);
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject({
      code: 'tracker_unavailable',
      detail: expect.stringContaining('another key than the one expected') as string,
    });
    expect(trackers[0]!.requests).toEqual([]);
  });

  test('a file without fingerprints trusts on first use, remembers, and refuses a changed key', async () => {
    const entries = [trackers[0]!.entry({ pinned: false })];
    const first = await start(entries);
    await first.seen(becomes(trackers[0]!, 'ready'));
    await first.link.close();
    const known = JSON.parse(readFileSync(join(directory, 'known-trackers.json'), 'utf8')) as { ids: object };
    expect(Object.values(known.ids)).toEqual([trackers[0]!.identity.id]);
    const entry = { ...trackers[1]!.entry({ pinned: false }), port: entries[0]!.port };
    await trackers[0]!.kill();
    const other = trackers[1]!;
    await other.kill();
    await other.listen(entry.port);
    const second = await start([entry]);
    await second.seen(({ type }) => type === 'tracker_key_changed');
    expect(other.count('hello')).toBe(0);
    await trackers[0]!.listen(0);
  });

  test('beside a pinned tracker, one without a fingerprint is trusted as soon as the pinned one can name its key', async () => {
    const entries = [trackers[0]!.entry(), trackers[1]!.entry({ pinned: false })];
    const started = await start(entries);
    await started.seen(becomes(trackers[0]!, 'ready'));
    await started.seen(becomes(trackers[1]!, 'unreachable'));
    expect(trackers[1]!.requests).toEqual([]);
    trackers[0]!.known = trackers.map((tracker) => tracker.asKnown());
    await started.seen(becomes(trackers[1]!, 'ready'));
    expect(
      started.link
        .trust()
        ?.trackers.map(({ trackerId }) => trackerId)
        .sort(),
    ).toEqual(trackers.map(({ identity: { id } }) => id).sort());
  });

  test('trackers of two logs are refused both, until they agree', async () => {
    trackers[1]!.logId = 'cd'.repeat(32);
    const started = await start(pinned());
    await started.seen(({ type }) => type === 'trackers_disagree');
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject({ code: 'trackers_disagree' });
    expect(await started.link.command('logout', {}, stamp())).toMatchObject({ code: 'trackers_disagree' });
    expect(started.link.outage()).toMatchObject({ code: 'trackers_disagree' });
    expect(trackers.map((tracker) => tracker.count('logout'))).toEqual([0, 0]);
  });
});
