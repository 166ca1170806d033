// Owns one run of one seed: trackers, peers and people on a simulated log and network, faults for a while, then peace, in which
// every command has to come to an answer and every tracker to the same end.
import { planAbsence } from './absence.ts';
import type { Draws } from './draws.ts';
import { drawLogTroubles, drawNetworkTroubles, type FaultKind, Faults } from './faults.ts';
import { type FaultyAmong, FaultyTracker, type Wrong } from './faulty-tracker.ts';
import { Invariants } from './invariants.ts';
import { RollingUpgrade } from './rolling-upgrade.ts';
import { identityOf } from './simulated-identity.ts';
import { type LogPlants, SimulatedLog } from './simulated-log.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { type PeerOptions, SimulatedPeer } from './simulated-peer.ts';
import { exchangePlatform } from './simulated-platform.ts';
import { SimulatedTracker, type TrackerPlants } from './simulated-tracker.ts';
import { SimulatedOperator } from './simulated-operator.ts';
import { SimulatedWorld } from './simulated-world.ts';
import { SnapshotCheck } from './snapshot-check.ts';
import { Workload } from './workload.ts';

/** Wrong parts in place of right ones. */
export interface Plants {
  readonly log?: LogPlants;
  readonly tracker?: TrackerPlants;
  readonly peer?: PeerOptions['plant'];
  /** The pace and the only faults at which it shows, when others would take many seeds. */
  readonly pace?: Pace;
  readonly faults?: readonly FaultKind[];
  readonly story?: Story;
  /** What a faulty tracker gets wrong. */
  readonly wrong?: Wrong;
  /** How many days pass in the middle. */
  readonly absenceDays?: number;
}

/** What came of a seed. */
export interface SeedReport {
  readonly seed: number;
  /** What is wrong, or null. */
  readonly violation: string | null;
  readonly traceHash: string;
  readonly lastLines: readonly string[];
  readonly trackers: number;
  readonly peers: number;
  readonly records: number;
  readonly commands: number;
  readonly accepted: number;
  /** Each command with each thing that it came to. */
  readonly outcomeKinds: readonly string[];
  readonly retries: number;
  readonly faults: number;
  /** What came of an upgrade, a faulty tracker, and of snapshots. */
  readonly happened: readonly string[];
  readonly checks: number;
  readonly grants: number;
  readonly events: number;
  readonly simulatedMs: number;
}

/** How long people are at it, and the mean pause of each. */
export interface Pace {
  readonly workMs: number;
  readonly pauseMs: number;
}

/** How many there are. */
interface Crowd {
  readonly trackers: number;
  readonly peers: number;
  /** At each peer. */
  readonly people: number;
}

/** Mean pauses of people, milliseconds: the longer, the longer the run, so that a seed is about as much work in each. */
const PAUSES_MS = [100, 200, 500, 1_500] as const;
const WORK_MS_MAX = 120_000;
/** How far apart snapshots are; with the last of these there are hardly any. */
const SNAPSHOT_RECORDS = [500, 1_000, 3_000] as const;
/** How many commands people would come to if nothing failed. */
const COMMANDS_RANGE = [1_200, 5_200] as const;
/** Long enough for an outage in which grants are suspended; drawn seldom. */
export const LONGEST_PACE: Pace = { workMs: 1_500_000, pauseMs: 20_000 };
const LONGEST_CHANCE = 0.02;
/** What a person does in place of a command now and then, and how long an answer takes as a rule. */
const COMMANDS_SHARE = 0.7;
const ANSWER_MS = 150;

function drawCrowd(draws: Draws): Crowd {
  return { trackers: draws.integer(2, 4), peers: draws.integer(12, 40), people: draws.integer(1, 3) };
}

function drawPace(draws: Draws, { peers, people }: Crowd): Pace {
  if (draws.chance(LONGEST_CHANCE)) return LONGEST_PACE;
  const turns = draws.integer(...COMMANDS_RANGE) / COMMANDS_SHARE / (peers * people);
  const workMs = Math.min(turns * (draws.pick(PAUSES_MS) + ANSWER_MS), WORK_MS_MAX);
  return { workMs, pauseMs: Math.max(workMs / turns - ANSWER_MS, PAUSES_MS[0]) };
}

/** What goes on beside the faults, and how often. */
export type Story = 'none' | 'upgrade' | 'faulty_tracker';
const STORIES: Readonly<Record<Story, number>> = { none: 0.4, upgrade: 0.3, faulty_tracker: 0.3 };

/** Longest time from the last fault until all is answered and applied; a wrong tracker is found by the next checkpoint. */
const PEACE_MS_MAX = 150_000;
const PEACE_LOOK_MS = 250;

const identities = new Map<string, ReturnType<typeof identityOf>>();

function identity(name: string) {
  const known = identities.get(name) ?? identityOf(name);
  identities.set(name, known);
  return known;
}

/** Runs a seed to its end, or to the first thing that is wrong. */
export async function simulate(seed: number, plants: Plants = {}): Promise<SeedReport> {
  exchangePlatform();
  const world = new SimulatedWorld(seed);
  const { draws } = world;
  const crowd = drawCrowd(draws);
  const drawnPace = drawPace(draws, crowd);
  const { workMs, pauseMs } = plants.pace ?? drawnPace;
  const log = new SimulatedLog(world, drawLogTroubles(draws), plants.log);
  const troubles = drawNetworkTroubles(draws);
  const network = new SimulatedNetwork(world, troubles);
  const invariants = new Invariants(world, log, plants.tracker?.digest);
  const snapshots = new SnapshotCheck({ world, log, invariants });
  const workload = new Workload(world, invariants, {
    users: draws.integer(3, 25),
    groups: draws.integer(1, 8),
    files: draws.integer(1, 6),
    passwords: 2,
    pauseMs,
  });
  const trackers = startTrackers(crowd, { network, log, invariants, plants });
  const peers = startPeers(crowd, { network, trackers, workload, plants });
  const faults = new Faults({ world, network, log, trackers, peers, invariants, workMs }, plants.faults);
  faults.start();
  planAbsence(world, { workMs, days: plants.absenceDays });
  const among = { world, log, trackers, invariants, workMs, wrong: plants.wrong };
  const story = startStory(plants.story ?? draws.weighted(STORIES), among);
  let isOver = false;
  world.at(null, workMs, () => {
    faults.healAll();
    story?.end();
    workload.end();
    untilPeace();
  });
  const untilPeace = (): void => {
    const isLate = world.elapsedMs > workMs + PEACE_MS_MAX;
    const unrest = unrestOf({ trackers, peers, invariants, snapshots, workload, story });
    if (unrest === null) {
      invariants.ended({ comeTwice: troubles.repeatedChance > 0 });
      isOver = true;
    } else if (isLate) world.fail(`${PEACE_MS_MAX} ms after the last fault ${unrest}`);
    else world.at(null, PEACE_LOOK_MS, untilPeace);
  };
  await world.run(() => isOver);
  world.trace(`digest ${invariants.digest}`);
  return {
    seed,
    violation: world.violation?.message ?? null,
    lastLines: [...world.lastLines],
    traceHash: world.traceHash(),
    trackers: crowd.trackers,
    peers: crowd.peers,
    records: log.records.length,
    commands: workload.finishedCount,
    accepted: invariants.acceptedCount(),
    outcomeKinds: invariants.outcomeKinds(),
    retries: workload.retryCount,
    faults: faults.count,
    happened: [...(story?.happened ?? []), ...happenedTo(trackers)],
    checks: invariants.checkCount,
    grants: invariants.grantCount,
    events: world.eventCount,
    simulatedMs: world.elapsedMs,
  };
}

interface Parts {
  readonly network: SimulatedNetwork;
  readonly log: SimulatedLog;
  readonly invariants: Invariants;
  readonly plants: Plants;
}

function startTrackers(crowd: Crowd, { network, log, invariants, plants }: Parts): SimulatedTracker[] {
  const { draws } = network.world;
  const snapshotRecords = draws.pick(SNAPSHOT_RECORDS);
  return Array.from({ length: crowd.trackers }, (_, index) => {
    const tracker = new SimulatedTracker({
      name: `tracker-${index + 1}`,
      identity: identity(`tracker-${index + 1}`),
      host: `10.1.0.${index + 1}`,
      port: 9000,
      network,
      log,
      observer: invariants,
      plants: plants.tracker ?? {},
      snapshotRecords,
    });
    network.world.at(null, draws.between(0, 200), () => tracker.start());
    return tracker;
  });
}

function startPeers(
  crowd: Crowd,
  {
    network,
    trackers,
    workload,
    plants,
  }: Pick<Parts, 'network' | 'plants'> & { trackers: readonly SimulatedTracker[]; workload: Workload },
): SimulatedPeer[] {
  const { draws } = network.world;
  // Keys stand in tracker_info.txt, or the first alone does, or they are trusted on first use.
  const pinned = draws.pick([trackers.length, trackers.length, 1, 0]);
  const entries = trackers.map(({ options: { host, port, identity: own } }, index) => ({
    host,
    port,
    trackerId: index < pinned ? own.id : null,
  }));
  return Array.from({ length: crowd.peers }, (_, index) => {
    const peer = new SimulatedPeer({
      name: `peer-${index + 1}`,
      identity: identity(`peer-${index + 1}`),
      address: `10.2.${index + 1}.1`,
      trackers: entries,
      network,
      plant: plants.peer,
      started: (started) => workload.use(started, crowd.people),
    });
    network.world.at(null, draws.between(0, 500), () => peer.start());
    return peer;
  });
}

function startStory(story: Story, of: Omit<FaultyAmong, 'operator'>): RollingUpgrade | FaultyTracker | null {
  const among = { ...of, operator: new SimulatedOperator(of.world, of.log) };
  const started = {
    none: () => null,
    upgrade: () => new RollingUpgrade(among),
    faulty_tracker: () => new FaultyTracker(among),
  };
  const begun = started[story]();
  begun?.start();
  return begun;
}

function happenedTo(trackers: readonly SimulatedTracker[]): string[] {
  const isRestored = trackers.some(({ files }) => files.restoreCount > 0);
  const isDamaged = trackers.some(({ files }) => files.damageCount > 0);
  return [...(isRestored ? ['snapshot read'] : []), ...(isDamaged ? ['snapshot damaged'] : [])];
}

interface Whole {
  readonly story: RollingUpgrade | FaultyTracker | null;
  readonly trackers: readonly SimulatedTracker[];
  readonly peers: readonly SimulatedPeer[];
  readonly invariants: Invariants;
  readonly snapshots: SnapshotCheck;
  readonly workload: Workload;
}

/** What is not yet as it has to be when nothing fails any more, or null. */
function unrestOf({ trackers, peers, invariants, snapshots, workload, story }: Whole): string | null {
  if (workload.openCount > 0) return `${workload.openCount} commands have no answer`;
  const roots = new Set<string>();
  for (const tracker of trackers) {
    if (!tracker.isUp) return `${tracker.options.name} is not up`;
    const ofStory = story instanceof FaultyTracker ? story.unrestOf(tracker) : undefined;
    const ofTracker = ofStory === undefined ? unrestOfTracker(tracker, invariants) : ofStory;
    const unrest = ofTracker ?? snapshots.unrestOf(tracker);
    if (unrest !== null) return `${tracker.options.name} ${unrest}`;
    if (tracker.replica.appliedOffset === invariants.endOffset - 1) roots.add(tracker.replica.root);
  }
  if (roots.size !== 1) return `trackers have ${roots.size} roots`;
  for (const peer of peers) {
    const user = invariants.state.sessions.get(peer.id)?.user ?? null;
    if (!peer.isLinked) return `${peer.options.name} is not up`;
    if (peer.link.user() !== user) return `${peer.options.name} takes ${peer.link.user()} for logged in, not ${user}`;
  }
  return null;
}

function unrestOfTracker({ build, replica, digest }: SimulatedTracker, invariants: Invariants): string | null {
  const { readiness, appliedOffset } = replica;
  if (build.rules.newestVersion < invariants.state.rulesVersion) {
    const isStopped = !readiness.ready && readiness.reason === 'upgrade_required';
    return isStopped && appliedOffset === invariants.activatedAt
      ? null
      : 'has not stopped at rules that it does not know';
  }
  if (!readiness.ready) return `is not ready: ${readiness.reason}`;
  if (appliedOffset !== invariants.endOffset - 1) return `has applied ${appliedOffset} of ${invariants.endOffset}`;
  return digest === invariants.digest ? null : 'has another digest';
}
