import { expect, it, vi } from 'vitest';
import { ViewService } from '../../../../apps/tracker/src/control/view-service.ts';
import type { GrantIssuer } from '../../../../apps/tracker/src/grants/grants.ts';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';
import type { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { CONTENT_ID, LogInMemory, peerOf } from '../../domain/log-of.ts';

it('a page of copies costs what it shows, and goes on where the last one ended', async () => {
  const log = LogInMemory.started();
  log.signUp('alice', 'bob');
  log.group('films', 'alice', 'bob');
  const shareIds = Array.from({ length: 30 }, (_, number) => log.share('alice', 'films', `f${number}`).outcomeOffset);
  log.as('bob', 'seed_file', { group: 'films', file: 'f1', contentId: CONTENT_ID });
  const presence = new PresenceTable({ now: () => 0, hasSession: () => true });
  presence.update(peerOf('bob'), { addresses: ['192.0.2.1:1'], downloading: [], transport: 'tls' });
  const replica = {
    state: log.state,
    readiness: { ready: true },
    waitUntilApplied: async () => true,
  } as unknown as Replica;
  const views = new ViewService({ replica, presence, grants: {} as GrantIssuer, now: () => 0 });
  const lookedUp = vi.spyOn(presence, 'downloadersOf');
  const page = async (request: { after?: string; only?: 'last'; limit: number }) => {
    const answer = await views.copies(
      { of: 'peer', seenOffset: 0, ...request },
      { peerId: peerOf('alice'), address: '192.0.2.1' },
    );
    if (answer.status !== 'accepted') return expect.fail(JSON.stringify(answer));
    const { items, next } = answer.view;
    return { items: items.map(({ shareId, completeCopies }) => [shareId, completeCopies]), next };
  };
  const [first, second, third] = shareIds;
  expect(await page({ limit: 2 })).toEqual({
    items: [
      [first, 0],
      [second, 1],
    ],
    next: String(second),
  });
  expect(lookedUp.mock.calls.length).toBeLessThanOrEqual(3);
  expect(await page({ limit: 1, after: String(second) })).toMatchObject({ items: [[third, 0]] });
  expect(await page({ limit: 2, only: 'last' })).toMatchObject({
    items: [
      [first, 0],
      [third, 0],
    ],
  });
});
