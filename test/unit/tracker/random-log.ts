// A log of random commands for tests: of few users, groups and files, so that commands meet, are refused and repeated; with
// passwords beside their records, bytes that are no records, and checkpoints right and wrong. One seed gives one log.
import type { Command, CommandName } from '#domain/command';
import type { Actor } from '#domain/record';
import { versionsOf } from '#domain/share-versions';
import type { Identity } from '#identity/identity';
import { encodeLogRecord } from '#wire/log-record';
import type { StoredRecord } from '../../../apps/tracker/src/command-log/command-log.ts';
import { sealPassword } from '../../../apps/tracker/src/credentials/credentials.ts';
import { signedCheckpointNote } from '../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { DerivedState } from '../../../apps/tracker/src/replica/derived-state.ts';
import { signedTrackerRecord } from '../../../apps/tracker/src/replica/record-signature.ts';
import { seeded } from '../../seeded-random.ts';
import { CONTENT_ID, OTHER_CONTENT_ID, peerOf, SMALL_CONTENT } from '../domain/log-of.ts';
import { newIdentity } from './new-identity.ts';

const TRACKERS = [newIdentity(), newIdentity()];
/** Whoever acts, and whatever is made and shared, is one of these. */
export const RANDOM_USERS: readonly string[] = ['alice', 'bob', 'çelik', 'dörte', 'erin', '\u{1f600}'];
export const RANDOM_GROUPS: readonly string[] = ['g', 'h', 'ü'];
export const RANDOM_FILES: readonly string[] = ['a', 'b.txt', 'Ω'];
const PHC = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo';

const START_MS = Date.UTC(2026, 0, 1);
/** Sessions last for as many records as a user's commands are apart. */
const RECORD_MS = 12 * 60 * 60 * 1_000;

type Draw = () => number;

interface About {
  readonly logId?: string;
  /** Whether all checkpoints are right. */
  readonly isTruthful?: boolean;
  /** Whether all text is Unicode, as trackers see to it. */
  readonly isWellFormed?: boolean;
  /** Whether version 3 of the rules comes, with files of many versions. */
  readonly hasVersions?: boolean;
}

/** The records of a random log, from its genesis on. */
export function randomRecords(seed: number, count: number, about: About = {}): StoredRecord[] {
  const { logId = 'b'.repeat(64) } = about;
  const log = new RandomLog(seeded(seed), about);
  log.begin(logId);
  while (log.records.length < count) log.step();
  return log.records;
}

/** What records come to, from offset 0 or on top of what there is. */
export function derivedOf(records: readonly StoredRecord[], derived = new DerivedState()): DerivedState {
  for (const stored of records) derived.apply(stored);
  return derived;
}

class RandomLog {
  readonly records: StoredRecord[] = [];
  readonly #derived = new DerivedState();
  readonly #draw: Draw;
  readonly #isTruthful: boolean;
  /** What is put into text that must not be there. */
  readonly #surrogate: string;
  readonly #hasVersions: boolean;

  constructor(draw: Draw, { isTruthful = false, isWellFormed = false, hasVersions = false }: About) {
    this.#draw = draw;
    this.#isTruthful = isTruthful;
    this.#surrogate = isWellFormed ? '' : '\ud800';
    this.#hasVersions = hasVersions;
  }

  begin(logId: string): void {
    const publicKey = (identity: Identity): string => Buffer.from(identity.publicKeyDer).toString('base64');
    const [one, two] = TRACKERS as [Identity, Identity];
    this.#byTracker(one, { name: 'genesis', data: { logId, rulesVersion: 1, publicKey: publicKey(one) } });
    for (const identity of [one, two]) {
      const data = { trackerId: identity.id, publicKey: publicKey(identity), address: `127.0.0.1:1${this.#surrogate}` };
      this.#byTracker(identity, { name: 'register_tracker', data });
    }
  }

  step(): void {
    const part = this.#draw();
    if (part < 0.02) this.#put(Buffer.from('{"specversion":"1.0"}'));
    else if (part < 0.04 && this.records.length > 20) this.#put(this.#one(this.records.slice(-20)).value);
    else if (part < 0.08) this.#checkpoint();
    else if (part < 0.1) this.#activateRules();
    else if (part < 0.25) this.#userCommand();
    else this.#groupCommand();
  }

  #activateRules(): void {
    const identity = this.#one(TRACKERS);
    const rulesVersion = this.#hasVersions ? this.#one([2, 3]) : 2;
    this.#byTracker(identity, { name: 'activate_rules', data: { rulesVersion } });
  }

  #checkpoint(): void {
    const identity = this.#one(TRACKERS);
    const wrong = !this.#isTruthful && this.#draw() < 0.2 ? { digest: 'f'.repeat(64) } : {};
    const note = signedCheckpointNote(identity, { ...this.#derived.checkpoint()!, ...wrong });
    this.#byTracker(identity, { name: 'checkpoint', data: { note } });
    if (this.#draw() > 0.3) return;
    const offset = this.records.length - 1 - Math.floor(this.#draw() * 3);
    const counts = this.#draw() < 0.5 ? 'log' : 'checkpoint';
    this.#byTracker(this.#one(TRACKERS), { name: 'resolve_checkpoint', data: { offset, counts } });
  }

  #userCommand(user = this.#one(RANDOM_USERS)): void {
    const sealed = this.#draw() < 0.9 ? sealPassword(PHC) : { sealed: null, commitment: 'e'.repeat(64) };
    const { commitment } = sealed;
    const credentialOffset = this.#derived.state.users.get(user)?.credentialOffset ?? 0;
    const names = [
      ...(['create_user', 'login', 'login', 'login', 'logout', 'renew_session'] as const),
      ...(['change_password', 'reset_password'] as const),
    ];
    const name = this.#derived.state.users.has(user) ? this.#one(names) : 'create_user';
    if (name === 'create_user') this.#as(user, name, { user, commitment }, sealed.sealed);
    else if (name === 'login') this.#as(user, name, { user, credentialOffset });
    else if (name === 'logout' || name === 'renew_session') this.#as(user, name, {});
    else if (name === 'change_password') this.#as(user, name, { credentialOffset, commitment }, sealed.sealed);
    else this.#byTracker(TRACKERS[0]!, { name: 'reset_password', data: { user, commitment } }, sealed.sealed);
  }

  #groupCommand(): void {
    const [group, file] = [this.#one(RANDOM_GROUPS), this.#one(RANDOM_FILES)];
    const [user, other] = this.#pairIn(group);
    // Who is nobody yet is mostly about to become somebody, or all that comes of a log would be refusals.
    if (!this.#derived.state.sessions.has(peerOf(user)) && this.#draw() < 0.8) return this.#userCommand(user);
    const contentId = this.#one([CONTENT_ID, CONTENT_ID, OTHER_CONTENT_ID]);
    const onMember = { group, user: other };
    const onFile = { group, file };
    const upload = { ...onFile, contentId, ...SMALL_CONTENT };
    const [name, data] = this.#one<[CommandName, object]>([
      ['create_group', { group }],
      ['join_group', { group }],
      ['join_group', { group }],
      ['leave_group', { group }],
      ['accept_request', onMember],
      ['accept_request', onMember],
      ['reject_request', onMember],
      ['remove_member', onMember],
      ['transfer_ownership', onMember],
      ['upload_file', upload],
      ['upload_file', upload],
      ['download_file', onFile],
      ['download_file', onFile],
      ['seed_file', { ...onFile, contentId }],
      ['stop_share', { ...onFile, everywhere: this.#draw() < 0.3 }],
      ...(this.#hasVersions ? this.#versionCommands({ group, file, contentId }) : []),
    ]);
    this.#as(user, name, data);
  }

  /** Mostly about versions that are there. */
  #versionCommands({
    contentId,
    ...onFile
  }: {
    group: string;
    file: string;
    contentId: string;
  }): [CommandName, object][] {
    const group = this.#derived.state.groups.get(onFile.group);
    const versions = group === undefined ? [] : versionsOf(group, onFile.file).map(({ version }) => version);
    const some = (): number => this.#one([...versions, ...versions, 1, 2]);
    const upload = { ...onFile, ...SMALL_CONTENT };
    return [
      ['set_copies', { group: onFile.group, copies: Math.floor(this.#draw() * 3) }],
      ['upload_file', { ...upload, contentId, replaces: versions[0] ?? 1 }],
      ['upload_file', { ...upload, contentId: OTHER_CONTENT_ID, replaces: versions[0] ?? 1 }],
      ['upload_file', { ...upload, contentId, replaces: some() }],
      ['download_file', { ...onFile, version: some() }],
      ['seed_file', { ...onFile, contentId, version: some() }],
      ['stop_share', { ...onFile, everywhere: this.#draw() < 0.3, version: some() }],
    ];
  }

  /** Who acts, and about whom: often the owner, about somebody who asks to join. */
  #pairIn(name: string): [user: string, other: string] {
    const [user, other] = [this.#one(RANDOM_USERS), this.#one(RANDOM_USERS)];
    const group = this.#derived.state.groups.get(name);
    if (group === undefined || this.#draw() < 0.5) return [user, other];
    return [
      this.#draw() < 0.5 ? group.owner : user,
      group.requests.size > 0 ? this.#one([...group.requests.keys()]) : other,
    ];
  }

  #as(user: string, name: CommandName, data: object, sealed: string | null = null): void {
    const peerId = peerOf(user);
    const known = this.#derived.state.sessions.get(peerId)?.user ?? null;
    // Nobody checks a name that a record claims before `apply`: also one that is no Unicode ends up in the state.
    const claimed = this.#draw() < 0.02 ? `x${this.#surrogate}` : known;
    const actor: Actor = { kind: 'peer', peerId, user: claimed };
    const { id, timeMs, seenOffset } = this.#stamps();
    const stamps = { id, timeMs, seenOffset, correlationId: id, schemaVersion: 1, trackerId: TRACKERS[0]!.id };
    const record = { ...stamps, actor, command: { name, data } as Command, signature: null };
    this.#put(encodeLogRecord(record), sealed);
  }

  #byTracker(identity: Identity, command: Command, sealed: string | null = null): void {
    this.#put(encodeLogRecord(signedTrackerRecord(identity, { ...this.#stamps(), command })), sealed);
  }

  #stamps() {
    const offset = this.records.length;
    const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`;
    return { id, timeMs: START_MS + offset * RECORD_MS + Math.floor(this.#draw() * 1e6), seenOffset: offset - 1 };
  }

  #put(value: Uint8Array, sealed: string | null = null): void {
    const stored = { offset: this.records.length, value, sealed, appendTimeMs: null };
    this.records.push(stored);
    this.#derived.apply(stored);
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#draw() * items.length)]!;
  }
}
