// `npm run bench:presence`: what 200 peers of one tracker notice of two more that misbehave, one that asks and never reads and
// one that is stuck. Rounds with and without those two follow each other in one run; the ratio of the p99 is the figure, and
// more than three is a failure.
//   npm run bench:presence -- --peers 200 --rounds 6 --seconds 3 --at-most 3
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadOrCreateIdentity } from '#identity/identity';
import { hostPortOf } from '#identity/start-input';
import type { HostPort } from '#wire/host-port';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { CrowdPeer } from './crowd-peer.ts';
import { medianOf, quantileOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    'at-most': { type: 'string', default: '3' },
  },
});

const ASK_EVERY_MS = 400;
const PUBLISH_EVERY_MS = 50;
const PEST_EVERY_MS = 10;
const LOGINS_AT_ONCE = 4;
const USER = 'crowd';
const PASSWORD = 'bench password';
const GROUP = 'room';
/** Nobody listens there; the tracker looks once and remembers. */
const PRESENCE = { addresses: ['127.0.0.1:9'], downloading: [], transport: 'tls' };
const LIST = { seenOffset: -1, limit: 1000 };

const folder = await mkdtemp(join(tmpdir(), 'cohort-presence-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 2 });
try {
  await system.startTrackers();
  const address = hostPortOf('the tracker', system.trackers[0]!.address);
  const [deaf, stuck, ...crowd] = await gather(address, Number(flags.peers) + 2);
  const calm: number[] = [];
  const disturbed: number[] = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    calm.push(...(await measure(crowd)));
    const pests = new AbortController();
    const pestering = Promise.all([pester(deaf!, pests.signal), stay(stuck!, pests.signal)]);
    disturbed.push(...(await measure(crowd)));
    pests.abort();
    await pestering;
  }
  report(calm, disturbed);
  for (const peer of [deaf!, stuck!, ...crowd]) peer.disconnect();
} finally {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Peers of one user, connected and logged in, in a group that all of them hear of. */
async function gather(tracker: HostPort, count: number): Promise<CrowdPeer[]> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const identities = await Promise.all(numbers.map((number) => loadOrCreateIdentity(join(folder, `peer-${number}`))));
  const peers = identities.map((identity) => new CrowdPeer(identity, tracker));
  await Promise.all(peers.map((peer) => peer.connect()));
  await peers[0]!.command('create_user', { user: USER, password: PASSWORD }, null);
  const waiting = [...peers];
  const logIn = async (): Promise<void> => {
    for (let peer = waiting.pop(); peer !== undefined; peer = waiting.pop()) {
      await peer.command('login', { user: USER, password: PASSWORD }, null);
    }
  };
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, logIn));
  await peers[0]!.command('create_group', { group: GROUP }, USER);
  return peers;
}

/** Milliseconds of every answer in one round: each peer says that it is there and asks for the groups, in turn. */
async function measure(crowd: readonly CrowdPeer[]): Promise<number[]> {
  const end = performance.now() + Number(flags.seconds) * 1000;
  const latenciesMs: number[] = [];
  const live = async (peer: CrowdPeer, number: number): Promise<void> => {
    await delay((number / crowd.length) * ASK_EVERY_MS);
    for (let turn = 0; performance.now() < end; turn++) {
      const begin = performance.now();
      if (turn % 2 === 0) await peer.ask('presence', PRESENCE);
      else await peer.ask('list_groups', LIST);
      latenciesMs.push(performance.now() - begin);
      await delay(Math.max(0, ASK_EVERY_MS - (performance.now() - begin)));
    }
  };
  await Promise.all([...crowd.map(live), publish(crowd[0]!, end)]);
  return latenciesMs;
}

/** Commands that every peer of the group is told of. */
async function publish(peer: CrowdPeer, end: number): Promise<void> {
  while (performance.now() < end) {
    const contentId = randomBytes(32).toString('hex');
    const content = { contentId, totalBytes: 1, pieceBytes: 524_288, pieceCount: 1, hash: 'sha1' };
    await peer.command('upload_file', { group: GROUP, file: randomUUID(), ...content }, USER);
    await delay(PUBLISH_EVERY_MS);
  }
}

/** Asks for long lists and never reads an answer; comes back when it is cut off. */
async function pester(peer: CrowdPeer, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (!peer.isConnected) await peer.connect();
    peer.goDeaf();
    peer.send('list_files', { ...LIST, group: GROUP }, randomUUID());
    await delay(PEST_EVERY_MS);
  }
  peer.disconnect();
}

/** Is connected and does nothing at all; comes back when it is cut off. */
async function stay(peer: CrowdPeer, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (!peer.isConnected) await peer.connect();
    peer.goDeaf();
    await delay(PUBLISH_EVERY_MS);
  }
  peer.disconnect();
}

function report(calm: readonly number[], disturbed: readonly number[]): void {
  const [before, after] = [calm, disturbed].map(percentiles);
  const ratio = after!.p99Ms / before!.p99Ms;
  const machine = machineLine();
  say(machine);
  say(`${flags.peers} peers at one tracker, embedded log`);
  for (const [name, figures] of [['alone', before!] as const, ['with the two', after!] as const]) {
    const { p50Ms, p99Ms, count } = figures;
    say(`${name.padEnd(14)} p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  ${count} answers`);
  }
  say(`ratio of p99   ${ratio.toFixed(2)} (at most ${flags['at-most']})`);
  say(JSON.stringify({ machine, alone: before, withBoth: after, ratio }));
  if (!(ratio <= Number(flags['at-most']))) process.exitCode = 1;
}

function percentiles(latenciesMs: readonly number[]): { p50Ms: number; p99Ms: number; count: number } {
  return { p50Ms: medianOf(latenciesMs), p99Ms: quantileOf(latenciesMs, 0.99), count: latenciesMs.length };
}
