// `npm run bench:click`: how long a person waits from the command to the first verified piece, on peers that run and have a file
// from each other already. Whole peers through HTTP; beside it the round trip of one view, so that the endpoint's own part shows.
//   npm run bench:click -- --downloads 40 --size 32MiB --at-most 50
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { medianOf, quantileOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    downloads: { type: 'string', default: '40' },
    size: { type: 'string', default: '32MiB' },
    /** Milliseconds that the median may take; more is a failure. */
    'at-most': { type: 'string', default: '50' },
  },
});

const GROUP = 'click';
const FILE = 'file.bin';
const PASSWORD = 'bench password';
const WARM_UPS = 5;

/** What one click took. */
interface Click {
  /** Until the command was answered. */
  readonly answeredMs: number;
  readonly firstPieceMs: number;
  readonly viewMs: number;
}

async function enter(system: LocalSystem, user: string): Promise<ControlApi> {
  const { control } = await system.startPeer(user);
  await expectOk('create_user', control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', control.command('login', { user, password: PASSWORD }));
  return control;
}

async function share(system: LocalSystem, [alice, bob]: readonly [ControlApi, ControlApi]): Promise<void> {
  const path = join(system.folder, FILE);
  await writeRandomFile(path, sizeOf(flags.size));
  await expectOk('create_group', alice.command('create_group', { group: GROUP }));
  await expectOk('join_group', bob.command('join_group', { group: GROUP }));
  await expectOk('accept_request', alice.command('accept_request', { group: GROUP, user: 'bob' }));
  await expectOk('upload_file', alice.command('upload_file', { group: GROUP, path, wait: true }));
}

async function click(control: ControlApi, destination: string): Promise<Click> {
  const viewBeginMs = performance.now();
  await expectOk('GET /status', control.get('/status'));
  const beginMs = performance.now();
  const body = { group: GROUP, file: FILE, destination };
  const { result } = await expectOk<{ result: { transferId: string } }>(
    'download_file',
    control.command('download_file', body),
  );
  const answeredMs = performance.now() - beginMs;
  const view = (): Promise<{ verifiedBytes: number; state: string; totalBytes: number }> =>
    expectOk('GET /transfers', control.get(`/transfers/${result.transferId}`));
  while ((await view()).verifiedBytes === 0);
  const firstPieceMs = performance.now() - beginMs;
  while ((await view()).state !== 'complete');
  await control.delete(`/transfers/${result.transferId}?data=delete`);
  return { answeredMs, firstPieceMs, viewMs: beginMs - viewBeginMs };
}

function describe(name: string, valuesMs: readonly number[]): string {
  const [median, high] = [medianOf(valuesMs), quantileOf(valuesMs, 0.95)];
  return `${name.padEnd(34)} median ${median.toFixed(1)} ms  p95 ${high.toFixed(1)} ms`;
}

const folder = await mkdtemp(join(tmpdir(), 'cohort-click-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
try {
  await system.startTrackers();
  const peers = [await enter(system, 'alice'), await enter(system, 'bob')] as const;
  await share(system, peers);
  await mkdir(join(folder, 'copies'));
  const clicks: Click[] = [];
  for (let number = -WARM_UPS; number < Number(flags.downloads); number++) {
    const taken = await click(peers[1], join(folder, 'copies', `${number}.bin`));
    if (number >= 0) clicks.push(taken);
  }
  const views = clicks.map(({ viewMs }) => viewMs);
  const answers = clicks.map(({ answeredMs }) => answeredMs);
  const firstPieces = clicks.map(({ firstPieceMs }) => firstPieceMs);
  say(machineLine());
  say(`${flags.size}, ${clicks.length} downloads one after the other`);
  say(describe('a view, for comparison', views));
  say(describe('the command is answered', answers));
  say(describe('the first piece is verified', firstPieces));
  process.exitCode = medianOf(firstPieces) <= Number(flags['at-most']) ? 0 : 1;
} finally {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}
