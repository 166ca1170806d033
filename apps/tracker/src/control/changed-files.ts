// Owns which rows of one group's list of files may read otherwise since its watchers were told: by what records did, and by whose
// presence came or went. Pure: it is asked for the rows themselves when they are to be told.
import type { Event } from '#domain/event';
import { versionOf, versionsOf } from '#domain/share-versions';
import type { Group, Share } from '#domain/state';
import { FILES_CHANGED_MAX } from '#wire/limits';
import type { RemovedFile } from '#wire/tracker-api';

/** What is to be told: rows as they are now and rows that are gone, or that the list has to be read anew. */
export type FileNews = { readonly shares: readonly Share[]; readonly removed: readonly RemovedFile[] } | 'read_anew';

export class ChangedFiles {
  /** Files any version of which may read otherwise. */
  readonly #files = new Set<string>();
  /** By name and number: versions that were taken out. */
  readonly #removed = new Map<string, RemovedFile>();
  /** Peers that came, went, or say anew what they download. */
  readonly #peerIds = new Set<string>();
  #isWhole = false;

  get isEmpty(): boolean {
    return !this.#isWhole && this.#files.size === 0 && this.#removed.size === 0 && this.#peerIds.size === 0;
  }

  /** A record had an effect, in this group or on a session. */
  note(event: Event): void {
    switch (event.type) {
      case 'share_removed':
        this.#removed.set(`${event.version ?? 1} ${event.file}`, { file: event.file, version: event.version ?? 1 });
        // What was beneath it is the newest now.
        return this.noteFile(event.file);
      case 'file_shared':
      case 'version_shared':
      case 'seeder_added':
      case 'seeder_removed':
      case 'download_allowed':
        return this.noteFile(event.file);
      case 'session_started':
      case 'session_ended':
      case 'session_expired':
        return this.notePeer(event.peerId);
      case 'copies_set':
      case 'group_dissolved':
        return this.noteWhole();
      default:
    }
  }

  noteFile(file: string): void {
    if (this.#files.size <= FILES_CHANGED_MAX) this.#files.add(file);
    else if (!this.#files.has(file)) this.noteWhole();
  }

  notePeer(peerId: string): void {
    this.#peerIds.add(peerId);
  }

  /** Anything may read otherwise. */
  noteWhole(): void {
    this.#isWhole = true;
  }

  /** What there is to tell, of the group as it is now; from here on it counts as told. */
  take(group: Group | undefined): FileNews {
    const news = group === undefined || this.#isWhole ? 'read_anew' : this.#newsOf(group);
    this.#files.clear();
    this.#removed.clear();
    this.#peerIds.clear();
    this.#isWhole = false;
    return news;
  }

  #newsOf(group: Group): FileNews {
    const removed = [...this.#removed.values()].filter(({ file, version }) => !versionOf(group, file, version));
    const shares = [...this.#files].flatMap((file) => versionsOf(group, file));
    if (this.#peerIds.size > 0) {
      const known = new Set(shares);
      for (const file of group.shares.keys()) {
        for (const share of versionsOf(group, file))
          if (!known.has(share) && this.#isWithPeers(share)) shares.push(share);
        if (shares.length > FILES_CHANGED_MAX) break;
      }
    }
    return shares.length + removed.length > FILES_CHANGED_MAX ? 'read_anew' : { shares, removed };
  }

  #isWithPeers({ seeders, downloaders }: Share): boolean {
    return haveCommonKey(seeders, this.#peerIds) || (downloaders !== null && haveCommonKey(downloaders, this.#peerIds));
  }
}

function haveCommonKey(map: ReadonlyMap<string, unknown>, keys: ReadonlySet<string>): boolean {
  const [fewer, more] = map.size < keys.size ? [map, keys] : [keys, map];
  for (const key of fewer.keys()) if (more.has(key)) return true;
  return false;
}
