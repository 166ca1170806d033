// Owns the story of the demo, told to a running system through the peers' HTTP endpoints alone: three users, a group, files of
// every awkward size, downloads from two peers at once, and a tracker that is killed in the middle.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ControlApi, expectOk } from '../quick-start/control-api.ts';
import type { LocalSystem } from '../quick-start/local-system.ts';
import { until } from '../quick-start/until.ts';
import { sha1Of, writeRandomFile } from './files.ts';

/** What the demo reads of a transfer. */
export interface TransferFacts {
  readonly transferId: string;
  readonly file: string;
  readonly state: string;
  readonly sha1: string | null;
  readonly path: string;
  readonly totalBytes: number;
  readonly verifiedBytes: number;
  readonly peers: readonly { readonly user: string; readonly deliveredBytes: number }[];
}

/** One finished download, checked against what was shared. */
export interface DownloadReport {
  readonly user: string;
  readonly file: string;
  readonly totalBytes: number;
  readonly seconds: number;
  readonly sharedSha1: string;
  readonly sha1: string;
  /** Verified bytes by the user who sent them. */
  readonly from: ReadonlyMap<string, number>;
}

/** What happened. */
export interface StoryReport {
  readonly downloads: readonly DownloadReport[];
  readonly uploadSeconds: number;
  /** From the kill to the answer of the next command. */
  readonly failoverSeconds: number;
  /** How much of carol's download was there at the kill, 0 to 1. */
  readonly killedAt: number;
}

const GROUP = 'friends';
const PASSWORD = 'demo-password';
const PIECE_BYTES = 512 * 1024;
const BIG = 'big.bin';
/** Beside the big one: every size at which pieces begin or end. */
const SMALL_FILES: readonly (readonly [string, number])[] = [
  ['empty.bin', 0],
  ['one-byte.bin', 1],
  ['one-piece.bin', PIECE_BYTES],
  ['one-piece-and-a-byte.bin', PIECE_BYTES + 1],
];

export interface StoryOptions {
  readonly bigBytes: number;
  /** Told each step as it begins. */
  readonly tell: (step: string) => void;
}

/** Plays the story on a system whose trackers run. */
export async function playStory(system: LocalSystem, { bigBytes, tell }: StoryOptions): Promise<StoryReport> {
  tell('three peers start; alice, bob and carol are made and log in');
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((user) => enter(system, user)));
  tell(`alice makes the group ${GROUP}; bob and carol ask to join, and she accepts`);
  await formGroup(alice!, [bob!, carol!]);
  tell('alice shares five files');
  const shared = await shareFiles(system, alice!, bigBytes);
  tell('bob downloads all of them');
  const files = [...shared.digests.keys()];
  const ofBob: DownloadReport[] = [];
  for (const file of files) ofBob.push(await download(system, bob!, { file, digests: shared.digests }));
  tell('carol downloads from alice and bob at once; tracker 1 is killed in the middle');
  const running = download(system, carol!, { file: BIG, digests: shared.digests });
  const [big, kill] = await Promise.all([running, killAndGoOn(system, { bystander: bob!, downloader: carol! })]);
  tell('tracker 1 starts again; carol downloads the small files');
  await system.restartTracker(1);
  const ofCarol = [big];
  for (const file of files.filter((name) => name !== BIG)) {
    ofCarol.push(await download(system, carol!, { file, digests: shared.digests }));
  }
  return { downloads: [...ofBob, ...ofCarol], uploadSeconds: shared.seconds, ...kill };
}

/** A user at a peer. */
interface Actor {
  readonly user: string;
  readonly control: ControlApi;
}

async function enter(system: LocalSystem, user: string): Promise<Actor> {
  const { control } = await system.startPeer(user);
  const actor = { user, control };
  await tellPeer(actor, 'create_user', { user, password: PASSWORD });
  await tellPeer(actor, 'login', { user, password: PASSWORD });
  return actor;
}

async function formGroup(owner: Actor, others: readonly Actor[]): Promise<void> {
  await tellPeer(owner, 'create_group', { group: GROUP });
  for (const other of others) {
    await tellPeer(other, 'join_group', { group: GROUP });
    await tellPeer(owner, 'accept_request', { group: GROUP, user: other.user });
  }
}

async function shareFiles(
  system: LocalSystem,
  owner: Actor,
  bigBytes: number,
): Promise<{ digests: ReadonlyMap<string, string>; seconds: number }> {
  const folder = join(system.folder, 'files-of-alice');
  await mkdir(folder);
  const digests = new Map<string, string>();
  let seconds = 0;
  for (const [file, totalBytes] of [[BIG, bigBytes] as const, ...SMALL_FILES]) {
    const path = join(folder, file);
    await writeRandomFile(path, totalBytes);
    digests.set(file, await sha1Of(path));
    const begin = performance.now();
    await tellPeer(owner, 'upload_file', { group: GROUP, path, wait: true });
    seconds += (performance.now() - begin) / 1000;
  }
  return { digests, seconds };
}

async function download(
  system: LocalSystem,
  { user, control }: Actor,
  { file, digests }: { file: string; digests: ReadonlyMap<string, string> },
): Promise<DownloadReport> {
  const destination = join(system.folder, `files-of-${user}`);
  await mkdir(destination, { recursive: true });
  const begin = performance.now();
  await tellPeer({ user, control }, 'download_file', { group: GROUP, file, destination, wait: true });
  const seconds = (performance.now() - begin) / 1000;
  const transfer = (await downloadsOf(control)).find((candidate) => candidate.file === file)!;
  const from = new Map<string, number>();
  for (const peer of transfer.peers) from.set(peer.user, (from.get(peer.user) ?? 0) + peer.deliveredBytes);
  const sha1 = await sha1Of(join(destination, file));
  return { user, file, totalBytes: transfer.totalBytes, seconds, sharedSha1: digests.get(file)!, sha1, from };
}

/** Kills tracker 1 while the downloader has part of the big file, and times the next command of a bystander. */
async function killAndGoOn(
  system: LocalSystem,
  { bystander, downloader }: { bystander: Actor; downloader: Actor },
): Promise<Pick<StoryReport, 'failoverSeconds' | 'killedAt'>> {
  const killedAt = await until('carol has a part of the file', async () => {
    const transfer = (await downloadsOf(downloader.control)).find(({ file }) => file === BIG);
    return transfer !== undefined && transfer.verifiedBytes > 0 && transfer.verifiedBytes / transfer.totalBytes;
  });
  const begin = performance.now();
  await system.trackers[0]!.process.kill();
  await tellPeer(bystander, 'create_group', { group: 'made-while-tracker-1-was-down' });
  return { failoverSeconds: (performance.now() - begin) / 1000, killedAt };
}

/** The downloads of a peer. */
async function downloadsOf(control: ControlApi): Promise<readonly TransferFacts[]> {
  const { items } = await expectOk(
    'GET /transfers',
    control.get<{ items: (TransferFacts & { direction: string })[] }>('/transfers'),
  );
  return items.filter(({ direction }) => direction === 'download');
}

function tellPeer({ user, control }: Actor, command: string, body: object): Promise<unknown> {
  return expectOk(`${command} by ${user}`, control.command(command, body));
}
