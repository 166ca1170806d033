// Owns how each alert is caused for real: processes are killed, the log is locked, a disk is filled, bytes are changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import type { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { NodeProcess, runCohort } from '../../infra/quick-start/node-process.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { signedCheckpointNote } from '../../apps/tracker/src/replica/checkpoint-signature.ts';
import { Replica } from '../../apps/tracker/src/replica/replica.ts';
import { submitAsTracker } from '../../apps/tracker/src/replica/tracker-registration.ts';
import { busyLog } from '../bench/busy-log.ts';
import { GROUP, joined, peerOf, type WatchedPeer } from './watched-system.ts';

const MIB = 1024 * 1024;
const APPENDED_AT_ONCE = 1_000;
/** What the small disk is called among the mounts, with the process that it is for. */
const SMALL_DISK = 'cohort-cramped-';

/** The log of a system, as `--log` takes it. */
export function logOf({ folder }: LocalSystem): string {
  return `sqlite:${join(folder, 'cohort-log.sqlite')}`;
}

/** A member who changes bytes of what it sends. */
export function hostileMember(system: LocalSystem): Promise<WatchedPeer> {
  const lying = new URL('lying-workers.ts', import.meta.url).href;
  const environment = { NODE_OPTIONS: `--import ${lying}`, COHORT_BENCH_FAULT: 'corrupts' };
  return joined(system, { user: 'mallory', environment });
}

/** Changes a byte where it lies, as a bad disk does: the file has the time that it had. */
export async function rot(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, MIB);
  await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, MIB);
  await file.close();
  await utimes(path, 1, 1);
}

/** Lets nobody else write to the log; returns what ends that. */
export function lockLog({ folder }: LocalSystem): () => void {
  const database = new DatabaseSync(join(folder, 'cohort-log.sqlite'));
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}

/** Appends a checkpoint of the second tracker that says something else than the log comes to; its offset. */
export async function falseCheckpoint(system: LocalSystem): Promise<number> {
  const identity = await loadOrCreateIdentity(system.trackers[1]!.dataDirectory);
  const log = await openCommandLog({ url: logOf(system), trackerInfoPath: null });
  const replica = new Replica({ log, now: Date.now, heedsCheckpoints: false });
  try {
    await replica.start();
    const note = signedCheckpointNote(identity, { ...replica.checkpoint()!, digest: 'f'.repeat(64) });
    const command = { name: 'checkpoint', data: { note } } as const;
    const done = await submitAsTracker(replica, { identity, now: Date.now }, { command, sealed: null });
    return done!.offset;
  } finally {
    await replica.stop();
    await log.close();
  }
}

/** Rules against a checkpoint. */
export async function ruleAgainst(system: LocalSystem, offset: number): Promise<void> {
  const { dataDirectory } = system.trackers[0]!;
  await runCohort(['operator', 'resolve_checkpoint', String(offset), '--data-dir', dataDirectory]);
}

/** A log of another cluster, long enough that reading it takes a while. */
export async function otherLog(folder: string, identity: Identity): Promise<string> {
  await mkdir(folder, { recursive: true });
  const url = `sqlite:${join(folder, 'log.sqlite')}`;
  const log = await openCommandLog({ url, trackerInfoPath: null });
  const records = busyLog(identity, 20_000).map((value) => ({ value, sealed: null }));
  for (let from = 0; from < records.length; from += APPENDED_AT_ONCE) {
    await log.append(records.slice(from, from + APPENDED_AT_ONCE));
  }
  await log.close();
  return url;
}

/** A tracker that follows the log of another cluster; told to answer Prometheus at `http`. */
export async function strayTracker(folder: string, http: string): Promise<NodeProcess> {
  const dataDirectory = join(folder, 'data');
  await runCohort(['keys', 'init', '--data-dir', dataDirectory]);
  const url = await otherLog(folder, await loadOrCreateIdentity(dataDirectory));
  const [port] = await freePorts('127.0.0.1', [0]);
  await writeFile(join(folder, 'tracker_info.txt'), `127.0.0.1:${port}\n`);
  const words = ['tracker', join(folder, 'tracker_info.txt'), '1', '--data-dir', dataDirectory, '--log', url];
  return new NodeProcess({ name: 'a stray tracker', words: [...words, '--http', http] });
}

/** A peer whose disk is small and nearly full; null where no small file system can be mounted. */
export async function crampedPeer(system: LocalSystem): Promise<WatchedPeer | null> {
  const folder = join(system.folder, 'cramped');
  await mkdir(folder, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', `${SMALL_DISK}${process.pid}`, folder]);
  if (mounted.status !== 0) return null;
  unmountLeftovers();
  const peer = await joined(system, { user: 'cramped' });
  await writeFile(join(folder, 'ballast'), Buffer.alloc(7.5 * MIB));
  return peer;
}

/** Lets go of the small disk. */
export function unmountCramped({ folder }: LocalSystem): void {
  spawnSync('umount', ['-l', join(folder, 'cramped')], { stdio: 'ignore' });
}

/** The same of those whose process was killed before it could. */
function unmountLeftovers(): void {
  for (const mount of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [source = '', folder = ''] = mount.split(' ');
    if (!source.startsWith(SMALL_DISK) || existsSync(`/proc/${source.slice(SMALL_DISK.length)}`)) continue;
    spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
  }
}

/** Gives the only thread of a peer more to hash than it gets done soon; returns what ends that. */
export async function keepBusy(system: LocalSystem, { control, user }: WatchedPeer): Promise<() => Promise<void>> {
  const path = join(system.folder, `large-of-${user}`);
  await writeFile(path, '');
  // Nothing of it is on the disk: it is zeros, and they take their time to be hashed.
  await truncate(path, 8_192 * MIB);
  const { body } = await control.command<{ result: { transferId: string } }>('upload_file', { group: GROUP, path });
  return async () => {
    await expectOk('cancel', control.post(`/transfers/${body.result.transferId}/cancel`));
  };
}

/** Asks a tracker for what it refuses without a record, many times. */
export async function annoy(system: LocalSystem): Promise<void> {
  const { http } = system.trackers[0]!;
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, () => fetch(`${http}/audit/log`)));
  }
}

/** Sends a command of alice that the log does not take. */
export async function failingCommand(system: LocalSystem): Promise<string> {
  const { body } = await peerOf(system, 'alice').control.command<{ code?: string }>('create_group', {
    group: 'locked',
  });
  return body.code ?? 'accepted';
}
