// Owns who watches the files of which groups, and tells them once a second what reads otherwise. It follows records and presence while
// somebody watches, costs nothing while nobody does, and what is told is computed once for all watchers of a group.
import type { Event } from '#domain/event';
import type { Group, Share, State } from '#domain/state';
import type { FileView, Push } from '#wire/tracker-api';
import type { DownloadingShare, PresenceTable } from '../presence/presence.ts';
import type { Replica } from '../replica/replica.ts';
import { ChangedFiles } from './changed-files.ts';
import type { PushHub } from './push-hub.ts';

/** How long changes are gathered, and how soon it is noticed that a silent peer is gone. */
const ROUND_MS = 1_000;

interface WatchParts {
  readonly replica: Pick<Replica, 'state' | 'appliedOffset' | 'onApplied'>;
  readonly presence: Pick<PresenceTable, 'onChange' | 'size'>;
  readonly pushes: Pick<PushHub, 'isListening' | 'tell' | 'onGone'>;
  readonly fileView: (group: Group, share: Share) => FileView;
}

interface WatchedGroup {
  readonly watchers: Set<string>;
  readonly changed: ChangedFiles;
}

export class FileWatch {
  readonly #parts: WatchParts;
  readonly #groups = new Map<string, WatchedGroup>();
  /** By peer id: the groups that it watches. */
  readonly #watchedBy = new Map<string, readonly string[]>();
  #state: State;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#state = parts.replica.state;
    parts.replica.onApplied(({ applied }) => this.#follow(applied.events));
    parts.presence.onChange((peerId, shares) => this.#followPresence(peerId, shares));
    parts.pushes.onGone((peerId) => this.#replace(peerId, []));
  }

  /** Groups that somebody watches. */
  get size(): number {
    return this.#groups.size;
  }

  /** From now on a peer watches these groups and no others, until its stream of pushes ends. Returns those that it watches. */
  watch(peerId: string, groups: readonly string[]): readonly string[] {
    const watched = this.#parts.pushes.isListening(peerId) ? [...new Set(groups)] : [];
    this.#replace(peerId, watched);
    return watched;
  }

  #replace(peerId: string, groups: readonly string[]): void {
    const before = this.#watchedBy.get(peerId) ?? [];
    for (const group of groups) this.#watchedGroup(group).watchers.add(peerId);
    for (const group of before) if (!groups.includes(group)) this.#leave(group, peerId);
    if (groups.length === 0) this.#watchedBy.delete(peerId);
    else this.#watchedBy.set(peerId, groups);
    if (this.#groups.size === 0) return this.#stop();
    this.#timer ??= setInterval(() => this.#tellAll(), ROUND_MS).unref();
  }

  #watchedGroup(group: string): WatchedGroup {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const watched = { watchers: new Set<string>(), changed: new ChangedFiles() };
    this.#groups.set(group, watched);
    return watched;
  }

  #leave(group: string, peerId: string): void {
    const watchers = this.#groups.get(group)?.watchers;
    watchers?.delete(peerId);
    if (watchers?.size === 0) this.#groups.delete(group);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #follow(events: readonly Event[]): void {
    if (this.#groups.size === 0) return;
    for (const event of events) {
      if ('group' in event) this.#groups.get(event.group)?.changed.note(event);
      else if ('peerId' in event) for (const { changed } of this.#groups.values()) changed.note(event);
    }
  }

  /** Anybody may say anything of groups of others: only what can reach one of their rows is looked at. */
  #followPresence(peerId: string, shares: readonly DownloadingShare[]): void {
    if (this.#groups.size === 0) return;
    const { state } = this.#parts.replica;
    const user = state.sessions.get(peerId)?.user;
    for (const [name, { changed }] of this.#groups) {
      // Of others nothing is shown as online: what they did is told by records.
      if (user !== undefined && state.groups.get(name)?.members.has(user) === true) changed.notePeer(peerId);
    }
    for (const { group, file } of shares) {
      if (state.groups.get(group)?.shares.has(file) === true) this.#groups.get(group)?.changed.noteFile(file);
    }
  }

  #tellAll(): void {
    // Looking at it lets go of whoever has been silent for too long.
    void this.#parts.presence.size;
    const { state } = this.#parts.replica;
    const isAnother = state !== this.#state;
    this.#state = state;
    for (const [name, { watchers, changed }] of this.#groups) {
      if (isAnother) changed.noteWhole();
      if (!changed.isEmpty) this.#tell(name, watchers, changed);
    }
  }

  #tell(name: string, watchers: ReadonlySet<string>, changed: ChangedFiles): void {
    const { replica, pushes } = this.#parts;
    const group = replica.state.groups.get(name);
    const push = this.#pushOf(name, group, changed);
    if (push === null) return;
    for (const peerId of watchers) {
      const user = replica.state.sessions.get(peerId)?.user;
      // Who is no member any more hears nothing of the group, and who comes back does again.
      if (user !== undefined && group?.members.has(user) === true) pushes.tell(peerId, push);
    }
  }

  #pushOf(name: string, group: Group | undefined, changed: ChangedFiles): Push | null {
    const { replica, fileView } = this.#parts;
    const news = changed.take(group);
    const about = { offset: replica.appliedOffset, group: name };
    if (news === 'read_anew' || group === undefined) return { type: 'files_reset', ...about };
    if (news.shares.length === 0 && news.removed.length === 0) return null;
    const items = news.shares.map((share) => fileView(group, share));
    return { type: 'files_changed', ...about, items, removed: news.removed };
  }
}
