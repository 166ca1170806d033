// Owns the system that the pictures of the page are taken of: three people who share films, with one download under way that two of
// them serve. Everything in it is real, but for the bytes of the files, which are random.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeRandomFile } from '../demo/files.ts';
import { type ControlApi, expectOk } from '../quick-start/control-api.ts';
import { LocalSystem } from '../quick-start/local-system.ts';

const MIB = 2 ** 20;
const PASSWORD = 'a long password';
const GROUP = 'film club';
const RUNNING = 'Metropolis (1927).mkv';
const RUNNING_BYTES = 48 * MIB;
/** Of the running download: so slow that it can be watched, and has a history. */
const BYTES_PER_SECOND = 2 * MIB;
const FILES: readonly (readonly [name: string, bytes: number])[] = [
  [RUNNING, RUNNING_BYTES],
  ['Nosferatu (1922).mkv', 21 * MIB],
  ['Der müde Tod (1921).mkv', 17 * MIB],
  ['Das Cabinet des Dr. Caligari (1920).mkv', 13 * MIB],
  ['Programme of the autumn.pdf', 1_468_006],
  ['Piano improvisation, 3 March.flac', 9 * MIB],
];

/** The person whose page is shown, and what there is to show. */
export interface Scene {
  readonly control: ControlApi;
  readonly group: string;
  readonly runningTransferId: string;
  remove(): Promise<void>;
}

/** Brings it up. */
export async function setScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-scene-'));
  const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
  const remove = async (): Promise<void> => {
    await system.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await system.startTrackers();
    const [ada, ben, cleo] = await Promise.all(['ada', 'ben', 'cleo'].map((user) => enter(system, user)));
    await gather(ada!, [ben!, cleo!]);
    await shareFiles(ada!, folder);
    await download(cleo!, RUNNING, join(folder, 'of-cleo'));
    return { control: ben!.control, group: GROUP, runningTransferId: await lookAsBen(ben!.control, folder), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Entered {
  readonly user: string;
  readonly control: ControlApi;
}

async function enter(system: LocalSystem, user: string): Promise<Entered> {
  const { control } = await system.startPeer(user);
  await accepted(control, 'create_user', { user, password: PASSWORD });
  await accepted(control, 'login', { user, password: PASSWORD });
  return { user, control };
}

/** The first owns the group and lets the others in; there are two more groups, of which one is asked to be let into. */
async function gather(owner: Entered, others: readonly Entered[]): Promise<void> {
  await accepted(owner.control, 'create_group', { group: GROUP });
  await accepted(owner.control, 'create_group', { group: 'orchestra' });
  for (const { user, control } of others) {
    await accepted(control, 'join_group', { group: GROUP });
    await accepted(owner.control, 'accept_request', { group: GROUP, user });
  }
  await accepted(others[0]!.control, 'create_group', { group: 'holidays' });
  await accepted(others[0]!.control, 'join_group', { group: 'orchestra' });
}

async function shareFiles({ control }: Entered, folder: string): Promise<void> {
  await mkdir(join(folder, 'films'));
  for (const [name, bytes] of FILES) {
    await writeRandomFile(join(folder, 'films', name), bytes);
    await accepted(control, 'upload_file', { group: GROUP, path: join(folder, 'films', name), wait: true });
  }
  const stills = join(folder, 'films', 'stills');
  await mkdir(stills);
  for (let still = 1; still <= 12; still++) await writeFile(join(stills, `still-${still}.jpg`), `still ${still}`);
  await accepted(control, 'upload_file', { group: GROUP, path: stills, wait: true });
}

async function download({ control }: Entered, file: string, destination: string): Promise<void> {
  await mkdir(destination);
  await accepted(control, 'download_file', { group: GROUP, file, destination, wait: true });
}

/** What ben has: two whole files, one that waits, and one that comes. */
async function lookAsBen(control: ControlApi, folder: string): Promise<string> {
  const destination = join(folder, 'of-ben');
  await download({ user: 'ben', control }, 'Programme of the autumn.pdf', destination);
  await accepted(control, 'download_file', { group: GROUP, file: 'Nosferatu (1922).mkv', destination, wait: true });
  await expectOk('limits', control.request('PUT', '/limits', { body: { downloadBytesPerSecond: BYTES_PER_SECOND } }));
  const { result } = await accepted(control, 'download_file', { group: GROUP, file: RUNNING, destination });
  const paused = await accepted(control, 'download_file', {
    group: GROUP,
    file: 'Der müde Tod (1921).mkv',
    destination,
  });
  await expectOk('pause', control.post(`/transfers/${paused.result.transferId}/pause`));
  return result.transferId;
}

function accepted(control: ControlApi, name: string, body: object): Promise<{ result: { transferId: string } }> {
  return expectOk(name, control.command<{ result: { transferId: string } }>(name, body));
}
