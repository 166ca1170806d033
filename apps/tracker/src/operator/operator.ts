// Owns the commands of an operator: records signed with a tracker's key, appended straight to the log, so that they work
// whether or not that tracker runs. The data directory is only read.
import type { CheckpointRuling } from '#domain/checkpoint';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import type { Outcome } from '#domain/outcome';
import type { State } from '#domain/state';
import type { Identity } from '#identity/identity';
import { BadInput } from '#identity/start-input';
import { formatFingerprint } from '#wire/tracker-info';
import { lastLogUrl } from '../command-log/last-log.ts';
import { openCommandLog } from '../command-log/open-command-log.ts';
import { sealPassword } from '../credentials/credentials.ts';
import { PasswordHasher } from '../credentials/password-hasher.ts';
import { Replica } from '../replica/replica.ts';
import { type SealedCommand, submitAsTracker } from '../replica/tracker-registration.ts';
import { existingIdentity } from './existing-identity.ts';
import { greet, type Greeted } from './tracker-greeting.ts';

/** Where an operator's command goes, and whose key signs it. */
export interface OperatorTarget {
  readonly dataDirectory: string;
  /** The log's address; what the tracker itself last used when left out. */
  readonly logUrl: string | undefined;
  /** As `--kafka-client` takes it. */
  readonly kafkaClientFile: string | undefined;
}

/** reset_password: the user's sessions end, the new password is known to whoever typed it. */
export async function passwordReset(user: string, password: string): Promise<SealedCommand> {
  const { sealed, commitment } = sealPassword(await new PasswordHasher().hash(password));
  return { command: { name: 'reset_password', data: { user: user.normalize('NFC'), commitment } }, sealed };
}

/** A command with what has to hold in the state that it is given in: rejects with BadInput when it does not. */
export interface OrderedCommand extends SealedCommand {
  readonly refuseIn?: (state: State, identity: Identity) => Promise<void>;
}

/**
 * activate_rules: only a version that this build knows, and, unless it is forced, every tracker that runs: they stop at one that they
 * do not. Hears of those that do not answer.
 */
export function rulesActivation(
  rulesVersion: number,
  { isForced, tell }: { readonly isForced: boolean; readonly tell: (warning: string) => void },
): OrderedCommand {
  if (rulesVersion > NEWEST_RULES_VERSION) {
    throw new BadInput(`this build knows rules up to version ${NEWEST_RULES_VERSION}: every tracker would stop at it`);
  }
  const refuseIn = async ({ trackers }: State, identity: Identity): Promise<void> => {
    for (const greeted of await Promise.all([...trackers.values()].map((entry) => greet(entry, identity)))) {
      const name = `tracker ${greeted.trackerId.slice(0, 12)} at ${greeted.address}`;
      if (!greeted.runs) tell(`${name} does not answer: if it comes back with an older build, it stops at these rules`);
      else if ((greeted.newestRulesVersion ?? 0) < rulesVersion && !isForced)
        throw new BadInput(olderBuild(name, greeted));
    }
  };
  return { command: { name: 'activate_rules', data: { rulesVersion } }, sealed: null, refuseIn };
}

function olderBuild(name: string, { newestRulesVersion }: Greeted): string {
  const known =
    newestRulesVersion === null
      ? 'does not say which rules it knows'
      : `knows rules up to version ${newestRulesVersion}`;
  return `${name} runs an older build, which ${known}: upgrade it first, or let it stop with --force`;
}

/** resolve_checkpoint: an operator has looked into a checkpoint that did not agree, and rules what counts. */
export function checkpointResolution(offset: number, counts: CheckpointRuling): SealedCommand {
  return { command: { name: 'resolve_checkpoint', data: { offset, counts } }, sealed: null };
}

/** Appends the command; its outcome, or null when that is unknown. Throws BadInput and LogFailure. */
export async function runOperatorCommand(
  target: OperatorTarget,
  { refuseIn, ...sealedCommand }: OrderedCommand,
): Promise<{ outcome: Outcome; offset: number } | null> {
  const identity = await existingIdentity(target.dataDirectory);
  const url = target.logUrl ?? (await lastLogUrl(target.dataDirectory));
  const kafkaClientFile = target.kafkaClientFile ?? null;
  const log = await openCommandLog({ url, trackerInfoPath: null, kafkaClientFile, mustExist: true });
  const replica = new Replica({ log, now: Date.now, heedsCheckpoints: false });
  try {
    await readWhole(replica);
    if (!replica.state.trackers.has(identity.id)) {
      throw new BadInput(
        `${formatFingerprint(identity.id)} is no tracker of ${url}: give the --data-dir of one that is`,
      );
    }
    await refuseIn?.(replica.state, identity);
    return await submitAsTracker(replica, { identity, now: Date.now }, sealedCommand);
  } finally {
    await replica.stop();
    await log.close();
  }
}

/** Reads up to the log's end: a command is judged by all of it. */
async function readWhole(replica: Replica): Promise<void> {
  if (await replica.start()) return;
  const { readiness } = replica;
  if (!readiness.ready && readiness.reason === 'upgrade_required') throw new BadInput(readiness.detail);
  throw await replica.halted;
}
