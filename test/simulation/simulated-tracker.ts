// Owns a tracker of a simulation: every part that the product's module wires together, in the same order, but for TLS, Nest and
// the status port; the classes are the product's own. What it forgets when it is killed is everything but its key.
import type { Socket } from 'node:net';
import { finalize, type Observable, tap } from 'rxjs';
import type { State } from '#domain/state';
import type { Identity } from '#identity/identity';
import { SILENT_LOG } from '#program/process-log';
import {
  type CommandOutcomeRequest,
  type CommandRequest,
  type FindSourcesRequest,
  type FileListRequest,
  type GroupListRequest,
  type ListRequest,
  PEER_COMMAND_NAMES,
  type PeerCommandName,
  type PresenceRequest,
  type Push,
  type ReplyHead,
  TRACKER_PATTERNS,
  type ViewRequest,
} from '#wire/tracker-api';
import type { CommandLog } from '../../apps/tracker/src/command-log/command-log.ts';
import type { Answer, ViewAnswer } from '../../apps/tracker/src/control/answers.ts';
import { CommandService } from '../../apps/tracker/src/control/command-service.ts';
import { TrackerMetrics } from '../../apps/tracker/src/control/metrics.ts';
import { PasswordGate } from '../../apps/tracker/src/control/password-gate.ts';
import { PeerDesk } from '../../apps/tracker/src/control/peer-desk.ts';
import { PushHub } from '../../apps/tracker/src/control/push-hub.ts';
import { Replies } from '../../apps/tracker/src/control/replies.ts';
import { ViewService } from '../../apps/tracker/src/control/view-service.ts';
import { GrantIssuer } from '../../apps/tracker/src/grants/grants.ts';
import { PresenceTable } from '../../apps/tracker/src/presence/presence.ts';
import type { Reachability } from '../../apps/tracker/src/presence/reachability.ts';
import { CheckpointWriter } from '../../apps/tracker/src/replica/checkpoint-writer.ts';
import { type AppliedRecord, Replica, type ReplicaOptions } from '../../apps/tracker/src/replica/replica.ts';
import type { StartingPoints } from '../../apps/tracker/src/replica/starting-points.ts';
import { registerTracker } from '../../apps/tracker/src/replica/tracker-registration.ts';
import { SnapshotComparison } from '../../apps/tracker/src/snapshots/snapshot-comparison.ts';
import { SnapshotStore } from '../../apps/tracker/src/snapshots/snapshot-store.ts';
import { takeSnapshot } from '../../apps/tracker/src/snapshots/snapshot-taking.ts';
import { SnapshotWriter } from '../../apps/tracker/src/snapshots/snapshot-writer.ts';
import { type Build, exchanging, NEWER_SCHEMA_VERSION, readingThrough, RIGHT_BUILD } from './builds.ts';
import { SimulatedHasher } from './simulated-hasher.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { IncomingRequest, Listener, SimulatedNetwork } from './simulated-network.ts';
import { SimulatedSnapshotFiles } from './simulated-snapshot-files.ts';
import { SimulatedProcess } from './simulated-world.ts';

/** A reply as it goes out. */
export type Reply = ReplyHead & { readonly status: string };

/** Where the parts of a tracker may be exchanged for wrong ones; planted by the tests of the tests. */
export interface TrackerPlants {
  build?(build: Build): Build;
  log?(log: CommandLog, start: { readonly isRestart: boolean; readonly process: SimulatedProcess }): CommandLog;
  startingPoints?(points: StartingPoints): StartingPoints;
  readonly following?: Pick<ReplicaOptions, 'heedsCheckpoints'>;
  replica?(replica: Replica, log: CommandLog): Replica;
  /** What the views, and the look for sources with its grants, see of the replica. */
  seenByViews?(replica: Replica): Replica;
  seenBySources?(replica: Replica): Replica;
  grants?(grants: GrantIssuer): GrantIssuer;
  comparison?(comparison: SnapshotComparison): SnapshotComparison;
  presenceNow?(now: () => number): () => number;
  pushes?(pushes: Observable<Push>): Observable<Push>;
  applied?(replica: Replica, record: AppliedRecord): void;
  started?(replica: Replica, start: { readonly isRestart: boolean }): void;
  /** What trackers and the check of them take for the digest. */
  readonly digest?: (digest: string, state: State) => string;
}

/** What is told of a tracker while it runs. */
export interface TrackerObserver {
  applied(tracker: SimulatedTracker, offset: number): void;
  halted(tracker: SimulatedTracker, reason: Error): void;
  /** It computes everything anew because another tracker's snapshot is not as its own. */
  doubted(tracker: SimulatedTracker, reason: string): void;
  asked(tracker: SimulatedTracker, request: IncomingRequest): void;
  replied(tracker: SimulatedTracker, request: IncomingRequest, reply: Reply): void;
  pushed(tracker: SimulatedTracker, peerId: string, push: Push): void;
  /** A peer's stream of pushes has ended. */
  unsubscribed(tracker: SimulatedTracker, peerId: string): void;
}

export interface TrackerOptions {
  readonly name: string;
  readonly identity: Identity;
  readonly host: string;
  readonly port: number;
  readonly network: SimulatedNetwork;
  readonly log: SimulatedLog;
  readonly observer: TrackerObserver;
  readonly plants: TrackerPlants;
  /** Snapshots are this far apart; the product's are for longer logs. */
  readonly snapshotRecords: number;
}

/** As often as the product's module looks whether a checkpoint is due. */
const LOOK_MS = 1_000;
const INSTALL_MS_MAX = 2_000;

type Parts = ReturnType<typeof partsOf>;

export class SimulatedTracker {
  readonly options: TrackerOptions;
  /** How many times it has been started. */
  starts = 0;
  /** Its snapshots, which outlive its processes. */
  readonly files = new SimulatedSnapshotFiles();
  /** Programs that it runs or ran, the one of its next start last. */
  readonly #builds: Build[] = [RIGHT_BUILD];
  /** By how much its clock was set back in all. */
  clockSetBackMs = 0;
  #process: SimulatedProcess;
  #parts: Parts | null = null;

  constructor(options: TrackerOptions) {
    this.options = options;
    this.#process = new SimulatedProcess(options.network.world, options.name);
  }

  get address(): string {
    return `${this.options.host}:${this.options.port}`;
  }

  get build(): Build {
    return this.#builds.at(-1)!;
  }

  /** Whether anything that it has may be wrong: a wrong program's snapshot outlives the program. */
  get hasErred(): boolean {
    return this.#builds.some((build) => build.hasErred());
  }

  get isUp(): boolean {
    return this.#parts !== null;
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  /** The replica of the running process. */
  get replica(): Replica {
    if (this.#parts === null) throw new Error(`${this.options.name} is not up`);
    return this.#parts.replica;
  }

  /** What the running process has found out about the snapshots of others. */
  get comparison(): SnapshotComparison {
    if (this.#parts === null) throw new Error(`${this.options.name} is not up`);
    return this.#parts.comparison;
  }

  get digest(): string {
    const { digest, state } = this.replica;
    return this.options.plants.digest?.(digest, state) ?? digest;
  }

  /** Sets the clock of its machine. */
  setClock(aheadMs: number): void {
    this.clockSetBackMs += Math.max(0, this.#process.clockSkewMs - aheadMs);
    this.#process.clockSkewMs = aheadMs;
  }

  /** Starts a process that knows nothing but its key. */
  start(): void {
    const { world } = this.options.network;
    const { clockSkewMs } = this.#process;
    this.starts += 1;
    this.#process = new SimulatedProcess(world, `${this.options.name}#${this.starts}`);
    this.#process.clockSkewMs = clockSkewMs;
    world.trace(`${this.#process.name} starts`);
    world.at(this.#process, 0, () => this.#begin());
  }

  /** Ends it as a kill does, or as a power cut: then its peers are not told. */
  kill({ isTold }: { isTold: boolean }): void {
    this.options.network.world.trace(`${this.#process.name} is killed`);
    this.#process.kill();
    this.files.crash(this.options.network.world.draws);
    this.#parts = null;
    this.options.network.vanish(this.address, { isTold });
  }

  /** Lets it go on, whatever has befallen it. */
  recover(): void {
    if (this.#process.isPaused) this.#process.resume();
    if (!this.#process.isAlive) this.start();
  }

  /** Ends what it runs, and starts another program after a moment. */
  install(build: Build): void {
    const { world } = this.options.network;
    world.trace(`${this.options.name} is given another build`);
    this.#builds.push(build);
    if (!this.#process.isAlive) return;
    if (this.#process.isPaused) this.#process.resume();
    this.kill({ isTold: true });
    world.at(null, world.draws.between(0, INSTALL_MS_MAX), () => this.recover());
  }

  #begin(): void {
    const process = this.#process;
    const { network, observer, plants } = this.options;
    const parts = partsOf(this.options, {
      ...{ process, build: this.build, files: this.files, isRestart: this.starts > 1 },
      doubted: (reason) => observer.doubted(this, reason),
    });
    this.#parts = parts;
    parts.replica.onApplied((record) => {
      plants.applied?.(parts.replica, record);
      observer.applied(this, record.offset);
    });
    void parts.replica.halted.then((reason) => observer.halted(this, reason));
    network.listen(this.address, this.#listener(parts, process));
    this.#becomeReady(parts.replica).catch((error: unknown) => observer.halted(this, error as Error));
  }

  async #becomeReady(replica: Replica): Promise<void> {
    if (!(await replica.start())) return;
    this.options.plants.started?.(replica, { isRestart: this.starts > 1 });
    const { identity } = this.options;
    const { signal } = new AbortController();
    await registerTracker(replica, { identity, address: this.address, now: Date.now, signal });
    replica.serve();
    this.options.network.world.trace(`${this.#process.name} serves`);
  }

  #listener(parts: Parts, process: SimulatedProcess): Listener {
    const { observer, identity, plants } = this.options;
    return {
      process,
      trackerId: identity.id,
      answer: async (request) => {
        observer.asked(this, request);
        const reply = parts.replies.withHead(await answerOf(parts, request));
        // What was killed meanwhile may still come to an answer, which leaves it no more.
        if (this.#parts === parts) observer.replied(this, request, reply);
        return reply;
      },
      pushes: ({ peerId, address }, socket: Socket): Observable<Push> => {
        const pushes = parts.desk.pushes({ peerId, address }, socket);
        return (plants.pushes?.(pushes) ?? pushes).pipe(
          tap((push) => observer.pushed(this, peerId, push)),
          finalize(() => observer.unsubscribed(this, peerId)),
        );
      },
    };
  }
}

/** How a tracker is started, and what is told of it meanwhile. */
interface Start {
  readonly process: SimulatedProcess;
  readonly build: Build;
  readonly files: SimulatedSnapshotFiles;
  readonly isRestart: boolean;
  readonly doubted: (reason: string) => void;
}

function partsOf(
  { identity, log, plants, snapshotRecords: intervalRecords }: TrackerOptions,
  { process, build: installed, files, isRestart, doubted }: Start,
) {
  const trackerId = identity.id;
  const now = Date.now;
  const build = plants.build?.(installed) ?? installed;
  const opened = readingThrough(log.openFor(process), (batch) => batch.map((stored) => build.reads(stored)));
  const followed = plants.log?.(opened, { isRestart, process }) ?? opened;
  const store = new SnapshotStore(files, () => undefined);
  const points = countingRestores(store, files);
  const startingPoints = plants.startingPoints?.(points) ?? points;
  const { rules } = build;
  const own = new BuildReplica(build, { log: followed, now, rules, startingPoints, ...plants.following });
  const replica = plants.replica?.(own, followed) ?? own;
  const metrics = new TrackerMetrics();
  const hasSession = (peerId: string): boolean => replica.state.sessions.has(peerId);
  const presence = new PresenceTable({ now: plants.presenceNow?.(now) ?? now, hasSession });
  // Nobody can be connected to here: what is reachable is never known.
  const reachability = { ask: () => null } as unknown as Reachability;
  const passwords = new PasswordGate({ replica, hasher: new SimulatedHasher(), now });
  const pushes = new PushHub({ replica, presence, metrics });
  const commands = new CommandService({ replica, passwords, metrics, trackerId, now, processLog: SILENT_LOG });
  const viewsOf = (seen: Replica): ViewService => {
    const issuer = new GrantIssuer({ replica: seen, identity, now });
    return new ViewService({ replica: seen, presence, grants: plants.grants?.(issuer) ?? issuer, now });
  };
  const views = viewsOf(plants.seenByViews?.(replica) ?? replica);
  const sourceViews = plants.seenBySources === undefined ? views : viewsOf(plants.seenBySources(replica));
  const desk = new PeerDesk({ replica, presence, reachability, pushes, files: { watch: () => [] }, now });
  const replies = new Replies({ replica, metrics, trackerId });
  const author = { identity, now };
  const checkpoints = new CheckpointWriter({ replica, author, monotonicNow: () => performance.now() });
  const comparing = comparisonOf(replica, doubted);
  const comparison = plants.comparison?.(comparing) ?? comparing;
  const snapshots = snapshotWriterOf({ replica, store, files, log: followed, build, intervalRecords });
  setInterval(() => {
    void checkpoints.look();
    comparison.look();
    void snapshots.look();
  }, LOOK_MS);
  return { replica, commands, views, sourceViews, desk, replies, comparison };
}

function countingRestores(store: SnapshotStore, files: SimulatedSnapshotFiles): StartingPoints {
  return exchanging<StartingPoints>(store, {
    load: async (restart) => {
      const derived = await store.load(restart);
      if (derived !== null) files.restoreCount += 1;
      return derived;
    },
  });
}

function comparisonOf(replica: Replica, doubted: Start['doubted']): SnapshotComparison {
  const computeAnew = (reason: string): void => {
    doubted(reason);
    replica.computeAnew(reason);
  };
  return new SnapshotComparison({ replica: exchanging(replica, { computeAnew }), warn: () => undefined });
}

/** What the product does in a thread of its own. */
function snapshotWriterOf(from: {
  replica: Replica;
  store: SnapshotStore;
  files: SimulatedSnapshotFiles;
  log: CommandLog;
  build: Build;
  intervalRecords: number;
}): SnapshotWriter {
  const { replica, store, files, log, build } = from;
  const warn = (): void => undefined;
  return new SnapshotWriter({
    replica,
    store,
    take: (order, signal) =>
      takeSnapshot(order, {
        store: new BuildStore(build, files),
        read: (fromOffset, ended) => log.read(fromOffset, ended),
        signal,
        rules: build.rules,
        turn: () => undefined,
      }),
    monotonicNow: () => performance.now(),
    warn,
    intervalRecords: from.intervalRecords,
  });
}

/** A store that writes what its build makes of a state. */
class BuildStore extends SnapshotStore {
  readonly #build: Build;

  constructor(build: Build, files: SimulatedSnapshotFiles) {
    super(files, () => undefined);
    this.#build = build;
  }

  override save(...[derived, turn]: Parameters<SnapshotStore['save']>): ReturnType<SnapshotStore['save']> {
    this.#build.keeps(derived.state);
    return super.save(derived, turn);
  }
}

/** A replica whose peers' commands are written in the schema of its build. */
class BuildReplica extends Replica {
  readonly #build: Build;

  constructor(build: Build, options: ReplicaOptions) {
    super(options);
    this.#build = build;
  }

  override submit(...[record, options]: Parameters<Replica['submit']>): ReturnType<Replica['submit']> {
    const isNewer = record.actor.kind === 'peer' && Math.random() < this.#build.newerChance(this.state.rulesVersion);
    return super.submit(isNewer ? { ...record, schemaVersion: NEWER_SCHEMA_VERSION } : record, options);
  }
}

/** What the controllers do with a payload that is well-formed; peers of a simulation send no other. */
function answerOf(
  { commands, views, sourceViews, desk }: Parts,
  { pattern, payload, caller }: IncomingRequest,
): Promise<Answer | ViewAnswer<object>> | ViewAnswer<object> {
  if (PEER_COMMAND_NAMES.includes(pattern as PeerCommandName)) {
    const { body, ...request } = payload as CommandRequest;
    return commands.run({ name: pattern as PeerCommandName, request, body, caller });
  }
  switch (pattern) {
    case TRACKER_PATTERNS.hello:
      return { status: 'accepted', view: desk.hello(caller) };
    case TRACKER_PATTERNS.presence:
      return { status: 'accepted', view: desk.present(payload as PresenceRequest, caller) };
    case TRACKER_PATTERNS.listGroups:
      return views.groups(payload as ListRequest, caller);
    case TRACKER_PATTERNS.listMembers:
      return views.members(payload as GroupListRequest, caller);
    case TRACKER_PATTERNS.listRequests:
      return views.requests(payload as GroupListRequest, caller);
    case TRACKER_PATTERNS.listFiles:
      return views.files(payload as FileListRequest, caller);
    case TRACKER_PATTERNS.listSessions:
      return views.sessions(payload as ViewRequest, caller);
    case TRACKER_PATTERNS.findSources:
      return sourceViews.sources(payload as FindSourcesRequest, caller);
    case TRACKER_PATTERNS.commandOutcome:
      return views.commandOutcome(payload as CommandOutcomeRequest, caller);
    default:
      throw new Error(`no peer asks for ${pattern}`);
  }
}
