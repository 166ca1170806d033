// Owns how the parts of a tracker hang together, and the order in which they start and stop: the status port first, then
// the log, then the peers' port; a tracker that is still replaying answers both.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Group, Share } from '#domain/state';
import type { Identity } from '#identity/identity';
import { listenAddressOf } from '#identity/listen-address';
import { nestLoggerOf } from '#program/nest-logger';
import { PROCESS_LOG, type ProcessLog } from '#program/process-log';
import type { Traces } from '#program/traces';
import { type HostPort, networkOf } from '#wire/host-port';
import { REACHABILITY_BURST_MAX, REACHABILITY_REFILL_MS } from '#wire/limits';
import type { Figures } from '#metrics/figures';
import type { FileView } from '#wire/tracker-api';
import { AuditController, auditUrlOf, AuditWatch, watchAuditAddresses } from './audit/audit.controller.ts';
import { AuditDesk } from './audit/audit-desk.ts';
import { AuditKeys } from './audit/audit-keys.ts';
import type { CommandLog } from './command-log/command-log.ts';
import { MeasuredCommandLog } from './command-log/measured-command-log.ts';
import { CommandController } from './control/command.controller.ts';
import { CommandService } from './control/command-service.ts';
import { FileWatch } from './control/file-watch.ts';
import { TrackerMetrics } from './control/metrics.ts';
import { guardOperatorPort, OperatorDoor, operatorServerOptions } from './control/operator-door.ts';
import { PasswordGate } from './control/password-gate.ts';
import { PeerDesk } from './control/peer-desk.ts';
import { PushHub } from './control/push-hub.ts';
import { RateLimit } from './control/rate-limit.ts';
import { Replies } from './control/replies.ts';
import { RpcServer } from './control/rpc-server.ts';
import { StatusController, TrackerId } from './control/status.controller.ts';
import { ViewController } from './control/view.controller.ts';
import { ViewService } from './control/view-service.ts';
import { PasswordHasher } from './credentials/password-hasher.ts';
import { GrantIssuer } from './grants/grants.ts';
import { PresenceTable } from './presence/presence.ts';
import { Reachability } from './presence/reachability.ts';
import { CheckpointWriter } from './replica/checkpoint-writer.ts';
import { Replica } from './replica/replica.ts';
import { registerTracker } from './replica/tracker-registration.ts';
import { SnapshotComparison } from './snapshots/snapshot-comparison.ts';
import { SnapshotFolder } from './snapshots/snapshot-folder.ts';
import { SnapshotStore } from './snapshots/snapshot-store.ts';
import { takeInThread } from './snapshots/snapshot-thread.ts';
import { SnapshotWriter } from './snapshots/snapshot-writer.ts';
import { addFigures } from './tracker-figures.ts';

/** What a tracker is made of. */
export interface TrackerParts {
  readonly identity: Identity;
  readonly log: CommandLog;
  /** Where peers connect; port 0 takes a free one, for tests. */
  readonly rpc: HostPort;
  /** Where operators ask; port 0 takes a free one. */
  readonly http: HostPort;
  /** The address that is registered in the log, as tracker_info.txt has it. */
  readonly address: string;
  readonly processLog: ProcessLog;
  /** Nobody follows requests when it is left out. */
  readonly traces?: Traces;
  /** Where snapshots are kept; without it the whole log is read on every start. */
  readonly snapshots?: { readonly folder: string };
  /** Where the keys of auditors are; without it nobody has one. */
  readonly auditKeysFolder?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
}

/** A tracker that listens. */
export interface RunningTracker {
  readonly replica: Replica;
  /** Where peers really connect. */
  readonly rpc: HostPort;
  readonly http: HostPort;
  /** What its /metrics tells. */
  readonly figures: Figures;
  /**
   * Resolves when everything that the log held at the start is applied and this tracker is registered, or when the log cannot
   * be followed: `replica.readiness` says which.
   */
  readonly ready: Promise<void>;
  /** Stops listening and reading; the log is closed by whoever opened it. */
  stop(): Promise<void>;
}

/** How often it is looked whether a checkpoint or a snapshot is due. */
const LOOK_MS = 1_000;

@Module({ controllers: [CommandController, ViewController, StatusController, AuditController] })
class TrackerModule {}

/** Starts a tracker on an open log. Rejects when a port cannot be had. */
export async function startTracker(parts: TrackerParts): Promise<RunningTracker> {
  const stopping = new AbortController();
  const http = await listenAddressOf(parts.http);
  const services = servicesOf(parts);
  const { replica, reachability, rpcServer, checkpoints, comparison, snapshots, auditDesk, operatorDoor } = services;
  const adapter = new FastifyAdapter({ ...operatorServerOptions(), rewriteUrl: auditUrlOf });
  const listen = { name: parts.http.host, address: http.host };
  guardOperatorPort(adapter.getInstance(), listen, (code) => services.metrics.countRefusal(code));
  const application = await NestFactory.create<NestFastifyApplication>(moduleOf(services), adapter, {
    logger: nestLoggerOf(parts.processLog),
    abortOnError: false,
  });
  operatorDoor.watch(application.getHttpServer());
  watchAuditAddresses(application);
  application.connectMicroservice({ strategy: rpcServer });
  const looking = setInterval(() => {
    void checkpoints.look();
    comparison.look();
    void snapshots?.look();
  }, LOOK_MS);
  const stop = async (): Promise<void> => {
    stopping.abort();
    clearInterval(looking);
    reachability.stop();
    await Promise.all([checkpoints.stop(), auditDesk.stop()]);
    operatorDoor.close();
    await Promise.all([application.close(), replica.stop(), snapshots?.stop()]);
  };
  try {
    await application.listen(http.port, http.host);
    await application.startAllMicroservices();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    replica,
    http: { host: http.host, port: portOf(application.getHttpServer()) },
    rpc: { host: parts.rpc.host, port: portOf(rpcServer.unwrap<Server>()) },
    figures: services.metrics.figures,
    ready: becomeReady(replica, parts, stopping.signal),
    stop,
  };
}

async function becomeReady(replica: Replica, parts: TrackerParts, signal: AbortSignal): Promise<void> {
  if (!(await replica.start())) return;
  const { identity, address, now = Date.now } = parts;
  await registerTracker(replica, { identity, address, now, signal });
  if (!signal.aborted) replica.serve();
}

type Services = ReturnType<typeof servicesOf>;

function servicesOf({ identity, log, rpc, processLog, traces, now = Date.now, ...parts }: TrackerParts) {
  const trackerId = identity.id;
  const store = snapshotStoreOf({ ...parts, processLog });
  const metrics = new TrackerMetrics();
  const replica = new Replica({ log: measured(log, metrics), now, startingPoints: store });
  const hasSession = (peerId: string): boolean => replica.state.sessions.has(peerId);
  const presence = new PresenceTable({ now, hasSession });
  const tries = new RateLimit({ burst: REACHABILITY_BURST_MAX, refillMs: REACHABILITY_REFILL_MS, now });
  const reachability = new Reachability({ now, mayBegin: (askedFrom) => tries.take(networkOf(askedFrom)) });
  const hasher = new PasswordHasher();
  const passwords = new PasswordGate({ replica, hasher, now });
  const grants = new GrantIssuer({ replica, identity, now });
  const pushes = new PushHub({ replica, presence, metrics });
  const commands = new CommandService({ replica, passwords, metrics, trackerId, now, processLog, traces });
  const views = new ViewService({ replica, presence, grants, now });
  const fileView = (group: Group, share: Share): FileView => views.fileView(group, share);
  const fileWatch = new FileWatch({ replica, presence, pushes, fileView });
  const desk = new PeerDesk({ replica, presence, reachability, pushes, files: fileWatch, now });
  const replies = new Replies({ replica, metrics, trackerId });
  const rpcServer = new RpcServer(identity, rpc, {
    ...{ hasSession, traces },
    refused: (refusal) => metrics.countConnection(refusal),
  });
  const author = { identity, now };
  const operatorDoor = new OperatorDoor((refusal) => metrics.countConnection(refusal));
  const checkpoints = new CheckpointWriter({ replica, author, monotonicNow: () => performance.now() });
  const services = {
    replica,
    metrics,
    presence,
    reachability,
    hasher,
    pushes,
    commands,
    views,
    fileWatch,
    desk,
    replies,
    rpcServer,
    checkpoints,
    comparison: new SnapshotComparison({ replica, warn: (message) => processLog.warn(message) }),
    snapshots: snapshotWriterOf({ replica, store, log }, { ...parts, processLog }),
    auditDesk: new AuditDesk(log),
    auditKeys: new AuditKeys(parts.auditKeysFolder ?? null),
    auditWatch: auditWatchOf({ metrics, operatorDoor, processLog }),
    operatorDoor,
  };
  addFigures(metrics.figures, services);
  return { ...services, processLog, trackerId: new TrackerId(trackerId) };
}

function measured(log: CommandLog, metrics: TrackerMetrics): CommandLog {
  return new MeasuredCommandLog(log, (failure, seconds) => metrics.countAppend(failure, seconds));
}

interface AuditListening {
  readonly metrics: TrackerMetrics;
  readonly operatorDoor: OperatorDoor;
  readonly processLog: ProcessLog;
}

function auditWatchOf({ metrics, operatorDoor, processLog }: AuditListening): AuditWatch {
  return new AuditWatch({
    asked: (view) => metrics.countAudit(view),
    refused: (code) => metrics.countRefusal(code),
    known: (socket) => operatorDoor.admit(socket),
    bug: (error) => processLog.error('a bug', { error }),
  });
}

type SnapshotParts = Pick<TrackerParts, 'snapshots' | 'processLog'>;

function snapshotStoreOf({ snapshots, processLog }: SnapshotParts): SnapshotStore | null {
  if (snapshots === undefined) return null;
  return new SnapshotStore(new SnapshotFolder(snapshots.folder), (message) => processLog.warn(message));
}

function snapshotWriterOf(
  { replica, store, log }: { replica: Replica; store: SnapshotStore | null; log: CommandLog },
  { snapshots, processLog }: SnapshotParts,
): SnapshotWriter | null {
  if (snapshots === undefined || store === null) return null;
  const warn = (message: string): void => processLog.warn(message);
  const take = takeInThread({ folder: snapshots.folder, log, warn });
  return new SnapshotWriter({ replica, store, take, warn, monotonicNow: () => performance.now() });
}

function moduleOf(services: Services): DynamicModule {
  const { replica, metrics, commands, views, desk, replies, trackerId, auditDesk, auditKeys, auditWatch } = services;
  const values = [replica, metrics, commands, views, desk, replies, trackerId, auditDesk, auditKeys, auditWatch];
  return {
    module: TrackerModule,
    providers: [
      ...values.map((value) => ({ provide: value.constructor as Type, useValue: value as object })),
      { provide: PROCESS_LOG, useValue: services.processLog },
    ],
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
