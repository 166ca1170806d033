// A small log in memory for tests: appends commands as a tracker would stamp them and applies each at once.
import { apply, type Applied } from '#domain/apply';
import type { Checkpoint } from '#domain/checkpoint';
import type { Command, CommandData, CommandName } from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import type { Actor, LogRecord } from '#domain/record';
import { emptyState, type State } from '#domain/state';

export const TRACKER_ID = 'a'.repeat(64);
export const CONTENT_ID = 'c'.repeat(64);
export const OTHER_CONTENT_ID = 'd'.repeat(64);
export const COMMITMENT = 'e'.repeat(64);

/** Peer id of a user's peer in these tests: each user has one of its own. */
export function peerOf(user: string): string {
  return Buffer.from(user).toString('hex').padEnd(64, '2e').slice(0, 64);
}

interface About {
  readonly actor: Actor;
  readonly signer?: string | null;
  /** What the note of a checkpoint is taken to say. */
  readonly checkpoint?: Checkpoint | null;
  readonly id?: string;
  readonly seenOffset?: number;
  readonly timeMs?: number;
}

export class LogInMemory {
  readonly state: State = emptyState();
  readonly records: LogRecord[] = [];
  #ids = 0;

  /** A log with its genesis and one tracker. */
  static started(rulesVersion = NEWEST_RULES_VERSION): LogInMemory {
    const log = new LogInMemory();
    log.asTracker('genesis', { logId: 'b'.repeat(64), rulesVersion, publicKey: 'key' });
    log.asTracker('register_tracker', { trackerId: TRACKER_ID, publicKey: 'key', address: '127.0.0.1:1' });
    return log;
  }

  asTracker<Name extends CommandName>(
    name: Name,
    data: CommandData[Name],
    signer: string | null = TRACKER_ID,
  ): Applied {
    return this.append(name, data, { actor: { kind: 'tracker', trackerId: TRACKER_ID }, signer });
  }

  /** A checkpoint of everything so far; what is given differs from that. */
  checkpoint(said: Partial<Checkpoint> | null = {}): Applied {
    const size = this.state.appliedOffset + 1;
    const { logId, rulesVersion } = this.state;
    const own = { logId: logId!, size, root: '1'.repeat(64), digest: '2'.repeat(64), rulesVersion, build: 'test' };
    const checkpoint = said === null ? null : { ...own, ...said };
    const actor: Actor = { kind: 'tracker', trackerId: TRACKER_ID };
    return this.append('checkpoint', { note: 'note' }, { actor, signer: TRACKER_ID, checkpoint });
  }

  /** Sends a command from the user's peer, with a session when the user has one. */
  as<Name extends CommandName>(user: string, name: Name, data: CommandData[Name]): Applied {
    const peerId = peerOf(user);
    return this.append(name, data, {
      actor: { kind: 'peer', peerId, user: this.state.sessions.get(peerId)?.user ?? null },
    });
  }

  append<Name extends CommandName>(name: Name, data: CommandData[Name], about: About): Applied {
    const record: LogRecord = {
      id: about.id ?? this.nextId(),
      trackerId: TRACKER_ID,
      timeMs: about.timeMs ?? 1_000 + this.records.length,
      actor: about.actor,
      correlationId: 'test',
      seenOffset: about.seenOffset ?? this.state.appliedOffset,
      schemaVersion: 1,
      command: { name, data } as Command,
    };
    this.records.push(record);
    const { signer = null, checkpoint = null } = about;
    return apply(this.state, { offset: this.state.appliedOffset + 1, record, signer, checkpoint });
  }

  /** Makes a user and logs in on the user's peer. */
  signUp(...users: readonly string[]): void {
    for (const user of users) {
      const { outcomeOffset } = this.as(user, 'create_user', { user, commitment: COMMITMENT });
      this.as(user, 'login', { user, credentialOffset: outcomeOffset });
    }
  }

  /** Makes a group of the owner's with the given members. */
  group(group: string, owner: string, ...members: readonly string[]): void {
    this.as(owner, 'create_group', { group });
    for (const user of members) {
      this.as(user, 'join_group', { group });
      this.as(owner, 'accept_request', { group, user });
    }
  }

  share(user: string, group: string, file: string, contentId = CONTENT_ID): Applied {
    return this.as(user, 'upload_file', { group, file, contentId, ...SMALL_CONTENT });
  }

  nextId(): string {
    return `00000000-0000-4000-8000-${String(this.#ids++).padStart(12, '0')}`;
  }
}

export const SMALL_CONTENT = { totalBytes: 5, pieceBytes: 524_288, pieceCount: 1, hash: 'sha1' } as const;

/** The reason of a refusal, or 'accepted'. */
export function verdict({ outcome }: Applied): string {
  return outcome.status === 'rejected' ? outcome.reason : 'accepted';
}
