// `npm run bench:update`: what one changed byte in a folder costs who has the version before: bytes of pieces, counted at the only
// seeder, and how long it takes. Whole peers through HTTP; fails when it is more than two pieces, or the copy is another one.
//   npm run bench:update -- --size 1GiB --files 1000 --scratch /dev/shm
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    files: { type: 'string', default: '1000' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

const GROUP = 'updates';
const NAME = 'album';
const PASSWORD = 'bench password';
const PIECES_MAX = 2;

interface Transfer {
  readonly transferId: string;
  readonly path: string;
  readonly contentId: string;
  readonly totalBytes: number;
  readonly reusedBytes: number;
}

async function enter(system: LocalSystem, user: string): Promise<ControlApi> {
  const { control } = await system.startPeer(user);
  await expectOk('create_user', control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', control.command('login', { user, password: PASSWORD }));
  return control;
}

/** Runs a command to its end; the transfer, and how long it took. */
async function moved(
  control: ControlApi,
  name: string,
  body: object,
): Promise<{ transfer: Transfer; seconds: number }> {
  const beginMs = performance.now();
  const answer = control.command<{ result: { transferId: string } }>(name, { group: GROUP, wait: true, ...body });
  const { result } = await expectOk(name, answer);
  const seconds = (performance.now() - beginMs) / 1000;
  return {
    transfer: await expectOk('GET /transfers', control.get<Transfer>(`/transfers/${result.transferId}`)),
    seconds,
  };
}

async function sentBytes({ url }: ControlApi): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counts = metrics.matchAll(/^cohort_worker_sent_bytes_total\{[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function changeOneByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 1_000);
  await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, 1_000);
  await file.close();
}

async function makeFolder(path: string): Promise<void> {
  const count = Number(flags.files);
  const bytes = Math.floor(sizeOf(flags.size) / count);
  for (let number = 0; number < count; number++) {
    const folder = join(path, String(number % 10));
    await mkdir(folder, { recursive: true });
    await writeRandomFile(join(folder, `${number}.bin`), bytes);
  }
}

async function measure(system: LocalSystem): Promise<void> {
  const [alice, bob] = [await enter(system, 'alice'), await enter(system, 'bob')];
  await expectOk('create_group', alice.command('create_group', { group: GROUP }));
  await expectOk('join_group', bob.command('join_group', { group: GROUP }));
  await expectOk('accept_request', alice.command('accept_request', { group: GROUP, user: 'bob' }));
  const path = join(system.folder, NAME);
  await makeFolder(path);
  const destination = join(system.folder, 'of-bob');
  await mkdir(destination);
  await moved(alice, 'upload_file', { path });
  const first = await moved(bob, 'download_file', { file: NAME, destination });
  await changeOneByte(join(path, '5', '15.bin'));
  const published = await moved(alice, 'upload_file', { path, update: true });
  const before = await sentBytes(alice);
  const second = await moved(bob, 'download_file', { file: NAME, destination, overwrite: true });
  const fetchedBytes = (await sentBytes(alice)) - before;
  execFileSync('diff', ['-r', path, second.transfer.path]);
  const { contentId, totalBytes, reusedBytes } = second.transfer;
  const manifest = await stat(join(system.folder, 'bob', 'manifests', `${contentId}.manifest`));
  const list = await expectOk(
    'list_files',
    bob.get<{ items: { pieceBytes: number; version: number }[] }>(`/groups/${GROUP}/files`),
  );
  const [{ pieceBytes, version }] = list.items as [{ pieceBytes: number; version: number }];
  say(machineLine());
  say(`${flags.files} files, ${totalBytes} bytes, pieces of ${pieceBytes} bytes; one byte changed, version ${version}`);
  say(`  the first version   ${first.seconds.toFixed(2)} s to fetch`);
  say(`  the second version  ${published.seconds.toFixed(2)} s to publish, ${second.seconds.toFixed(2)} s to fetch`);
  say(
    `  sent by the seeder  ${fetchedBytes} bytes of pieces, and the manifest of ${manifest.size}; ${reusedBytes} bytes were here`,
  );
  if (fetchedBytes > PIECES_MAX * pieceBytes) throw new Error(`more than ${PIECES_MAX} pieces were sent`);
}

const folder = await mkdtemp(join(flags.scratch, 'cohort-update-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
try {
  await system.startTrackers();
  await measure(system);
} finally {
  await system.stop();
  await rm(folder, { recursive: true });
}
