// Watching groups over the link, against trackers that the tests play over real connections.
import { describe, expect, test } from 'vitest';
import { WATCHED_GROUPS_MAX } from '#wire/limits';
import type { LinkEvent } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { type PlayedRequest, PlayedTracker } from './played-tracker.ts';
import { allReady, becomes, pinned, type Started, start, trackers } from './started-link.ts';

const watches = ({ pattern, data }: PlayedRequest): object =>
  pattern === 'watch_groups'
    ? { status: 'accepted', view: { groups: data['groups'] } }
    : { status: 'accepted', view: { items: [], next: null } };
const isReset = (group: string) => (event: LinkEvent) => event.type === 'files_reset' && event.group === group;
const changed = (group: string) => ({ type: 'files_changed', offset: 11, group, items: [], removed: [] }) as const;

/** A link whose trackers take watches; the tracker that it watches first is the first of the pair. */
async function startWatching(groups: readonly string[]) {
  for (const tracker of trackers) tracker.play = watches;
  const started = await start(pinned());
  await allReady(started);
  const watch = started.link.watchGroups(groups);
  if (groups[0] !== undefined) await started.seen(isReset(groups[0]));
  const [at, other] = trackers.toSorted((left, right) => right.count('watch_groups') - left.count('watch_groups'));
  return { started, watch, at: at!, other: other! };
}

function watchedAt(tracker: PlayedTracker): unknown {
  return tracker.requests.findLast(({ pattern }) => pattern === 'watch_groups')?.data['groups'];
}

const resets = ({ events }: Started): number => events.filter(({ type }) => type === 'files_reset').length;

describe('watched groups', () => {
  test('are asked of one tracker, and only what it pushes of them is told', async () => {
    const { started, at, other } = await startWatching(['films']);
    expect([watchedAt(at), watchedAt(other)]).toEqual([['films'], undefined]);
    other.push(changed('films'));
    at.push(changed('books'));
    at.push(changed('films'));
    await started.seen(({ type }) => type === 'files_changed');
    const told = started.events.filter(({ type }) => type === 'files_changed');
    expect(told).toMatchObject([{ group: 'films' }]);
  });

  test('are those of everybody who watches, each once, and none when nobody does', async () => {
    const { started, watch, at } = await startWatching(['films']);
    const more = started.link.watchGroups(['films', 'books']);
    await more.begun;
    expect(watchedAt(at)).toEqual(['films', 'books']);
    watch.stop();
    more.stop();
    await expect.poll(() => watchedAt(at)).toEqual([]);
  });

  test('move to the next tracker when theirs goes, and have to be read anew', async () => {
    const { started, at, other } = await startWatching(['films']);
    const before = resets(started);
    await at.kill();
    await other.asked('watch_groups');
    await expect.poll(() => resets(started)).toBe(before + 1);
    other.push(changed('films'));
    await started.seen(({ type }) => type === 'files_changed');
  });

  test('are watched again at a tracker that was away', async () => {
    const { started, at, other } = await startWatching(['films']);
    await Promise.all([at.kill(), other.kill()]);
    await started.seen(becomes(at, 'unreachable'));
    const count = trackers[0]!.count('watch_groups');
    await trackers[0]!.listen();
    await trackers[0]!.asked('watch_groups', count + 1);
    expect(watchedAt(trackers[0]!)).toEqual(['films']);
  });

  test('are asked for again when somebody logs in, who may have them', async () => {
    const { started } = await startWatching([]);
    for (const tracker of trackers) tracker.play = () => ({ status: 'failed', code: 'not_logged_in' });
    await Promise.all(trackers.map((tracker) => tracker.asked('subscribe')));
    await started.link.watchGroups(['films']).begun;
    expect(resets(started)).toBe(0);
    for (const tracker of trackers) tracker.play = watches;
    for (const tracker of trackers) tracker.push({ type: 'session_changed', offset: 99, user: 'bob' });
    await started.seen(isReset('films'));
  });

  test('move to a tracker that is behind once it has caught up', async () => {
    const { started, at, other } = await startWatching(['films']);
    const before = resets(started);
    other.play = (request) =>
      other.count('watch_groups') > 1 ? watches(request) : { status: 'failed', code: 'tracker_behind' };
    await at.kill();
    await expect.poll(() => resets(started), { timeout: 10_000 }).toBe(before + 1);
    expect(other.count('watch_groups')).toBe(2);
  });

  test('are first those of who watches few, when there are too many, and the others are read anew when they change', async () => {
    const many = Array.from({ length: WATCHED_GROUPS_MAX }, (_, number) => `group${number}`);
    const { started, at } = await startWatching(many);
    await started.link.watchGroups(['films']).begun;
    expect(watchedAt(at)).toEqual(['films', ...many.slice(0, -1)]);
    const last = isReset(many.at(-1)!);
    const before = started.events.filter(last).length;
    at.push({ type: 'group_changed', offset: 12, group: many.at(-1)! });
    await expect.poll(() => started.events.filter(last).length).toBe(before + 1);
  });

  test('of which no tracker tells are read anew when their group has changed', async () => {
    const { started, at } = await startWatching([]);
    for (const tracker of trackers) tracker.play = () => ({ status: 'failed', code: 'internal_error' });
    await started.link.watchGroups(['films']).begun;
    expect(resets(started)).toBe(0);
    await at.asked('subscribe');
    at.push({ type: 'group_changed', offset: 12, group: 'films' });
    await started.seen(isReset('films'));
  });
});
