// Owns which of the things that the parts of a tracker know anyway stand in /metrics: how the log and the state are, who is connected,
// and what two trackers are compared by.
import { BUILD } from '#wire/build';
import { TRACKER_TROUBLES, type TrackerTroubleReason } from '#wire/tracker-trouble';
import type { Figures, Sample } from '#metrics/figures';
import type { AuditDesk } from './audit/audit-desk.ts';
import type { CommandService } from './control/command-service.ts';
import type { FileWatch } from './control/file-watch.ts';
import type { PushHub } from './control/push-hub.ts';
import type { RpcServer } from './control/rpc-server.ts';
import type { PasswordHasher } from './credentials/password-hasher.ts';
import type { PresenceTable } from './presence/presence.ts';
import type { Replica } from './replica/replica.ts';
import type { SnapshotComparison } from './snapshots/snapshot-comparison.ts';

/** Who knows what is told. */
export interface FigureSources {
  readonly replica: Replica;
  readonly presence: PresenceTable;
  readonly hasher: PasswordHasher;
  readonly pushes: PushHub;
  readonly commands: CommandService;
  readonly rpcServer: RpcServer;
  readonly comparison: SnapshotComparison;
  readonly auditDesk: AuditDesk;
  readonly fileWatch: FileWatch;
}

/** Roots and digests of one offset in so many are held for good. */
const HELD_STEP = 1_024;
/** So many hexadecimal digits make a number that every reader of figures holds exactly. */
const COMPARED_DIGITS = 12;

/** Adds everything that is read when somebody asks. */
export function addFigures(figures: Figures, sources: FigureSources): void {
  figures.read({
    ...{ name: 'cohort_build_info', type: 'gauge', help: 'Always 1: which build this is.', labels: ['build'] },
    read: () => [[{ build: BUILD }, 1]],
  });
  addLogFigures(figures, sources.replica);
  addStateFigures(figures, sources.replica);
  addComparedFigures(figures, sources.replica);
  addServiceFigures(figures, sources);
}

function addLogFigures(figures: Figures, replica: Replica): void {
  const gauge = gaugesOf(figures);
  figures.read({
    ...{
      name: 'cohort_log_info',
      type: 'gauge',
      help: 'Always 1: which log this tracker follows.',
      labels: ['log_id'],
    },
    read: () => (replica.state.logId === null ? [] : [[{ log_id: replica.state.logId }, 1]]),
  });
  gauge('cohort_ready', '1 when this tracker takes commands.', () => Number(replica.readiness.ready));
  figures.read({
    name: 'cohort_unready',
    ...{ type: 'gauge', help: '1 for the reason why this tracker takes no commands.', labels: ['reason'] },
    read: () => unreadySamples(replica),
  });
  gauge('cohort_applied_offset', 'Offset of the last applied record.', () => replica.appliedOffset);
  gauge('cohort_end_offset', 'Offset after the last record of the log.', () => replica.endOffset);
  gauge(
    'cohort_log_lag_records',
    'Records of the log that are not applied yet.',
    () => replica.endOffset - replica.appliedOffset - 1,
  );
  gauge('cohort_log_problem', '1 while the log takes no records.', () => Number(replica.logProblem !== null));
  gauge('cohort_log_silent_seconds', 'For how long the log has not answered.', () => replica.logSilentMs() / 1_000);
}

function addStateFigures(figures: Figures, replica: Replica): void {
  const gauge = gaugesOf(figures);
  gauge('cohort_rules_version', 'Version of the rules in force.', () => replica.state.rulesVersion);
  gauge('cohort_users', 'Users in the state.', () => replica.state.users.size);
  gauge('cohort_groups', 'Groups in the state.', () => replica.state.groups.size);
  gauge('cohort_sessions', 'Sessions in the state.', () => replica.state.sessions.size);
  gauge(
    'cohort_passwords_unknown',
    'Users whose password hash is missing or changed.',
    () => replica.unknownPasswordCount,
  );
  gauge('cohort_checkpoint_covered_records', 'Records that the last checkpoint covers.', () => replica.coveredSize);
  gauge('cohort_checkpoint_news_records', 'Applied records that no checkpoint covers.', () => replica.newsCount);
  gauge('cohort_checkpoint_disputed', '1 while a checkpoint disputes the state.', () => Number(replica.isDisputed));
  gauge('cohort_snapshots', 'Snapshots that are kept.', () => replica.snapshots.length);
  gauge('cohort_snapshot_offset', 'Offset of the newest snapshot, -1 for none.', () => newestSnapshot(replica));
}

/** What another tracker says of the same offset is the same, or they are not of one log, or not of one mind. */
function addComparedFigures(figures: Figures, replica: Replica): void {
  const gauge = (name: string, help: string, value: (offset: number) => number | null): void =>
    figures.read({
      ...{ name, help, type: 'gauge', labels: ['step'] },
      read: () => comparedSamples(replica, value),
    });
  gauge('cohort_compared_offset', 'Offset that the compared root and digest are of.', (offset) => offset);
  gauge('cohort_compared_root', 'The first 48 bits of the Merkle root there.', (offset) =>
    asNumber(replica.rootAt(offset)),
  );
  gauge('cohort_compared_digest', 'The first 48 bits of the effect digest there.', (offset) =>
    asNumber(replica.digestAt(offset)),
  );
}

function addServiceFigures(figures: Figures, sources: FigureSources): void {
  const { presence, rpcServer, pushes, fileWatch, commands, auditDesk, hasher, comparison } = sources;
  const gauge = gaugesOf(figures);
  gauge('cohort_peers_online', 'Peers with a presence.', () => presence.size);
  gauge('cohort_peer_connections', 'Open connections of peers.', () => rpcServer.connectionCount);
  gauge('cohort_subscribers', 'Peers that listen for pushes.', () => pushes.size);
  gauge('cohort_watched_groups', 'Groups whose files somebody watches.', () => fileWatch.size);
  gauge('cohort_commands_under_way', 'Commands that wait for their outcome.', () => commands.underWayCount);
  gauge('cohort_audit_questions', 'Questions of auditors under way.', () => auditDesk.underWayCount);
  gauge('cohort_passwords_queued', 'Passwords that wait to be hashed.', () => hasher.queued);
  gauge('cohort_snapshots_differing', 'Trackers whose snapshot differs from this.', () => comparison.differingCount);
}

function gaugesOf(figures: Figures): (name: string, help: string, value: () => number) => void {
  return (name, help, read) => figures.read({ name, help, type: 'gauge', read });
}

/** What only peers say of a tracker. */
const OF_PEERS: ReadonlySet<TrackerTroubleReason> = new Set(['log_unavailable', 'key_changed']);

/** All reasons that a tracker has for itself, so that one that is over is seen to be. */
function unreadySamples({ readiness }: Replica): Sample[] {
  const now = readiness.ready ? null : readiness.reason;
  return TRACKER_TROUBLES.filter((reason) => !OF_PEERS.has(reason)).map((reason) => [
    { reason },
    Number(reason === now),
  ]);
}

/** The last applied record, and the last one of a whole block, which trackers that are at work have in common for longer. */
function comparedSamples(replica: Replica, valueOf: (offset: number) => number | null): Sample[] {
  const lastHeld = Math.floor((replica.appliedOffset + 1) / HELD_STEP) * HELD_STEP - 1;
  const offsets = [
    ['1', replica.appliedOffset],
    [String(HELD_STEP), lastHeld < 0 ? 0 : lastHeld],
  ] as const;
  return offsets.flatMap(([step, offset]) => {
    const value = offset > replica.appliedOffset || offset < 0 ? null : valueOf(offset);
    return value === null ? [] : [[{ step }, value] as const];
  });
}

function asNumber(hex: string | null): number | null {
  return hex === null ? null : Number.parseInt(hex.slice(0, COMPARED_DIGITS), 16);
}

function newestSnapshot({ snapshots }: Replica): number {
  return snapshots[0]?.offset ?? -1;
}
