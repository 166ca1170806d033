// Owns the system that a Prometheus watches in tests: the demo's, with the demo's main job done, and beside it a peer that keeps copies,
// looks for damage fast and is limited, so that every figure has something to tell.
import { randomBytes } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { playStory } from '../../infra/demo/story.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import type { LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { runCohort } from '../../infra/quick-start/node-process.ts';
import { until } from '../../infra/quick-start/until.ts';
import type { Targets } from './prometheus.ts';

const MIB = 1024 * 1024;
const PASSWORD = 'demo-password';
/** The group of the demo. */
export const GROUP = 'friends';
/** One thread alone is soon at work all the time. */
const KEEPER_FLAGS = ['--scrub-rate', '1GB', '--keep-copies-limit', '64MiB', '--workers', '1'];

/** A peer of the watched system, and who is logged in there. */
export interface WatchedPeer extends LocalPeer {
  readonly user: string;
}

/** Does the demo's main job and starts the keeper, who is a member too and shares a file. */
export async function beginWatched(system: LocalSystem): Promise<WatchedPeer> {
  await playStory(system, { bigBytes: 16 * MIB, tell: () => undefined });
  const flags = [...KEEPER_FLAGS, '--keep-copies', join(system.folder, 'kept')];
  const keeper = await joined(system, { user: 'keeper', flags });
  await shared(system, keeper, { name: 'kept.bin', totalBytes: 2 * MIB });
  const limits = { uploadBytesPerSecond: 1e9, downloadBytesPerSecond: 1e9, activeTransfers: 100, groups: [] };
  await expectOk('limits', keeper.control.request('PUT', '/limits', { body: limits }));
  return keeper;
}

/** A new peer whose user is a member of the group. */
export async function joined(
  system: LocalSystem,
  { user, ...options }: { user: string; flags?: readonly string[]; environment?: Readonly<Record<string, string>> },
): Promise<WatchedPeer> {
  const peer = { ...(await system.startPeer(user, options)), user };
  const owner = peerOf(system, 'alice');
  await expectOk('create_user', peer.control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', peer.control.command('login', { user, password: PASSWORD }));
  await expectOk('join_group', peer.control.command('join_group', { group: GROUP }));
  await expectOk('accept_request', owner.control.command('accept_request', { group: GROUP, user }));
  return peer;
}

/** Shares a new file, and returns its path. */
export async function shared(
  system: LocalSystem,
  { control, user }: WatchedPeer,
  { name, totalBytes }: { name: string; totalBytes: number },
): Promise<string> {
  const folder = join(system.folder, `files-of-${user}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), randomBytes(totalBytes));
  // A time that can be set again.
  await utimes(join(folder, name), 1, 1);
  const upload = { group: GROUP, path: join(folder, name), wait: true };
  await expectOk('upload_file', control.command('upload_file', upload));
  return join(folder, name);
}

/** Begins a download into a folder of the system; nobody waits for its end. */
export async function beginDownload(
  control: ControlApi,
  { file, destination }: { file: string; destination: string },
): Promise<void> {
  await mkdir(destination, { recursive: true });
  await expectOk('download_file', control.command('download_file', { group: GROUP, file, destination }));
}

/** A peer of the demo. */
export function peerOf(system: LocalSystem, name: string): LocalPeer {
  return system.peers.find((peer) => peer.name === name)!;
}

/** Whom a Prometheus asks of the system. */
export function targetsOf({ trackers, peers }: LocalSystem): Targets {
  return {
    trackers: trackers.map(({ http }) => new URL(http).host),
    peers: peers.map(({ control }) => new URL(control.url).host),
  };
}

/** Does once what is told only when it has happened. Returns the way to end what goes on. */
export async function happenOnce(system: LocalSystem, keeper: WatchedPeer): Promise<() => void> {
  const stopping = new AbortController();
  const headers = { authorization: `Bearer ${keeper.control.token}`, accept: 'text/event-stream' };
  const events = await fetch(`${keeper.control.url}/api/v1/events`, { headers, signal: stopping.signal });
  // The tracker that commands go to, after the other one was killed.
  const tracker = system.trackers[1];
  await keeper.control.command('join_group', { group: GROUP });
  const key = (await runCohort(['audit-keys', 'create', 'Ada', '--data-dir', tracker!.dataDirectory])).trim();
  await fetch(`${tracker!.http}/audit/log?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  await strangerAt(tracker!.address);
  await until('a whole round was scrubbed', async () =>
    (await figuresAt(keeper.control.url)).includes('scrub_round_end'),
  );
  return () => {
    if (!events.bodyUsed) stopping.abort();
  };
}

/** What stands in a /metrics, without its comments. */
export async function figuresAt(url: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.replaceAll(/^#.*\n/gm, '');
}

/** Says something that is no TLS, and waits until it is cut off. */
async function strangerAt(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname, port: Number(port) });
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve()).once('error', () => undefined);
    socket.end('GET / HTTP/1.0\r\n\r\n');
  });
}
