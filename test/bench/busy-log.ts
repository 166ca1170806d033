// Owns the log of a busy community, as benchmarks replay it: users with a session each, groups of ten that they join, then
// files that come, are downloaded, seeded and given up again. All of it is accepted, and signed where a tracker signs.
import type { Command, CommandData } from '#domain/command';
import type { Actor } from '#domain/record';
import type { Identity } from '#identity/identity';
import { encodeLogRecord } from '#wire/log-record';
import { signedTrackerRecord } from '../../apps/tracker/src/replica/record-signature.ts';
import { groupOf, hexOf, stampsAt, userOf } from './record-stamps.ts';

const USERS_MAX = 1_000;
const GROUP_USERS = 10;
const COMMITMENT = 'e'.repeat(64);

/** Exactly `count` records (10 or more) from offset 0 on, as they stand in a log. */
export function busyLog(identity: Identity, count: number): Uint8Array[] {
  const log = new BusyLog(identity);
  log.begin();
  const groupCount = Math.min(USERS_MAX, Math.ceil(count / 200) * GROUP_USERS) / GROUP_USERS;
  for (let group = 0; group < groupCount; group++) log.gather(group);
  for (let file = 0; log.records.length < count; file++) log.passFile(file, file % groupCount);
  return log.records.slice(0, count);
}

class BusyLog {
  readonly records: Uint8Array[] = [];
  readonly #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  begin(): void {
    const publicKey = Buffer.from(this.#identity.publicKeyDer).toString('base64');
    const { id: trackerId } = this.#identity;
    this.#sign({ name: 'genesis', data: { logId: hexOf('log'), rulesVersion: 1, publicKey } });
    this.#sign({ name: 'register_tracker', data: { trackerId, publicKey, address: '192.0.2.1:9001' } });
  }

  /** Ten users, and the group of the first that the others join. */
  gather(number: number): void {
    const group = groupOf(number);
    const [owner, ...others] = Array.from({ length: GROUP_USERS }, (_, member) => memberOf(number, member));
    for (const user of [owner!, ...others]) {
      const credentialOffset = this.records.length;
      this.#append({ name: 'create_user', data: { user, commitment: COMMITMENT } }, { user, isLoggedIn: false });
      this.#append({ name: 'login', data: { user, credentialOffset } }, { user, isLoggedIn: false });
    }
    this.#append({ name: 'create_group', data: { group } }, { user: owner! });
    for (const user of others) {
      this.#append({ name: 'join_group', data: { group } }, { user });
      this.#append({ name: 'accept_request', data: { group, user } }, { user: owner! });
    }
  }

  /** A file's way through its group: most files stay, every fourth is given up by all who seed it. */
  passFile(number: number, inGroup: number): void {
    const where = { group: groupOf(inGroup), file: `file-${number}.bin` };
    const [sharer, first, second] = [0, 1, 2].map((step) => memberOf(inGroup, (number + step) % GROUP_USERS));
    const contentId = hexOf(where.file);
    this.#append({ name: 'upload_file', data: uploaded(where, contentId) }, { user: sharer! });
    for (const user of [first!, second!]) this.#append({ name: 'download_file', data: where }, { user });
    this.#append({ name: 'seed_file', data: { ...where, contentId } }, { user: first! });
    if (number % 4 !== 0) return;
    for (const user of [sharer!, first!]) {
      this.#append({ name: 'stop_share', data: { ...where, everywhere: false } }, { user });
    }
  }

  #sign(command: Command): void {
    const { id, timeMs, seenOffset } = stampsAt(this.records.length);
    this.records.push(encodeLogRecord(signedTrackerRecord(this.#identity, { id, timeMs, seenOffset, command })));
  }

  #append(command: Command, { user, isLoggedIn = true }: { user: string; isLoggedIn?: boolean }): void {
    const actor: Actor = { kind: 'peer', peerId: hexOf(user), user: isLoggedIn ? user : null };
    const { id: trackerId } = this.#identity;
    this.records.push(
      encodeLogRecord({ ...stampsAt(this.records.length), trackerId, actor, command, signature: null }),
    );
  }
}

function uploaded(where: { group: string; file: string }, contentId: string): CommandData['upload_file'] {
  return { ...where, contentId, totalBytes: 5, pieceBytes: 524_288, pieceCount: 1, hash: 'sha1' };
}

function memberOf(group: number, member: number): string {
  return userOf(group * GROUP_USERS + member);
}
