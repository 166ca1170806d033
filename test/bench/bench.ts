// `npm run bench`: how fast a file goes from one seeder, and from three, to one downloader on this machine, encrypted and
// verified, as a ratio to a raw copy over loopback TCP taken right before each run. Every peer is a process of its own.
//   npm run bench -- --size 1GiB --runs 5 --workers 2 --seeders 1,3 --plain --sparse --scratch /dev/shm
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { idOfPublicKey } from '#identity/identity';
import { sealGrant } from '#wire/grant';
import type { Address, Digested } from '../../apps/peer/src/swarm/transfer-engine.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import type { PeerCall, Usage } from './bench-peer.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    runs: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    seeders: { type: 'string', default: '1,3' },
    scratch: { type: 'string', default: tmpdir() },
    piece: { type: 'string' },
    plain: { type: 'boolean', default: false },
    sparse: { type: 'boolean', default: false },
  },
});

const SHARE = { groupId: 1, shareId: 2 };
const LOG_ID = '00'.repeat(32);
const tracker = generateKeyPairSync('ed25519');
const publicKeyDer = tracker.publicKey.export({ type: 'spki', format: 'der' });
const trackerId = idOfPublicKey(publicKeyDer);

/** Bytes that a text like 64MiB stands for. */
function bytesOf(text: string): number {
  const [, amount, unit] = /^(\d+)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) throw new Error(`"${text}" is not a size like 512MiB or 8GiB`);
  return Number(amount) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);
}

/** A peer process that is asked over IPC. */
class BenchPeer {
  readonly folder: string;
  peerId = '';
  address: Address = { host: '', port: 0 };
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastCall = 0;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder);
    this.#process = fork(new URL('./bench-peer.ts', import.meta.url), { serialization: 'advanced' });
    this.#process.on('message', ({ number, value, error }: { number: number; value: unknown; error?: string }) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
  }

  async open(): Promise<void> {
    const trust = { logId: LOG_ID, trackers: [{ trackerId, publicKeyDer }] };
    const { workers, plain } = flags;
    const opened = await this.ask<{ peerId: string; address: Address }>({
      kind: 'open',
      folder: this.folder,
      workers: Number(workers),
      plain,
      trust,
    });
    this.peerId = opened.peerId;
    this.address = opened.address;
  }

  ask<Value>(call: PeerCall): Promise<Value> {
    const number = ++this.#lastCall;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#process.send({ number, call });
    }) as Promise<Value>;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}

interface Run {
  readonly seconds: number;
  readonly rawSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** What the seeder that delivered most delivered, as a ratio to the mean of all. */
  readonly largestShare: number;
}

/** What one download took, and what each seeder delivered of it. */
interface Transfer {
  readonly seconds: number;
  readonly deliveredBytes: readonly number[];
}

/** Seconds of one raw copy of the file. */
async function rawCopy(source: string, target: string): Promise<number> {
  const script = new URL('./raw-copy.ts', import.meta.url);
  const sender = fork(script, ['send', source]);
  const { port } = await nextMessage<{ port: number }>(sender);
  const receiver = fork(script, ['receive', target, String(port)]);
  const { seconds } = await nextMessage<{ seconds: number }>(receiver);
  sender.kill('SIGKILL');
  receiver.kill('SIGKILL');
  rmSync(target);
  return seconds;
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('exit', () => reject(new Error('a process of the benchmark ended early')));
  });
}

async function transfer(peers: readonly BenchPeer[], downloader: BenchPeer, digested: Digested): Promise<Transfer> {
  const { contentId, manifest } = digested;
  const claims = { logId: LOG_ID, trackerId, ...SHARE, contentId, user: 'bench', peerId: downloader.peerId };
  const grant = sealGrant({ ...claims, asOfOffset: 1, expiresAtMs: Date.now() + 600_000 }, (message) =>
    sign(null, message, tracker.privateKey),
  );
  const startMs = performance.now();
  const result = await downloader.ask<{ state: string; reason: unknown; peers: { deliveredBytes: number }[] }>({
    kind: 'download',
    request: {
      share: SHARE,
      contentId,
      totalBytes: manifest.totalBytes,
      pieceBytes: manifest.pieceBytes,
      pieceCount: Math.ceil(manifest.totalBytes / manifest.pieceBytes),
      destination: join(downloader.folder, 'copy'),
      strategy: 'random',
      overwrite: false,
      sources: peers.map(({ peerId, address }) => ({ peerId, user: 'seeder', addresses: [address] })),
      grant,
    },
  });
  if (result.state !== 'complete') throw new Error(`the download ended as ${JSON.stringify(result)}`);
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, deliveredBytes: result.peers.map(({ deliveredBytes }) => deliveredBytes) };
}

async function sha1Of(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

async function oneRun(scratch: string, source: string, seederCount: number): Promise<Run> {
  const rawSeconds = await rawCopy(source, join(scratch, 'raw'));
  const folder = mkdtempSync(join(scratch, 'run-'));
  const seeders = Array.from({ length: seederCount }, (_, number) => new BenchPeer(join(folder, `seeder-${number}`)));
  const downloader = new BenchPeer(join(folder, 'downloader'));
  const everybody = [...seeders, downloader];
  try {
    await Promise.all(everybody.map((peer) => peer.open()));
    const digested = await share(source, seeders);
    const before = await usages(everybody);
    const { seconds, deliveredBytes } = await transfer(seeders, downloader, digested);
    const after = await usages(everybody);
    if ((await sha1Of(join(downloader.folder, 'copy'))) !== digested.manifest.files[0]?.sha1) {
      throw new Error('the copy differs from the source');
    }
    const cpuSeconds = sum(after, (usage) => usage.cpuSeconds) - sum(before, (usage) => usage.cpuSeconds);
    const largestShare = (Math.max(...deliveredBytes) * seederCount) / sum(deliveredBytes, (bytes) => bytes);
    const peakBytes = Math.max(...after.map((usage) => usage.peakBytes));
    return { seconds, rawSeconds, cpuSeconds, peakBytes, largestShare };
  } finally {
    await Promise.all(everybody.map((peer) => peer.stop()));
    rmSync(folder, { recursive: true });
  }
}

let shared: Digested | null = null;

/** Digests once; every seeder serves the same file. */
async function share(source: string, seeders: readonly BenchPeer[]): Promise<Digested> {
  const pieceBytes = flags.piece === undefined ? {} : { pieceBytes: bytesOf(flags.piece) };
  const startMs = performance.now();
  const isFirst = shared === null;
  shared ??= (await seeders[0]?.ask<Digested>({ kind: 'digest', path: source, ...pieceBytes })) ?? null;
  if (shared === null) throw new Error('there is no seeder');
  if (isFirst)
    say(
      `sharing (piece digests and whole-file SHA-1): ${rate(shared.manifest.totalBytes, performance.now() - startMs)}`,
    );
  const digested = shared;
  await Promise.all(
    seeders.map((seeder) => seeder.ask({ kind: 'serve', request: { share: SHARE, path: source, ...digested } })),
  );
  return digested;
}

function usages(peers: readonly BenchPeer[]): Promise<Usage[]> {
  return Promise.all(peers.map((peer) => peer.ask<Usage>({ kind: 'usage' })));
}

function sum<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

function rate(bytes: number, milliseconds: number): string {
  return `${Math.round(bytes / 1048.576 / milliseconds)} MiB/s`;
}

function makeSource(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  if (flags.sparse) ftruncateSync(file, bytes);
  const block = 16 * 1024 * 1024;
  for (let at = 0; at < bytes && !flags.sparse; at += block) {
    writeSync(file, randomBytes(Math.min(block, bytes - at)), 0, undefined, at);
  }
  closeSync(file);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function describeRuns(seederCount: number, runs: readonly Run[], bytes: number): void {
  const seconds = median(runs.map((run) => run.seconds));
  const rawSeconds = median(runs.map((run) => run.rawSeconds));
  const cpuPerGib = (median(runs.map((run) => run.cpuSeconds)) * 2 ** 30) / bytes;
  say(
    [
      `${seederCount} seeder${seederCount === 1 ? '' : 's'}:`,
      `${seconds.toFixed(2)} s (${rate(bytes, seconds * 1000)})`,
      `raw copy ${rawSeconds.toFixed(2)} s`,
      `ratio ${(seconds / rawSeconds).toFixed(2)}`,
      `CPU ${cpuPerGib.toFixed(2)} s/GiB`,
      `peak resident ${Math.round(Math.max(...runs.map((run) => run.peakBytes)) / 2 ** 20)} MiB`,
      `largest share ${median(runs.map((run) => run.largestShare)).toFixed(2)} of the mean [${runs.map((run) => run.largestShare.toFixed(2)).join(' ')}]`,
      `all [${runs.map((run) => run.seconds.toFixed(2)).join(' ')}]`,
    ].join('  '),
  );
}

const bytes = bytesOf(flags.size);
const scratch = mkdtempSync(join(flags.scratch, 'cohort-bench-'));
try {
  say(machineLine());
  say(
    `${flags.size}${flags.sparse ? ' sparse' : ''}, ${flags.runs} runs, ${flags.workers} workers, ${flags.plain ? 'plain' : 'TLS 1.3'}, SHA-1 verified`,
  );
  const source = join(scratch, 'source');
  makeSource(source, bytes);
  for (const seederCount of flags.seeders.split(',').map(Number)) {
    const runs: Run[] = [];
    while (runs.length < Number(flags.runs)) runs.push(await oneRun(scratch, source, seederCount));
    describeRuns(seederCount, runs, bytes);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
