// Owns looking at a tracker once, from outside: whether anything listens there, which key it shows, and what its hello says. It comes
// as a stranger with a key of its own, so that the connections of the peer on this machine are left alone, and trusts nothing.
import 'reflect-metadata';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import type { HostPort } from '#wire/host-port';
import { type HelloView, type ReplyHead, TRACKER_PATTERNS, type ViewReply } from '#wire/tracker-api';
import { TrackerClient } from './tracker-client.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const HELLO_TIMEOUT_MS = 3_000;

/** How far one came. `code` is the system's word for a connection that was not to be had, like `ECONNREFUSED`. */
export type ProbedTracker =
  | { readonly reached: 'nothing'; readonly code: string }
  /** Something takes connections and speaks no TLS of a tracker, or says nothing. */
  | { readonly reached: 'port'; readonly shownId: string | null }
  | {
      readonly reached: 'tracker';
      readonly shownId: string | null;
      readonly head: ReplyHead;
      /** How long it took to answer. */
      readonly tookMs: number;
      /** By how much its clock is ahead of this machine's; null when it does not say. */
      readonly aheadMs: number | null;
    };

/** Looks at several trackers at once. Rejects only when this machine cannot make a key. */
export async function probeTrackers(addresses: readonly HostPort[]): Promise<readonly ProbedTracker[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-doctor-'));
  try {
    const identity = await loadOrCreateIdentity(folder);
    return await Promise.all(addresses.map((address) => probe(address, identity)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function probe(address: HostPort, identity: Identity): Promise<ProbedTracker> {
  const code = await connectionTrouble(address);
  return code === null ? greet(address, identity) : { reached: 'nothing', code };
}

/** Why there is no connection, or null when there is one. */
async function connectionTrouble(address: HostPort): Promise<string | null> {
  const socket = connect(address);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return typeof code === 'string' && code !== 'ABORT_ERR' ? code : 'ETIMEDOUT';
  } finally {
    socket.destroy();
  }
}

async function greet(address: HostPort, identity: Identity): Promise<ProbedTracker> {
  let shownId: string | null = null;
  const admits = (id: string | null): boolean => {
    shownId = id;
    return true;
  };
  const client = new TrackerClient({ address, identity, admits });
  try {
    await client.connect();
    const askedAtMs = Date.now();
    const reply = await client.call<ViewReply<HelloView>>(TRACKER_PATTERNS.hello, {}, HELLO_TIMEOUT_MS);
    const answeredAtMs = Date.now();
    const { logId, trackerId, appliedOffset, trouble } = reply;
    const nowMs = reply.status === 'accepted' ? reply.view.nowMs : undefined;
    return {
      reached: 'tracker',
      shownId,
      head: { logId, trackerId, appliedOffset, trouble },
      tookMs: answeredAtMs - askedAtMs,
      aheadMs: nowMs === undefined ? null : Math.round(nowMs - (askedAtMs + answeredAtMs) / 2),
    };
  } catch {
    return { reached: 'port', shownId };
  } finally {
    client.destroy();
  }
}
