// `npm run bench:stream`: whether random ranges of a download that runs are what was shared, and how soon the first byte of a cold
// seek comes: of a place of the film of which nothing is here yet. Whole peers, encrypted, through HTTP; each range is compared.
//   npm run bench:stream -- --size 1GiB --ranges 1000 --readers 8 --rate 32MiB --seeks 200 --at-most 300 --scratch /dev/shm
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { TransferView } from '#wire/control-api';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { medianOf, quantileOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    ranges: { type: 'string', default: '1000' },
    readers: { type: 'string', default: '8' },
    /** What comes in a second while ranges are read, so that the download runs on. */
    rate: { type: 'string', default: '32MiB' },
    seeks: { type: 'string', default: '200' },
    /** Milliseconds within which 99 of 100 cold seeks have their first byte; more is a failure. */
    'at-most': { type: 'string', default: '300' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

const GROUP = 'films';
const FILE = 'film.mkv';
const PASSWORD = 'bench password';
const RANGE_BYTES_MAX = 256 * 1024;
const FILM_BYTES = sizeOf(flags.size);
const agent = new Agent({ keepAlive: true });

/** What a request for a range came to. */
interface Answer {
  readonly bytes: Buffer;
  readonly firstByteMs: number;
}

/** One range over HTTP. */
function fetchRange(control: ControlApi, begin: number, end: number): Promise<Answer> {
  const headers = { authorization: `Bearer ${control.token}`, range: `bytes=${begin}-${end - 1}` };
  return new Promise((resolve, reject) => {
    const begunMs = performance.now();
    get(`${control.url}/api/v1/groups/${GROUP}/files/${FILE}/content`, { agent, headers }, (answer) => {
      const parts: Buffer[] = [];
      let firstByteMs = NaN;
      answer.on('data', (part: Buffer) => {
        if (parts.length === 0) firstByteMs = performance.now() - begunMs;
        parts.push(part);
      });
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 206) resolve({ bytes: Buffer.concat(parts), firstByteMs });
        else reject(new Error(`${answer.statusCode}: ${Buffer.concat(parts).toString()}`));
      });
    }).on('error', reject);
  });
}

async function enter(system: LocalSystem, user: string): Promise<ControlApi> {
  const { control } = await system.startPeer(user);
  await expectOk('create_user', control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', control.command('login', { user, password: PASSWORD }));
  return control;
}

async function share(path: string, [alice, bob]: readonly [ControlApi, ControlApi]): Promise<void> {
  await expectOk('create_group', alice.command('create_group', { group: GROUP }));
  await expectOk('join_group', bob.command('join_group', { group: GROUP }));
  await expectOk('accept_request', alice.command('accept_request', { group: GROUP, user: 'bob' }));
  await expectOk('upload_file', alice.command('upload_file', { group: GROUP, path, name: FILE, wait: true }));
}

async function limitDownload(control: ControlApi, downloadBytesPerSecond: number | null): Promise<void> {
  const body = { uploadBytesPerSecond: null, downloadBytesPerSecond, activeTransfers: null, groups: [] };
  await expectOk('PUT /limits', control.request('PUT', '/limits', { body }));
}

async function transferOf(control: ControlApi): Promise<TransferView | undefined> {
  const { items } = await expectOk<{ items: TransferView[] }>('GET /transfers', control.get('/transfers'));
  return items.at(-1);
}

/** Ends what there is of the film at a peer. */
async function forget(control: ControlApi): Promise<void> {
  const transfer = await transferOf(control);
  if (transfer !== undefined) {
    await expectOk('DELETE', control.delete(`/transfers/${transfer.transferId}?data=delete`));
  }
}

function isHere({ bitfield, totalBytes, state }: TransferView, at: number): boolean {
  const bits = Buffer.from(bitfield, 'base64');
  const pieceCount = Math.ceil(totalBytes / (512 * 1024));
  const piece = Math.floor((at / totalBytes) * pieceCount);
  return state === 'complete' || ((bits[piece >>> 3] ?? 0) & (0x80 >>> (piece & 7))) !== 0;
}

interface RangesResult {
  readonly wrong: number;
  readonly whileRunning: number;
  readonly firstBytesMs: readonly number[];
}

/** Reads random ranges while a download with a limited rate runs, and compares each with what was shared. */
async function readRanges(control: ControlApi, source: string, folder: string): Promise<RangesResult> {
  await limitDownload(control, sizeOf(flags.rate));
  await expectOk('download_file', control.command('download_file', { group: GROUP, file: FILE, destination: folder }));
  const shared = await open(source);
  const firstBytesMs: number[] = [];
  let left = Number(flags.ranges);
  let [wrong, whileRunning] = [0, 0];
  const reader = async (): Promise<void> => {
    while (left-- > 0) {
      const begin = randomInt(FILM_BYTES);
      const end = Math.min(FILM_BYTES, begin + 1 + randomInt(RANGE_BYTES_MAX));
      const { bytes, firstByteMs } = await fetchRange(control, begin, end);
      const expected = Buffer.alloc(end - begin);
      await shared.read(expected, 0, expected.length, begin);
      if (!bytes.equals(expected)) wrong++;
      if ((await transferOf(control))?.state === 'downloading') whileRunning++;
      firstBytesMs.push(firstByteMs);
    }
  };
  await Promise.all(Array.from({ length: Number(flags.readers) }, reader));
  await shared.close();
  await forget(control);
  await limitDownload(control, null);
  return { wrong, whileRunning, firstBytesMs };
}

interface SeekResult {
  readonly starts: readonly number[];
  readonly seeks: readonly number[];
  /** What an answer takes at that time for which nothing has to be fetched: less than that nothing can take on this machine. */
  readonly others: readonly number[];
}

/** Seeks in a film that is not here to where nothing of it is, at whatever rate it comes. Begins anew when all of it is there. */
async function seekCold(control: ControlApi): Promise<SeekResult> {
  const [starts, seeks, others]: [number[], number[], number[]] = [[], [], []];
  while (seeks.length < Number(flags.seeks)) {
    starts.push((await fetchRange(control, 0, 1)).firstByteMs);
    for (;;) {
      const begunMs = performance.now();
      const transfer = await transferOf(control);
      others.push(performance.now() - begunMs);
      const at = randomInt(FILM_BYTES);
      if (transfer === undefined || transfer.state !== 'downloading' || seeks.length >= Number(flags.seeks)) break;
      if (!isHere(transfer, at)) seeks.push((await fetchRange(control, at, at + 1)).firstByteMs);
    }
    await forget(control);
  }
  return { starts, seeks, others };
}

function describe(name: string, valuesMs: readonly number[]): string {
  const [p50, p99] = [medianOf(valuesMs), quantileOf(valuesMs, 0.99)];
  const most = Math.max(...valuesMs);
  return `${name.padEnd(52)} p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  most ${most.toFixed(1)} ms`;
}

const folder = await mkdtemp(join(flags.scratch, 'cohort-stream-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
try {
  await system.startTrackers();
  const peers = [await enter(system, 'alice'), await enter(system, 'bob')] as const;
  const source = join(folder, FILE);
  await writeRandomFile(source, FILM_BYTES);
  await share(source, peers);
  await mkdir(join(folder, 'copies'));
  const ranges = await readRanges(peers[1], source, join(folder, 'copies'));
  const { starts, seeks, others } = await seekCold(peers[1]);
  say(machineLine());
  say(`a film of ${flags.size}, encrypted; ${flags.ranges} ranges by ${flags.readers} readers at ${flags.rate}/s`);
  say(`ranges that were not what was shared: ${ranges.wrong}; answered while the download ran: ${ranges.whileRunning}`);
  say(describe('first byte of a range, here or not, at that rate', ranges.firstBytesMs));
  say(describe(`first byte of a film that is not here (${starts.length})`, starts));
  say(describe(`first byte of a cold seek (${seeks.length})`, seeks));
  say(describe('an answer meanwhile that needs no bytes', others));
  const isRight = ranges.wrong === 0 && ranges.whileRunning > Number(flags.ranges) / 2;
  process.exitCode = isRight && quantileOf(seeks, 0.99) <= Number(flags['at-most']) ? 0 : 1;
} finally {
  agent.destroy();
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}
