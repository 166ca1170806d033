// Owns how many others online have all of each share that this peer has, or fetches. It is soft, as the trackers' presence is: asked
// for while somebody looks at transfers, again when something of its shares changes, and unknown without them.
import { LIST_LIMIT_MAX } from '#wire/limits';
import type { FileView } from '#wire/tracker-api';
import type { GroupsWatch, LinkEvent, TrackerLink } from '../tracker-link/tracker-link.ts';
import type { TransferRecord } from './transfer-record.ts';

/** How long changes are gathered before the trackers are asked. */
const GATHER_MS = 1_000;
/** An answer that is younger is not asked for again by a look alone. */
const FRESH_MS = 10_000;
/** Files of one group that are asked about one by one; of more the whole group is. */
const FILES_ASKED_MAX = 16;

interface CountParts {
  readonly link: TrackerLink;
  readonly now: () => number;
  readonly records: () => readonly TransferRecord[];
}

export class CopyCounts {
  readonly #parts: CountParts;
  /** By share. */
  readonly #known = new Map<number, number>();
  readonly #changed = new Set<number>();
  /** Groups to ask about, with the shares of each that changed, by id their files, null for all of them; null for all groups. */
  #due: Map<string, Map<number, string> | null> | null = new Map();
  #timer: NodeJS.Timeout | null = null;
  #askedAtMs = -Infinity;
  /** While somebody looks: the groups that it has shares of. */
  #watch: { readonly groups: ReadonlySet<string>; readonly watch: GroupsWatch } | null = null;
  #isFollowed = false;

  constructor(parts: CountParts) {
    this.#parts = parts;
  }

  /** Null while that is unknown. */
  of({ share }: Pick<TransferRecord, 'share'>): number | null {
    return share === null ? null : (this.#known.get(share.shareId) ?? null);
  }

  /** As trackers have just told. */
  note(shareId: number, completeCopies: number): void {
    if (this.#known.get(shareId) === completeCopies) return;
    this.#known.set(shareId, completeCopies);
    this.#changed.add(shareId);
  }

  /** Shares whose count is another one since this was asked last. */
  takeChanged(): ReadonlySet<number> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }

  /** Somebody looks at transfers, once: what is known by the next look is fresh. */
  look(): void {
    if (this.#parts.now() - this.#askedAtMs >= FRESH_MS) this.#expectAll(0);
  }

  /** Somebody looks at them from now on. An answer is not fresh enough here: what came after it was not told. */
  follow(): void {
    this.#isFollowed = true;
    this.#changed.clear();
    this.#expectAll(0);
  }

  unfollow(): void {
    this.#isFollowed = false;
    this.#watch?.watch.stop();
    this.#watch = null;
  }

  /** Follows what the trackers tell, as long as somebody looks. */
  linkEvent(event: LinkEvent): void {
    if (event.type === 'session_changed') this.#forget();
    if (event.type === 'tracker_changed' && this.#parts.link.trackers().every(({ state }) => state !== 'ready')) {
      this.#forget();
    }
    if (!this.#isFollowed) return;
    // What changes in a group that is watched is told by name, or as `files_reset` where that cannot be had.
    const isOfNew = event.type === 'group_changed' && this.#watch?.groups.has(event.group) !== true;
    if (event.type === 'files_reset' || isOfNew) this.#expectGroup(event.group);
    if (event.type === 'files_changed') this.#expectShares(event.group, event.items);
    const isBack = event.type === 'tracker_changed' && event.tracker.state === 'ready';
    if (isBack || event.type === 'session_changed') this.#expectAll(GATHER_MS);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.unfollow();
  }

  #forget(): void {
    for (const shareId of this.#known.keys()) this.#changed.add(shareId);
    this.#known.clear();
    this.#askedAtMs = -Infinity;
  }

  #expectAll(waitMs: number): void {
    this.#due = null;
    this.#askIn(waitMs);
  }

  #expectGroup(group: string): void {
    this.#due?.set(group, null);
    this.#askIn(GATHER_MS);
  }

  #expectShares(group: string, items: readonly Pick<FileView, 'file' | 'shareId'>[]): void {
    const due = this.#due?.get(group) ?? new Map<number, string>();
    for (const { shareId, file } of items) due.set(shareId, file);
    if (this.#due?.get(group) !== null) this.#due?.set(group, due);
    this.#askIn(GATHER_MS);
  }

  #askIn(waitMs: number): void {
    this.#timer ??= setTimeout(() => void this.#ask(), waitMs).unref();
  }

  async #ask(): Promise<void> {
    const due = this.#due;
    this.#due = new Map();
    this.#timer = null;
    if (due === null) this.#askedAtMs = this.#parts.now();
    const records = this.#parts.records().filter(({ share }) => share !== null);
    const groups = new Set(records.map(({ group }) => group));
    const own = new Set(records.map(({ share }) => share?.shareId));
    await this.#watchGroups(groups);
    for (const group of groups) {
      const shares = due === null ? null : due.get(group);
      if (shares === undefined) continue;
      // Of a group in which much happens little is of shares that this peer has.
      const files = new Set([...(shares ?? [])].flatMap(([shareId, file]) => (own.has(shareId) ? [file] : [])));
      if (shares === null || files.size > FILES_ASKED_MAX) await this.#askAboutAll(group);
      else for (const file of files) await this.#askAbout({ group, file });
    }
  }

  /** Resolves when nothing that changes in these groups is missed, where that can be had. */
  async #watchGroups(groups: ReadonlySet<string>): Promise<void> {
    const before = this.#watch;
    const isSame = before?.groups.size === groups.size && [...groups].every((group) => before.groups.has(group));
    if (!this.#isFollowed || isSame) return;
    const watch = this.#parts.link.watchGroups([...groups]);
    this.#watch = { groups, watch };
    before?.watch.stop();
    await watch.begun;
  }

  #askAboutAll(group: string): Promise<void> {
    // What was told of it until now is in the answer: that its watch has begun, above all.
    this.#due?.delete(group);
    return this.#askAbout({ group });
  }

  async #askAbout(about: { readonly group: string; readonly file?: string }): Promise<void> {
    const { link } = this.#parts;
    let after: string | null | undefined;
    while (after !== null && link.user() !== null) {
      const page = { limit: LIST_LIMIT_MAX, ...(after !== undefined && { after }) };
      const answer = await link.listCopies({ ...about, of: 'peer', ...page });
      if (answer.status !== 'accepted') return;
      for (const { shareId, completeCopies } of answer.view.items) this.note(shareId, completeCopies);
      after = answer.view.next;
    }
  }
}
