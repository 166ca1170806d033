// Owns what a tracker writes by itself when it starts: the `genesis` of an empty log, and its own key and address when the
// log does not have them. Two trackers may write a genesis at the same time; the first in the log wins.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import type { Outcome } from '#domain/outcome';
import type { Identity } from '#identity/identity';
import { LogFailure } from '../command-log/command-log.ts';
import { signedTrackerRecord } from './record-signature.ts';
import type { Replica } from './replica.ts';

/** Who writes into the log, and with what clock. */
export interface TrackerAuthor {
  readonly identity: Identity;
  readonly now: () => number;
}

/** One attempt to have a command of a tracker applied. */
const ATTEMPT_MS = 5_000;
const RETRY_MS = 250;

/** Appends what is missing and waits until it is applied, for as long as the log needs to take it. */
export async function registerTracker(
  replica: Replica,
  { address, signal, ...author }: TrackerAuthor & { address: string; signal: AbortSignal },
): Promise<void> {
  const publicKey = Buffer.from(author.identity.publicKeyDer).toString('base64');
  const trackerId = author.identity.id;
  while (!signal.aborted) {
    const command = missingCommand(replica, { trackerId, publicKey, address });
    if (command === null) return;
    await attempt(() => submitAsTracker(replica, author, command), signal);
  }
}

/** Appends a command signed by a tracker; its outcome, or null when that is unknown. Rejects with LogFailure. */
export async function submitAsTracker(
  replica: Replica,
  { identity, now }: TrackerAuthor,
  command: Command,
  sealed: string | null = null,
): Promise<{ outcome: Outcome; offset: number } | null> {
  const draft = { id: randomUUID(), timeMs: now(), seenOffset: replica.appliedOffset, command };
  const record = signedTrackerRecord(identity, draft);
  const applied = await replica.submit(record, { sealed, timeoutMs: ATTEMPT_MS });
  return applied === null ? null : { outcome: applied.outcome, offset: applied.outcomeOffset };
}

function missingCommand(
  { state }: Replica,
  own: { trackerId: string; publicKey: string; address: string },
): Command | null {
  if (state.logId === null) {
    const logId = randomBytes(32).toString('hex');
    return { name: 'genesis', data: { logId, rulesVersion: NEWEST_RULES_VERSION, publicKey: own.publicKey } };
  }
  const isKnown = state.trackers.get(own.trackerId)?.address === own.address;
  return isKnown ? null : { name: 'register_tracker', data: own };
}

async function attempt(run: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof LogFailure && error.retryable)) throw error;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
