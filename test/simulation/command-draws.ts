// Owns which command is drawn for somebody, and with what in it: of every kind, so that most make sense as things stand and
// enough do not.
import { versionsOf } from '#domain/share-versions';
import type { Group, State } from '#domain/state';
import {
  type DownloadPresence,
  type PeerCommandBody,
  PEER_COMMAND_NAMES,
  type PeerCommandName,
} from '#wire/tracker-api';
import type { Draws } from './draws.ts';

/** How many different things there are. */
export interface WorldSize {
  readonly users: number;
  readonly groups: number;
  readonly files: number;
  /** Passwords that users may have, 1 or 2: with one, nobody who exists is refused for theirs. */
  readonly passwords: number;
}

/** For whom something is drawn. */
export interface Person {
  /** The id of their peer. */
  readonly id: string;
  /** Who is logged in on it. */
  readonly user: string | null;
  /** What it downloads. */
  readonly downloads: readonly DownloadPresence[];
}

export type CommandBody = PeerCommandBody<PeerCommandName>;

const PASSWORDS = ['a good password', 'a better password'];
const PIECE_BYTES = 524_288;

const WEIGHTS: Readonly<Record<PeerCommandName, number>> = {
  create_user: 3,
  login: 4,
  logout: 2,
  renew_session: 1,
  end_session: 1,
  change_password: 2,
  create_group: 4,
  join_group: 10,
  leave_group: 3,
  accept_request: 12,
  reject_request: 2,
  remove_member: 4,
  transfer_ownership: 2,
  set_copies: 1,
  upload_file: 14,
  download_file: 14,
  seed_file: 5,
  stop_share: 4,
};

export class CommandDraws {
  readonly #draws: Draws;
  /** As far as it is known. */
  readonly #state: State;
  readonly #size: WorldSize;
  readonly #passwords: readonly string[];

  constructor(draws: Draws, state: State, size: WorldSize) {
    this.#draws = draws;
    this.#state = state;
    this.#size = size;
    this.#passwords = PASSWORDS.slice(0, size.passwords);
  }

  name(person: Person): PeerCommandName {
    const draws = this.#draws;
    if (draws.chance(0.05)) return draws.pick(PEER_COMMAND_NAMES);
    if (person.user !== null) return draws.weighted(WEIGHTS);
    const users = this.#state.users.size;
    return draws.chance(users < this.#size.users / 2 ? 0.6 : 0.2) ? 'create_user' : 'login';
  }

  body(person: Person, name: PeerCommandName): CommandBody {
    const draws = this.#draws;
    const group = this.group(person, name);
    const share = name === 'seed_file' && draws.chance(0.7) ? this.#download(person) : this.share(person);
    switch (name) {
      case 'create_user':
      case 'login':
        return { user: this.#user(), password: this.#password() };
      case 'logout':
      case 'renew_session':
        return {};
      case 'end_session':
        return { peerId: this.#sessionPeer(person) };
      case 'change_password':
        return { password: this.#password(), newPassword: draws.pick(this.#passwords) };
      case 'create_group':
        return { group: `group-${draws.integer(1, this.#size.groups)}` };
      case 'join_group':
      case 'leave_group':
        return { group };
      case 'accept_request':
      case 'reject_request':
        return this.#ofGroup(group, (found) => found.requests);
      case 'remove_member':
      case 'transfer_ownership':
        return this.#ofGroup(group, (found) => found.members);
      case 'set_copies':
        return { group, copies: draws.integer(0, 3) };
      case 'upload_file':
        return this.#upload(person, group);
      case 'download_file':
        return { ...share, ...this.#version(share) };
      case 'seed_file':
        return { ...share, contentId: this.#contentIdOf(share), ...this.#version(share) };
      case 'stop_share':
        return { ...share, everywhere: draws.chance(0.3), ...this.#version(share) };
    }
  }

  /** A new file, or the next version of one that is there, mostly of the one that is the newest. */
  #upload(person: Person, group: string): CommandBody {
    const draws = this.#draws;
    const content = contentOf(draws);
    if (draws.chance(0.5)) return { ...content, group, file: `file-${draws.integer(1, this.#size.files)}` };
    const share = this.share(person);
    const newest = this.#state.groups.get(share.group)?.shares.get(share.file)?.version ?? 1;
    return { ...content, ...share, replaces: draws.chance(0.8) ? newest : draws.integer(1, 3) };
  }

  /** Mostly none is named, or one that is there. */
  #version({ group: name, file }: { group: string; file: string }): { version?: number } {
    const draws = this.#draws;
    if (draws.chance(0.7)) return {};
    const group = this.#state.groups.get(name);
    const versions = group === undefined ? [] : versionsOf(group, file).map(({ version }) => version);
    return { version: versions.length > 0 && draws.chance(0.8) ? draws.pick(versions) : draws.integer(1, 4) };
  }

  #user(): string {
    return `user-${this.#draws.integer(1, this.#size.users)}`;
  }

  #password(): string {
    return this.#draws.chance(0.8) ? this.#passwords[0]! : this.#passwords.at(-1)!;
  }

  /** Mostly a group where the command comes to something. */
  group(person: Person, name?: PeerCommandName): string {
    const draws = this.#draws;
    const user = person.user;
    const groups = [...this.#state.groups.values()];
    const fits = groups.filter((group) => user !== null && isUseful(group, user, name));
    if (fits.length > 0 && draws.chance(0.8)) return draws.pick(fits).name;
    return `group-${draws.integer(1, this.#size.groups)}`;
  }

  share(person: Person): { group: string; file: string } {
    const draws = this.#draws;
    const group = this.group(person);
    const files = [...(this.#state.groups.get(group)?.shares.keys() ?? [])];
    if (files.length > 0 && draws.chance(0.9)) return { group, file: draws.pick(files) };
    return { group, file: `file-${draws.integer(1, this.#size.files)}` };
  }

  /** Something of a download of somebody's, of whatever version. */
  download(person: Person): { group: string; file: string; version?: number } {
    const share = this.#download(person);
    return { ...share, ...this.#version(share) };
  }

  #download(person: Person): { group: string; file: string } {
    if (person.downloads.length === 0) return this.share(person);
    const { group, file } = this.#draws.pick(person.downloads);
    return { group, file };
  }

  #ofGroup(group: string, of: (found: Group) => ReadonlyMap<string, unknown>): { group: string; user: string } {
    const draws = this.#draws;
    const found = this.#state.groups.get(group);
    const users = found === undefined ? [] : [...of(found).keys()];
    return { group, user: users.length > 0 && draws.chance(0.9) ? draws.pick(users) : this.#user() };
  }

  #sessionPeer(person: Person): string {
    const draws = this.#draws;
    const peerIds = [...this.#state.sessions.keys()];
    return peerIds.length > 0 && draws.chance(0.7) ? draws.pick(peerIds) : person.id;
  }

  #contentIdOf({ group, file }: { group: string; file: string }): string {
    const found = this.#state.groups.get(group);
    const versions = found === undefined ? [] : versionsOf(found, file);
    return versions.length > 0 ? this.#draws.pick(versions).contentId : contentOf(this.#draws).contentId;
  }
}

function isUseful(group: Group, user: string, name: PeerCommandName | undefined): boolean {
  if (name === 'join_group') return !group.members.has(user);
  if (name === 'set_copies') return group.owner === user;
  if (name === 'accept_request' || name === 'reject_request') return group.owner === user && group.requests.size > 0;
  if (name === 'remove_member' || name === 'transfer_ownership') return group.owner === user && group.members.size > 1;
  return group.members.has(user);
}

function contentOf(draws: Draws) {
  const pieceCount = draws.integer(1, 3);
  return {
    contentId: `${draws.integer(0, 9)}`.repeat(64),
    totalBytes: pieceCount * PIECE_BYTES,
    pieceBytes: PIECE_BYTES,
    pieceCount,
    hash: 'sha1' as const,
  };
}
