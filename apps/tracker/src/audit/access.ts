// Owns who could read a file of a group, from which record on and until which, and who fetched it. To read is to be a member
// while the group has the share: whoever joins later, or was there before the file, could read it from the later of the two.
import type { Event } from '#domain/event';
import { type Cause, causeOf } from './cause.ts';
import { type Place, placeOf } from './place.ts';
import type { AuditedRecord } from './replay.ts';

/** A file as it was shared under its name, once. */
export interface SharedOnce {
  readonly shareId: number;
  readonly contentId: string;
  readonly from: Cause;
  readonly until: Cause | null;
}

/** What one user could read, from a record on and until before another; null when it still holds at the log's end. */
export interface ReadingRight {
  readonly user: string;
  readonly shareId: number;
  readonly from: Cause;
  readonly until: Cause | null;
}

/** One peer that was let to fetch. */
export interface Fetch extends Place {
  readonly user: string;
  readonly peerId: string;
  readonly shareId: number;
}

/** Offsets, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Open<Interval> = { -readonly [Field in keyof Interval]: Interval[Field] };

/** Everything that ever was of one file of one group. */
export class AccessHistory {
  readonly shares: Open<SharedOnce>[] = [];
  readonly rights: Open<ReadingRight>[] = [];
  readonly fetches: Fetch[] = [];
  readonly #group: string;
  readonly #file: string;
  readonly #members = new Set<string>();
  readonly #held = new Map<string, Open<ReadingRight>>();
  #share: Open<SharedOnce> | null = null;

  constructor(group: string, file: string) {
    this.#group = group;
    this.#file = file;
  }

  /** Takes in the next record. */
  note(audited: AuditedRecord): void {
    for (const event of audited.applied.events) {
      if ('group' in event && event.group === this.#group) this.#noteEvent(event, audited);
    }
  }

  /** Shares, rights and fetches of which something lies in the span. */
  within(span: Span): { shares: SharedOnce[]; rights: ReadingRight[]; fetches: Fetch[] } {
    return {
      shares: this.shares.filter((share) => isWithin(share, span)),
      rights: this.rights.filter((right) => isWithin(right, span)),
      fetches: this.fetches.filter(({ offset }) => offset >= span.from && offset <= span.to),
    };
  }

  #noteEvent(event: Extract<Event, { group: string }>, audited: AuditedRecord): void {
    switch (event.type) {
      case 'group_created':
        this.#members.add(event.owner);
        return;
      case 'member_joined':
        this.#members.add(event.user);
        if (this.#share !== null) this.#grant(event.user, causeOf(audited));
        return;
      case 'member_left':
        this.#members.delete(event.user);
        this.#end(event.user, causeOf(audited));
        return;
      case 'group_dissolved':
        this.#endShare(causeOf(audited));
        this.#members.clear();
        return;
      case 'file_shared':
        if (event.file === this.#file) this.#begin(event, audited);
        return;
      case 'share_removed':
        if (event.file === this.#file) this.#endShare(causeOf(audited));
        return;
      case 'download_allowed':
        if (event.file === this.#file) this.#noteFetch(event, audited);
        return;
      default:
    }
  }

  #begin({ contentId }: { readonly contentId: string }, audited: AuditedRecord): void {
    const cause = causeOf(audited);
    this.#share = { shareId: audited.offset, contentId, from: cause, until: null };
    this.shares.push(this.#share);
    for (const user of [...this.#members].sort()) this.#grant(user, cause);
  }

  #endShare(cause: Cause): void {
    for (const user of [...this.#held.keys()].sort()) this.#end(user, cause);
    if (this.#share !== null) this.#share.until = cause;
    this.#share = null;
  }

  #grant(user: string, from: Cause): void {
    const right = { user, shareId: this.#share!.shareId, from, until: null };
    this.rights.push(right);
    this.#held.set(user, right);
  }

  #end(user: string, until: Cause): void {
    const right = this.#held.get(user);
    if (right !== undefined) right.until = until;
    this.#held.delete(user);
  }

  #noteFetch(event: Extract<Event, { type: 'download_allowed' }>, audited: AuditedRecord): void {
    const { user, peerId, shareId } = event;
    this.fetches.push({ user, peerId, shareId, ...placeOf(audited) });
  }
}

/** What ends at a record does not hold after it any more. */
function isWithin({ from, until }: { from: Cause; until: Cause | null }, span: Span): boolean {
  return from.offset <= span.to && (until === null || until.offset > span.from);
}
