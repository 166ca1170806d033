// `npm run bench:revocation`: for how long a member who is removed goes on fetching. The member is hostile: it keeps asking
// over the connection that it has, tries its old grant again, and asks trackers for what it could see before. Its seeder hears of
// the removal from trackers, or is cut off from all of them, and closes when the grant ends. Fails when a connected seeder, or the
// tracker that the member asks, takes longer than `--at-most`, when a seeder that is cut off serves beyond the grant, or when
// the member is told anything afterwards.
//   npm run bench:revocation -- --runs 20 --cut-off 4 --at-most 2000
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hostPortOf } from '#identity/start-input';
import type { StatusView } from '#wire/control-status';
import { grantFromText } from '#wire/grant';
import { GRANT_LIFETIME_MS } from '#wire/limits';
import type { SourcesView } from '#wire/tracker-api';
import { writeSparseFile } from '../../infra/demo/files.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { until } from '../../infra/quick-start/until.ts';
import { MutatingRelay } from '../soak/mutating-relay.ts';
import { CrowdPeer, type Reply } from './crowd-peer.ts';
import { newIdentity } from './new-identity.ts';
import { PieceClient, type PieceClientOptions } from './piece-client.ts';
import { medianOf, quantileOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    /** Members that are removed one after the other while the seeder is connected. */
    runs: { type: 'string', default: '20' },
    /** Members that are removed while it is not; this takes as long as a grant lives, for all of them together. */
    'cut-off': { type: 'string', default: '4' },
    /** Milliseconds that a connected seeder may take, and a tracker until it tells the member nothing. */
    'at-most': { type: 'string', default: '2000' },
  },
});

const PASSWORD = 'bench password';
const GROUP = 'room';
const FILE = 'published.bin';
const FILE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const BLOCK_PAUSE_MS = 2;
/** How long a fetch runs before its member is removed. */
const RUN_MS = 300;
/** A seeder looks at the ends of grants a few times a second. */
const LOOK_MS = 1_000;
const LIST = { seenOffset: -1, group: GROUP, limit: 100 };
const FILE_OF_GROUP = { seenOffset: -1, group: GROUP, file: FILE };

/** A fetch of a removed member. Milliseconds from the command that removed it. */
interface Removal {
  readonly seeder: 'connected' | 'cut off';
  /** Until the last byte came, and until the connection was closed. */
  readonly lastByteMs: number;
  readonly closedMs: number;
  /** Until the tracker that it asks told it nothing any more. */
  readonly untoldMs: number;
  /** What the seeder said. */
  readonly said: string;
  /** By how much the closing came after the end of the grant; negative: before. */
  readonly beyondGrantMs: number;
}

/** A member with a connection to a tracker, and one to the seeder over which it keeps fetching. */
interface Fetching {
  readonly user: string;
  readonly tracker: CrowdPeer;
  readonly options: PieceClientOptions;
  readonly shareId: number;
  readonly grantExpiresAtMs: number;
  readonly over: Promise<{ readonly said: string; readonly lastByteAtMs: number; readonly closedAtMs: number }>;
}

const median = (values: readonly number[]): string => `${medianOf(values)} ms`;
const most = (values: readonly number[]): string => `${quantileOf(values, 1)} ms`;

const COLUMNS: readonly TextColumn<readonly Removal[]>[] = [
  ['seeder', ([first]) => first!.seeder],
  ['removals', (removals) => String(removals.length)],
  ['last byte, median', (removals) => median(removals.map(({ lastByteMs }) => lastByteMs))],
  ['most', (removals) => most(removals.map(({ lastByteMs }) => lastByteMs))],
  ['closed, median', (removals) => median(removals.map(({ closedMs }) => closedMs))],
  ['most', (removals) => most(removals.map(({ closedMs }) => closedMs))],
  ['after the grant, most', (removals) => most(removals.map(({ beyondGrantMs }) => beyondGrantMs))],
  ['told nothing, median', (removals) => median(removals.map(({ untoldMs }) => untoldMs))],
  ['most', (removals) => most(removals.map(({ untoldMs }) => untoldMs))],
  ['said', (removals) => [...new Set(removals.map(({ said }) => said))].join(' ')],
];

const folder = await mkdtemp(join(tmpdir(), 'cohort-revocation-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
const relays: MutatingRelay[] = [];
try {
  await system.startTrackers();
  for (const { address } of system.trackers) {
    relays.push(await MutatingRelay.start(() => hostPortOf('the tracker', address)));
  }
  const owner = await logIn('owner', system.trackerInfo);
  const seeder = await logIn('seeder', await relayedTrackers());
  await accepted(owner, 'create_group', { group: GROUP });
  await accepted(seeder, 'join_group', { group: GROUP });
  await accepted(owner, 'accept_request', { group: GROUP, user: 'seeder' });
  const path = join(folder, FILE);
  await writeSparseFile(path, FILE_BYTES);
  await accepted(seeder, 'upload_file', { group: GROUP, path, wait: true });
  report([...(await removeConnected(owner)), ...(await removeCutOff(owner, seeder))]);
} finally {
  await system.stop();
  await cutOff();
  await rm(folder, { recursive: true, force: true });
}

async function logIn(name: string, trackerInfo: string): Promise<ControlApi> {
  const { control } = await system.startPeer(name, { trackerInfo });
  for (const command of ['create_user', 'login']) await accepted(control, command, { user: name, password: PASSWORD });
  return control;
}

async function accepted(control: ControlApi, command: string, body: object): Promise<void> {
  await expectOk(command, control.command(command, body));
}

/** A tracker_info.txt by which a peer reaches trackers through what can be cut. */
async function relayedTrackers(): Promise<string> {
  let text = await readFile(system.trackerInfo, 'utf8');
  for (const [number, { address }] of system.trackers.entries()) {
    text = text.replace(address, `127.0.0.1:${relays[number]!.port}`);
  }
  const path = join(folder, 'tracker_info-relayed.txt');
  await writeFile(path, text);
  return path;
}

async function removeConnected(owner: ControlApi): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (let run = 0; run < Number(flags.runs); run++) {
    const fetching = await beginFetch(owner, `member-${run}`);
    await delay(RUN_MS);
    removals.push(await remove(owner, fetching, 'connected'));
    await expectNothingTold(fetching, 'grant_revoked');
    fetching.tracker.disconnect();
  }
  return removals;
}

/** Takes the way to all trackers from the seeder. */
async function cutOff(): Promise<void> {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
}

async function removeCutOff(owner: ControlApi, seeder: ControlApi): Promise<Removal[]> {
  const numbers = Array.from({ length: Number(flags['cut-off']) }, (_, number) => number);
  const fetches: Fetching[] = [];
  for (const number of numbers) fetches.push(await beginFetch(owner, `late-${number}`));
  if (numbers.length > 0) await cutOff();
  await until('the seeder knows that it is cut off', async () => {
    const { trackers } = await expectOk('status', seeder.get<StatusView>('/status'));
    return numbers.length === 0 || trackers.every(({ state }) => state !== 'ready');
  });
  const removals = await Promise.all(fetches.map((fetching) => remove(owner, fetching, 'cut off')));
  for (const fetching of fetches) {
    await expectNothingTold(fetching, 'grant_expired');
    fetching.tracker.disconnect();
  }
  return removals;
}

/** A new member with a grant, who fetches one block after the other until the connection ends. */
async function beginFetch(owner: ControlApi, user: string): Promise<Fetching> {
  const identity = await newIdentity();
  const tracker = new CrowdPeer(identity, hostPortOf('the tracker', system.trackers[0]!.address));
  await tracker.connect();
  await tracker.command('create_user', { user, password: PASSWORD }, null);
  await tracker.command('login', { user, password: PASSWORD }, null);
  await tracker.command('join_group', { group: GROUP }, user);
  await accepted(owner, 'accept_request', { group: GROUP, user });
  await tracker.command('download_file', { group: GROUP, file: FILE }, user);
  const view = await until('the seeder is a source with a grant', async () => {
    const reply = (await tracker.ask('find_sources', FILE_OF_GROUP)) as Reply & { readonly view?: SourcesView };
    return reply.view !== undefined && reply.view.grant !== null && reply.view.sources.length > 0 ? reply.view : null;
  });
  const address = hostPortOf('the seeder', view.sources[0]!.addresses[0]!);
  const options = { identity, address, grant: grantFromText(view.grant!)! };
  const over = fetchOn(await PieceClient.open(options));
  return { user, tracker, options, shareId: view.share.shareId, grantExpiresAtMs: view.grantExpiresAtMs!, over };
}

async function fetchOn(client: PieceClient): Promise<Awaited<Fetching['over']>> {
  let lastByteAtMs = Date.now();
  const ended = client.ended.then((said) => ({ said, closedAtMs: Date.now() }));
  try {
    for (;;) {
      await client.block({ piece: 0, begin: 0 }, BLOCK_BYTES);
      lastByteAtMs = Date.now();
      await delay(BLOCK_PAUSE_MS);
    }
  } catch {
    return { ...(await ended), lastByteAtMs };
  }
}

async function remove(owner: ControlApi, fetching: Fetching, seeder: Removal['seeder']): Promise<Removal> {
  const begunAtMs = Date.now();
  const untold = accepted(owner, 'remove_member', { group: GROUP, user: fetching.user }).then(async () => {
    const isRefused = async (): Promise<boolean> =>
      (await fetching.tracker.ask('list_files', LIST)).status === 'rejected';
    await until('the member is told nothing', isRefused);
    return Date.now() - begunAtMs;
  });
  const { said, lastByteAtMs, closedAtMs } = await fetching.over;
  return {
    ...{ seeder, said, lastByteMs: lastByteAtMs - begunAtMs, closedMs: closedAtMs - begunAtMs },
    untoldMs: await untold,
    beyondGrantMs: closedAtMs - fetching.grantExpiresAtMs,
  };
}

/** What a removed member tries: to see names, sizes, members and addresses, a new grant, and the old one. */
async function expectNothingTold({ user, tracker, shareId, options }: Fetching, refusal: string): Promise<void> {
  // A tracker closes what has been silent for too long.
  if (!tracker.isConnected) await tracker.connect();
  const command = { commandId: randomUUID(), correlationId: 'bench', seenOffset: -1, user };
  const asked: readonly (readonly [string, object])[] = [
    ['list_files', LIST],
    ['list_members', LIST],
    ['find_sources', FILE_OF_GROUP],
    ['renew_grant', { seenOffset: -1, group: GROUP, shareId }],
    ['download_file', { ...command, body: { group: GROUP, file: FILE } }],
  ];
  for (const [pattern, payload] of asked) {
    const { status, reason, code } = await tracker.ask(pattern, payload);
    if (reason !== 'not_a_member') throw new Error(`${pattern} of a removed member: ${reason ?? code ?? status}`);
  }
  const said = await PieceClient.open(options).then(
    () => 'admitted',
    (error: Error) => error.message,
  );
  if (said !== refusal) throw new Error(`the old grant of a removed member: ${said}`);
}

function report(removals: readonly Removal[]): void {
  const machine = machineLine();
  say(machine);
  const groups = (['connected', 'cut off'] as const).map((way) => removals.filter(({ seeder }) => seeder === way));
  say(
    textTable(
      groups.filter((group) => group.length > 0),
      COLUMNS,
    ),
  );
  say(
    `a connected seeder at most ${flags['at-most']} ms, one that is cut off until the grant of ${GRANT_LIFETIME_MS / 1000} s ends`,
  );
  say('names, sizes, members, addresses, grants: none of them was told to a removed member');
  say(JSON.stringify({ machine, removals }));
  const atMostMs = Number(flags['at-most']);
  const isLate = ({ seeder, closedMs, untoldMs, beyondGrantMs }: Removal): boolean =>
    untoldMs > atMostMs || (seeder === 'connected' ? closedMs > atMostMs : beyondGrantMs > LOOK_MS);
  if (removals.length === 0 || removals.some(isLate)) process.exitCode = 1;
}
