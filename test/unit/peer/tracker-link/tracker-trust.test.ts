// Which key a tracker has to show, and what is said when it shows another one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrackerEntry } from '#wire/tracker-info';
import { TrackerTrust } from '../../../../apps/peer/src/tracker-link/tracker-trust.ts';
import { LOG_ID, PlayedTracker, stamp } from './played-tracker.ts';
import { becomes, directory, pinned, reports, start, trackers } from './started-link.ts';

/** What is said of a changed key: both keys, and what to do. */
function loud({ shown, expected }: { shown: string; expected: string }): string {
  const words = `shows the key sha256:${shown}, not sha256:${expected}: it is not trusted\\. If .* correct its line .* remove known-`;
  return expect.stringMatching(words) as string;
}

describe('trust', () => {
  const remembered = (): Record<string, string> => {
    const text = readFileSync(join(directory, 'known-trackers.json'), 'utf8');
    return (JSON.parse(text) as { ids: Record<string, string> }).ids;
  };
  const opened = (entries: readonly TrackerEntry[]): Promise<TrackerTrust> =>
    TrackerTrust.open(entries, join(directory, 'known-trackers.json'), reports);

  /** A run of the peer with these trackers, until all are ready. */
  async function run(entries: readonly TrackerEntry[]): Promise<void> {
    const started = await start(entries);
    await Promise.all(trackers.slice(0, entries.length).map((tracker) => started.seen(becomes(tracker, 'ready'))));
    await started.link.close();
  }

  test('a key that the file pinned once still binds when the file does not name it any more', async () => {
    await run([trackers[0]!.entry()]);
    expect(Object.values(remembered())).toEqual([trackers[0]!.identity.id]);
    const trust = await opened([trackers[0]!.entry({ pinned: false })]);
    const { address } = trackers[0]!.asKnown();
    expect(trust.admits(address, trackers[0]!.identity.id)).toBe(true);
    expect(trust.admits(address, trackers[1]!.identity.id)).toBe(false);
    expect(trust.expectedId(address)).toBe(trackers[0]!.identity.id);
  });

  test('a pin of the file counts before the key that was trusted, which is told', async () => {
    await run([trackers[0]!.entry({ pinned: false })]);
    const { address } = trackers[0]!.asKnown();
    const pin = trackers[1]!.identity.id;
    const trust = await opened([{ ...trackers[0]!.entry(), trackerId: pin }]);
    expect(trust.overruled()).toEqual([{ address, remembered: trackers[0]!.identity.id, pinned: pin }]);
    expect([trust.admits(address, pin), trust.admits(address, trackers[0]!.identity.id)]).toEqual([true, false]);
    trust.learn({ address, shownId: pin }, LOG_ID, []);
    await trust.settled();
    expect(remembered()).toEqual({ [address]: pin });
    expect((await opened([{ ...trackers[0]!.entry(), trackerId: pin }])).overruled()).toEqual([]);
  });

  test('a key that another tracker has read in the log does not take the place of one that was trusted', async () => {
    const [one, two] = trackers.map((tracker) => tracker.entry({ pinned: false }));
    await run([one!, two!]);
    const trust = await opened([one!, two!]);
    const impostor = await PlayedTracker.start();
    const known = [
      ...trackers.map((tracker) => tracker.asKnown()),
      { ...impostor.asKnown(), address: trackers[1]!.asKnown().address },
    ];
    trust.learn({ address: known[0]!.address, shownId: trackers[0]!.identity.id }, LOG_ID, known);
    expect(trust.admits(known[1]!.address, impostor.identity.id)).toBe(false);
    expect(trust.admits(known[1]!.address, trackers[1]!.identity.id)).toBe(true);
    await Promise.all([impostor.kill(), trust.settled()]);
  });

  test('of a tracker that is new every key counts that stands in the log for its address, and no other', async () => {
    const [one, two] = [trackers[0]!.entry(), trackers[1]!.entry({ pinned: false })];
    const trust = await opened([one, two]);
    const impostor = await PlayedTracker.start();
    const { address } = trackers[1]!.asKnown();
    const ids = [trackers[1]!.identity.id, impostor.identity.id];
    const admitted = (): boolean[] => [...ids, 'ef'.repeat(32)].map((id) => trust.admits(address, id));
    expect(admitted()).toEqual([false, false, false]);
    const known = [trackers[0]!.asKnown(), trackers[1]!.asKnown(), { ...impostor.asKnown(), address }];
    trust.learn({ address: known[0]!.address, shownId: trackers[0]!.identity.id }, LOG_ID, known.slice(0, 2));
    expect(admitted()).toEqual([true, false, false]);
    trust.learn({ address: known[0]!.address, shownId: trackers[0]!.identity.id }, LOG_ID, known);
    expect(admitted()).toEqual([true, true, false]);
    await Promise.all([impostor.kill(), trust.settled()]);
  });

  test('a tracker that shows another key than the pinned one gets not one request', async () => {
    const impostor = { ...trackers[0]!.entry(), trackerId: 'ef'.repeat(32) };
    const started = await start([impostor]);
    const event = await started.seen(({ type }) => type === 'tracker_key_changed');
    expect(event).toMatchObject({ expected: 'ef'.repeat(32), shown: trackers[0]!.identity.id });
    const said = loud({ shown: trackers[0]!.identity.id, expected: 'ef'.repeat(32) });
    expect(started.link.trackers()).toMatchObject([
      { state: 'refused', active: false, trouble: { reason: 'key_changed', detail: said } },
    ]);
    const refused = { code: 'tracker_unavailable', detail: said };
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject(refused);
    expect(started.link.outage()).toEqual(refused);
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
    const keys = { shown: other.identity.id, expected: trackers[0]!.identity.id };
    expect(await second.seen(({ type }) => type === 'tracker_key_changed')).toMatchObject(keys);
    expect(second.link.trackers()).toMatchObject([{ state: 'refused', trouble: { detail: loud(keys) } }]);
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
