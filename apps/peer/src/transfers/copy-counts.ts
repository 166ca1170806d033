// Owns how many others online have all of each share that this peer has, or fetches. It is soft, as the trackers' presence is: asked
// for while somebody looks at transfers, again when something in a group changes, and unknown without them.
import { LIST_LIMIT_MAX } from '#wire/limits';
import type { GroupsWatch, LinkEvent, TrackerLink } from '../tracker-link/tracker-link.ts';
import type { TransferRecord } from './transfer-record.ts';

/** How long changes are gathered before the trackers are asked. */
const GATHER_MS = 1_000;
/** An answer that is younger is not asked for again by a look alone. */
const FRESH_MS = 10_000;

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
  /** Groups to ask about; null for all. */
  #due: Set<string> | null = new Set();
  #timer: NodeJS.Timeout | null = null;
  #askedAtMs = -Infinity;
  /** While somebody looks: the groups that it has shares of. */
  #watch: { readonly key: string; readonly watch: GroupsWatch } | null = null;
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
    if (this.#parts.now() - this.#askedAtMs >= FRESH_MS) this.#expect(null, 0);
  }

  /** Somebody looks at them from now on. */
  follow(): void {
    this.#isFollowed = true;
    this.#changed.clear();
    this.look();
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
    const isOfGroup = event.type === 'group_changed' || event.type === 'files_changed' || event.type === 'files_reset';
    if (isOfGroup) this.#expect(event.group, GATHER_MS);
    const isBack = event.type === 'tracker_changed' && event.tracker.state === 'ready';
    if (isBack || event.type === 'session_changed') this.#expect(null, GATHER_MS);
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

  #expect(group: string | null, waitMs: number): void {
    if (group === null) this.#due = null;
    else this.#due?.add(group);
    this.#timer ??= setTimeout(() => void this.#ask(), waitMs).unref();
  }

  async #ask(): Promise<void> {
    const due = this.#due;
    this.#due = new Set();
    this.#timer = null;
    if (due === null) this.#askedAtMs = this.#parts.now();
    const groups = new Set(this.#parts.records().flatMap(({ group, share }) => (share === null ? [] : [group])));
    this.#watchGroups(groups);
    const asked = [...groups].filter((group) => due === null || due.has(group));
    for (const group of asked) await this.#askGroup(group);
  }

  #watchGroups(groups: ReadonlySet<string>): void {
    const key = JSON.stringify([...groups]);
    if (!this.#isFollowed || this.#watch?.key === key) return;
    const before = this.#watch;
    this.#watch = { key, watch: this.#parts.link.watchGroups([...groups]) };
    before?.watch.stop();
  }

  async #askGroup(group: string): Promise<void> {
    const { link } = this.#parts;
    let after: string | null | undefined;
    while (after !== null && link.user() !== null) {
      const page = { limit: LIST_LIMIT_MAX, ...(after !== undefined && { after }) };
      const answer = await link.listCopies({ group, of: 'peer', ...page });
      if (answer.status !== 'accepted') return;
      for (const { shareId, completeCopies } of answer.view.items) this.note(shareId, completeCopies);
      after = answer.view.next;
    }
  }
}
