// Owns the same between whole peers without TLS, driven over HTTP: a seeder whose file changes by one byte behind its back, its
// time of change included, or that others reach through a relay which changes one byte. When it is of no use any more another
// member adopts a copy, and the download has to finish with the right bytes.
import { copyFile, mkdir, open, rm, utimes } from 'node:fs/promises';
import type { TransferView } from '#wire/control-api';
import { sha1Of } from '../../infra/demo/files.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { Cluster, type TestPeer, until } from '../e2e/cluster.ts';
import { MutatingRelay } from './mutating-relay.ts';

const GROUP = 'soak';
const TOTAL_BYTES = 3 * 512 * 1024 + 1000;
const STREAM_BYTES = { down: TOTAL_BYTES, up: 900 };
/** A frame can wait for bytes that never come: it is given up after five seconds. */
const USELESS_MS = 20_000;
const END_MS = 60_000;
/** Whole seconds can be set again exactly. */
const FILE_TIME = 1_700_000_000;

export interface PeerMutationReport {
  onDisk: number;
  onWire: number;
  named: number;
}

interface Cast {
  readonly cluster: Cluster;
  readonly relay: MutatingRelay;
  readonly victim: TestPeer;
  readonly good: TestPeer;
  readonly downloader: TestPeer;
}

/** Runs so many trials, half of them on disk. Throws at the first wrong byte or hang. */
export async function mutatePeers(options: {
  readonly trials: number;
  readonly random: () => number;
  readonly say: (line: string) => void;
}): Promise<PeerMutationReport> {
  const cluster = await Cluster.start({ trackerCount: 1 });
  const [port = 0] = await freePorts('127.0.0.1', [0]);
  const relay = await MutatingRelay.start(() => ({ host: '127.0.0.1', port }));
  try {
    const plain = ['--plain', '--workers', '1'];
    const reached = { address: `127.0.0.1:${port}`, flags: [...plain, '--advertise', `127.0.0.1:${relay.port}`] };
    const victim = await cluster.user('victim', reached);
    const [good, downloader] = [
      await cluster.user('good', { flags: plain }),
      await cluster.user('downloader', { flags: plain }),
    ];
    await cluster.group(GROUP, victim, good, downloader);
    await mkdir(cluster.path('fetched'));
    const report = { onDisk: 0, onWire: 0, named: 0 };
    for (let number = 0; report.onDisk + report.onWire < options.trials; number++) {
      await trial({ cluster, relay, victim, good, downloader }, { ...options, number, report });
    }
    return report;
  } finally {
    await cluster.stop();
    await relay.stop();
  }
}

async function trial(
  cast: Cast,
  context: { readonly random: () => number; readonly number: number; readonly report: PeerMutationReport },
): Promise<void> {
  const { cluster, relay, victim, downloader } = cast;
  const { random, number, report } = context;
  const file = `film-${number}.bin`;
  const path = await cluster.file(file, TOTAL_BYTES);
  const copy = cluster.path(`copy-${number}.bin`);
  await copyFile(path, copy);
  await utimes(path, FILE_TIME, FILE_TIME);
  await victim.upload(GROUP, path);
  const bits = 1 + Math.floor(random() * 255);
  const isOnDisk = number % 2 === 0;
  const direction = random() < 0.8 ? 'down' : 'up';
  if (isOnDisk) await turnByte(path, Math.floor(random() * TOTAL_BYTES), bits);
  else relay.arm({ direction, position: Math.floor(random() * STREAM_BYTES[direction]), bits });
  const transferId = await downloader.begin(GROUP, file, cluster.path('fetched'));
  await finish(cast, { transferId, file, copy });
  const done = await downloader.transfer(transferId);
  if ((await sha1Of(done.path)) !== (await sha1Of(copy))) throw new Error(`${file}: a wrong byte in a finished file`);
  const wasThere = isOnDisk || relay.hasMutated;
  relay.arm(null);
  if (wasThere && isOnDisk) report.onDisk++;
  else if (wasThere) report.onWire++;
  if (wasThere && done.peers.some(({ user, state }) => user === 'victim' && state === 'dropped')) report.named++;
  await downloader.control.delete(`/transfers/${transferId}?data=delete`);
  await Promise.all([path, copy].map((each) => rm(each)));
}

/** Changes a byte of a file, and nothing that a peer could notice without reading it. */
async function turnByte(path: string, position: number, bits: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    await file.write(Buffer.of((buffer[0] ?? 0) ^ bits), 0, 1, position);
  } finally {
    await file.close();
  }
  await utimes(path, FILE_TIME, FILE_TIME);
}

/** Waits for the end; with the help of another seeder when the first one is of no use any more. */
async function finish(
  { good, downloader }: Cast,
  { transferId, file, copy }: { readonly transferId: string; readonly file: string; readonly copy: string },
): Promise<void> {
  const isOver = ({ state }: TransferView): boolean => state === 'complete' || state === 'seeding';
  const isStuck = ({ state, peers }: TransferView): boolean =>
    state === 'stalled' || peers.some((peer) => peer.state === 'dropped');
  const seen = await downloader.untilTransfer(
    transferId,
    'over or stuck',
    (transfer) => isOver(transfer) || isStuck(transfer),
    USELESS_MS,
  );
  if (isOver(seen)) return;
  await good.accepted('seed_file', { group: GROUP, file, path: copy });
  await until('the download is complete', async () => isOver(await downloader.transfer(transferId)), END_MS);
}
