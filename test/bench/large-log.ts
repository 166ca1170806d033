// Owns the log of a large community, as `npm run bench:state` fills one: users with their passwords, owners with a session and
// a group each, and files spread over the groups. Records are made as they are asked for: millions of them are never held.
import type { Command } from '#domain/command';
import type { Actor } from '#domain/record';
import type { Identity } from '#identity/identity';
import { encodeLogRecord } from '#wire/log-record';
import type { AppendRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { sealPassword } from '../../apps/tracker/src/credentials/credentials.ts';
import { signedTrackerRecord } from '../../apps/tracker/src/replica/record-signature.ts';
import { groupOf, hexOf, stampsAt, userOf } from './record-stamps.ts';

/** How many there are of each. */
export interface CommunitySize {
  readonly users: number;
  readonly groups: number;
  readonly shares: number;
}

/** The kinds of records, in the order in which they come. */
export type Phase = 'genesis' | 'users' | 'groups' | 'shares';

const SALT_CHARACTERS = 22;

/** The records of a log with so many of each, one after the other. */
export function* largeLog(identity: Identity, size: CommunitySize): Generator<[phase: Phase, record: AppendRecord]> {
  const log = new LargeLog(identity);
  yield ['genesis', log.genesis()];
  for (let user = 0; user < size.users; user++) yield ['users', log.user(user)];
  for (let group = 0; group < size.groups; group++) {
    yield ['groups', log.login(group)];
    yield ['groups', log.group(group)];
  }
  for (let share = 0; share < size.shares; share++) yield ['shares', log.share(share, share % size.groups)];
}

class LargeLog {
  readonly #identity: Identity;
  #offset = 0;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  genesis(): AppendRecord {
    const publicKey = Buffer.from(this.#identity.publicKeyDer).toString('base64');
    const { id, timeMs, seenOffset } = this.#stamps();
    const command: Command = { name: 'genesis', data: { logId: hexOf('log'), rulesVersion: 1, publicKey } };
    return {
      value: encodeLogRecord(signedTrackerRecord(this.#identity, { id, timeMs, seenOffset, command })),
      sealed: null,
    };
  }

  user(number: number): AppendRecord {
    const digits = hexOf(`password ${number}`);
    const phc = `$argon2id$v=19$m=19456,t=2,p=1$${digits.slice(0, SALT_CHARACTERS)}$${digits.slice(SALT_CHARACTERS)}`;
    const { sealed, commitment } = sealPassword(phc);
    const user = userOf(number);
    return this.#record({ name: 'create_user', data: { user, commitment } }, { number, user: null, sealed });
  }

  /** Of a user who was made by the record after the genesis with that number. */
  login(number: number): AppendRecord {
    const data = { user: userOf(number), credentialOffset: number + 1 };
    return this.#record({ name: 'login', data }, { number, user: null });
  }

  group(number: number): AppendRecord {
    const data = { group: groupOf(number) };
    return this.#record({ name: 'create_group', data }, { number, user: userOf(number) });
  }

  share(number: number, inGroup: number): AppendRecord {
    const file = `file-${number}.bin`;
    const content = { contentId: hexOf(file), totalBytes: 1_000_000, pieceBytes: 524_288, pieceCount: 2 };
    const data = { group: groupOf(inGroup), file, ...content, hash: 'sha1' } as const;
    return this.#record({ name: 'upload_file', data }, { number: inGroup, user: userOf(inGroup) });
  }

  #record(command: Command, by: { number: number; user: string | null; sealed?: string }): AppendRecord {
    const actor: Actor = { kind: 'peer', peerId: hexOf(`peer ${by.number}`), user: by.user };
    const { id: trackerId } = this.#identity;
    const value = encodeLogRecord({ ...this.#stamps(), trackerId, actor, command, signature: null });
    return { value, sealed: by.sealed ?? null };
  }

  #stamps() {
    return stampsAt(this.#offset++);
  }
}
