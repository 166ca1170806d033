// What the tests of outages look at: what a peer, a tracker and the command line say of what does not work.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { StatusView } from '#wire/control-status';
import type { PeerEventListView } from '#wire/control-events';
import { LAUNCHER } from '../../infra/quick-start/node-process.ts';
import { type Cluster, outcomeOf, type TestPeer, until } from './cluster.ts';

/** A tracker's /status, as far as outages show in it. */
export interface TroubledStatus {
  readonly ready: boolean;
  readonly reason: string | null;
  readonly logProblem: string | null;
  readonly appliedOffset: number;
}

/** What a command of the command line left. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** Runs `cohort <words>` to its end, whatever that is. */
export async function cohort(words: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [LAUNCHER, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (errors += more));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, errors };
}

/** Sends a command that has to fail with this code, within so long; returns what the person is told. */
export async function fails(
  peer: TestPeer,
  { group, code, withinMs, key }: { group: string; code: string; withinMs: number; key?: string },
): Promise<string> {
  const begin = performance.now();
  const answer = await peer.control.command('create_group', { group }, key);
  expect(outcomeOf(answer)).toBe(`503 ${code}`);
  expect(performance.now() - begin).toBeLessThan(withinMs);
  return (answer.body as unknown as { detail: string }).detail;
}

/** What brokers get to find each other again: a processor that others use as well makes half a minute of a few seconds. */
const BACK_WITHIN_MS = 90_000;

/** Waits until a command is accepted that was refused before, sent again under its id. */
export function untilAccepted(peer: TestPeer, group: string, key: string): Promise<true> {
  return until(
    `${group} is accepted`,
    async () => (await peer.outcome('create_group', { group }, key)) === '200 accepted',
    BACK_WITHIN_MS,
  );
}

/** Waits until a peer says at /status that commands fail with this code, null for that they do not. */
export async function untilOutage(peer: TestPeer, code: string | null): Promise<StatusView> {
  let status: StatusView | undefined;
  const look = async (): Promise<boolean> => {
    status = await peer.view<StatusView>('/status');
    return (status.outage?.code ?? null) === code;
  };
  await until(`${peer.name} says ${code}`, look, BACK_WITHIN_MS);
  return status!;
}

/** The outages that a peer has told of as events, in their order: a code, or null for their end. */
export async function outagesTold(peer: TestPeer): Promise<(string | null)[]> {
  const { items } = await peer.view<PeerEventListView>('/events?since=0&timeout=0');
  return items
    .filter(({ type }) => type === 'outage_changed')
    .map(({ data }) => (data as { outage: { code: string } | null }).outage?.code ?? null);
}

export async function troubleOf(cluster: Cluster, ordinal: number): Promise<TroubledStatus> {
  const { http } = cluster.system.trackers[ordinal - 1]!;
  return (await (await fetch(`${http}/status`)).json()) as TroubledStatus;
}

/** Mounts a small file system; false where that is not allowed. */
export function mounted(path: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status === 0;
}

export function remounted(path: string, options: string): boolean {
  return spawnSync('mount', ['-o', `remount,${options}`, path]).status === 0;
}

/** Shows a folder at another place, where nothing can be written; false where that is not allowed. */
export function mountedReadOnly(folder: string, path: string): boolean {
  return spawnSync('mount', ['--bind', folder, path]).status === 0 && remounted(path, 'bind,ro');
}

export function unmount(path: string): void {
  spawnSync('umount', ['-l', path]);
}
