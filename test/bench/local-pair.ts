// Owns a seeder and a downloader in one group, as whole peers with a tracker, for benchmarks that drive them over HTTP.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import { type LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';

export const GROUP = 'bench';
const PASSWORD = 'bench password';

/** Where whole peers run, and with how many workers each. */
export interface PairPlace {
  readonly scratch: string;
  readonly workers: string;
  /** A tracker_info.txt of its own for the downloader. */
  readonly downloaderInfo?: string;
}

/** A seeder and a downloader, in one group. */
export interface Pair {
  readonly seeder: LocalPeer;
  readonly downloader: LocalPeer;
}

/** Runs with a system of its own, and leaves nothing of it. */
export async function withSystem<Result>(
  { scratch }: PairPlace,
  run: (system: LocalSystem) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(scratch, 'cohort-pair-'));
  const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
  try {
    await system.startTrackers();
    return await run(system);
  } finally {
    await system.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A peer with a user of its own. */
export async function enter(
  system: LocalSystem,
  user: string,
  { workers, trackerInfo }: Pick<PairPlace, 'workers'> & { readonly trackerInfo?: string },
): Promise<LocalPeer> {
  const own = trackerInfo === undefined ? {} : { trackerInfo };
  const peer = await system.startPeer(user, { flags: ['--workers', workers], ...own });
  await expectOk('create_user', peer.control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', peer.control.command('login', { user, password: PASSWORD }));
  return peer;
}

/** Both, in the group. */
export async function enterPair(system: LocalSystem, place: PairPlace): Promise<Pair> {
  const { workers, downloaderInfo } = place;
  const own = downloaderInfo === undefined ? {} : { trackerInfo: downloaderInfo };
  const seeder = await enter(system, 'seeder', { workers });
  const downloader = await enter(system, 'downloader', { workers, ...own });
  await expectOk('create_group', seeder.control.command('create_group', { group: GROUP }));
  await expectOk('join_group', downloader.control.command('join_group', { group: GROUP }));
  const request = { group: GROUP, user: 'downloader' };
  await expectOk('accept_request', seeder.control.command('accept_request', request));
  return { seeder, downloader };
}

/** Forgets every transfer of a peer, with what it downloaded or without. Throws when one is not complete. */
export async function forgetDownloads({ control }: LocalPeer, data: 'delete' | 'keep' = 'delete'): Promise<void> {
  const { items } = await expectOk(
    'GET /transfers',
    control.get<{ items: { transferId: string; state: string }[] }>('/transfers'),
  );
  for (const { transferId, state } of items) {
    if (state !== 'complete') throw new Error(`a download is ${state}`);
    await expectOk('DELETE', control.delete(`/transfers/${transferId}?data=${data}`));
  }
}
