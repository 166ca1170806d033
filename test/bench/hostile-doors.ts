// Owns the doors that `npm run bench:hostile` knocks at, each as it is run: a tracker's port for peers, a peer's control
// endpoint and its port for other peers; and what a good client does there all the time.
import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadOrCreateIdentity } from '#identity/identity';
import { hostPortOf } from '#identity/start-input';
import type { HostPort } from '#wire/host-port';
import { writeRandomFile } from '../../infra/demo/files.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { signedGrant } from '../granting-tracker.ts';
import { BenchPeer, digestOf } from './bench-swarm.ts';
import { CrowdPeer, type Reply } from './crowd-peer.ts';
import type { HostileTarget } from './hostile-process.ts';
import { newIdentity } from './new-identity.ts';
import { PieceClient } from './piece-client.ts';

/** One thing that a good client does again and again. */
export interface Work {
  readonly name: string;
  /** Does it once. */
  readonly run: () => Promise<void>;
}

export interface Door {
  readonly name: string;
  readonly target: HostileTarget;
  /** Of the process behind it. */
  readonly pid: number;
  readonly works: readonly Work[];
  close(): Promise<void>;
}

const PASSWORD = 'bench password';
const GROUP = 'room';
const FILE = 'published.bin';
const CONTENT = { totalBytes: 1, pieceBytes: 524_288, pieceCount: 1, hash: 'sha1' };
const BLOCK_BYTES = 128 * 1024;
const SHARE = { groupId: 1, shareId: 2 };

/** A tracker, and a peer of it that publishes files, looks up who has one, and comes anew. */
async function trackerDoor(folder: string): Promise<Door> {
  const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
  await system.startTrackers();
  const [tracker] = system.trackers;
  const address = hostPortOf('the tracker', tracker!.address);
  const good = new CrowdPeer(await newIdentity(), address);
  await good.connect();
  await good.command('create_user', { user: 'good', password: PASSWORD }, null);
  await good.command('login', { user: 'good', password: PASSWORD }, null);
  await good.command('create_group', { group: GROUP }, 'good');
  const publish = (file: string): Promise<void> =>
    good.command('upload_file', { group: GROUP, file, contentId: randomBytes(32).toString('hex'), ...CONTENT }, 'good');
  await publish(FILE);
  const lookUp = { seenOffset: -1, group: GROUP, file: FILE };
  const newcomer = await newIdentity();
  return {
    name: 'tracker',
    target: { speaks: 'rpc', port: address.port },
    pid: tracker!.process.pid,
    works: [
      { name: 'command', run: () => publish(randomUUID()) },
      { name: 'look-up', run: async () => expectAccepted(await good.ask('find_sources', lookUp)) },
      { name: 'new connection', run: () => enter(new CrowdPeer(newcomer, address)) },
    ],
    close: async () => {
      good.disconnect();
      await system.stop();
    },
  };
}

async function enter(peer: CrowdPeer): Promise<void> {
  await peer.connect();
  expectAccepted(await peer.ask('hello', {}));
  peer.disconnect();
}

function expectAccepted({ status, reason, code }: Reply): void {
  if (status !== 'accepted') throw new Error(`answered ${reason ?? code}`);
}

/** A peer's control endpoint, asked over a connection that is kept, as pages do, and over a new one each time, as commands do. */
async function controlDoor(folder: string): Promise<Door> {
  const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
  await system.startTrackers();
  const { control, process } = await system.startPeer('good');
  for (const name of ['create_user', 'login']) {
    await expectOk(name, control.command(name, { user: 'good', password: PASSWORD }));
  }
  await expectOk('create_group', control.command('create_group', { group: GROUP }));
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    name: 'control endpoint',
    target: { speaks: 'http', port: Number(new URL(control.url).port) },
    pid: process.pid,
    works: [
      { name: 'view', run: () => view(control, `/groups/${GROUP}/files`, kept) },
      { name: 'new connection', run: () => view(control, '/transfers', new Agent()) },
    ],
    close: async () => {
      kept.destroy();
      await system.stop();
    },
  };
}

function view({ url, token }: ControlApi, path: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get(`${url}/api/v1${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      text(answer).then(
        () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))),
        reject,
      );
    });
    asked.once('error', reject);
  });
}

/** A peer that serves a file, and another one that fetches blocks of it, and comes anew. */
async function peerDoor(folder: string): Promise<Door> {
  const source = join(folder, 'source');
  await writeRandomFile(source, 8 * BLOCK_BYTES);
  const { digested } = await digestOf(source, { scratch: folder, workers: 1, pieceBytes: null });
  const seeder = new BenchPeer(join(folder, 'seeder'));
  await seeder.open({ workers: 2, plain: false });
  await seeder.ask({ kind: 'serve', request: { share: SHARE, path: source, ...digested } });
  const identity = await loadOrCreateIdentity(join(folder, 'good'));
  const { contentId } = digested;
  const grant = signedGrant({ ...SHARE, contentId, user: 'good', peerId: identity.id });
  const address: HostPort = seeder.address;
  const good = await PieceClient.open({ identity, address, grant });
  return {
    name: "peer's listener",
    target: { speaks: 'frames', port: address.port },
    pid: seeder.pid,
    works: [
      { name: 'block', run: () => good.block({ piece: 0, begin: 0 }, BLOCK_BYTES) },
      {
        name: 'new connection',
        run: async () => (await PieceClient.open({ identity, address, grant })).close(),
      },
    ],
    close: async () => {
      good.close();
      await seeder.stop();
    },
  };
}

/** By the name that is typed for each. */
export const DOORS: Readonly<Record<string, (folder: string) => Promise<Door>>> = {
  tracker: trackerDoor,
  control: controlDoor,
  peer: peerDoor,
};
