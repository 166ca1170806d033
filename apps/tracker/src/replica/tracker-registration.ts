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

/** A command with what travels beside its record, null for nothing. */
export interface SealedCommand {
  readonly command: Command;
  readonly sealed: string | null;
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
  const own = { trackerId: author.identity.id, publicKey, address };
  let command = missingCommand(replica, own);
  while (command !== null && replica.isReading && !signal.aborted) {
    const sealedCommand = { command, sealed: null };
    const done = await attempt(() => submitAsTracker(replica, author, sealedCommand), signal);
    const next = missingCommand(replica, own);
    // Another tracker's genesis may have been first; a refusal that leaves the same thing missing would come again for ever.
    if (done?.outcome.status === 'rejected' && next?.name === command.name) {
      throw new Error(`the log refuses this tracker's ${command.name}: ${done.outcome.reason}`);
    }
    command = next;
  }
}

/** Appends a command signed by a tracker; its outcome, or null when that is unknown. Rejects with LogFailure. */
export async function submitAsTracker(
  replica: Replica,
  { identity, now }: TrackerAuthor,
  { command, sealed }: SealedCommand,
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

async function attempt<Done>(run: () => Promise<Done>, signal: AbortSignal): Promise<Done | null> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LogFailure && error.retryable)) throw error;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    return null;
  }
}
