// Owns who could read a file of a group, from which record on and until which, and who fetched it. To read is to be a member
// while the group has the share: whoever joins later, or was there before the file, could read it from the later of the two.
// Each version of a file is a share of its own, and several of them are there at once.
import type { Event } from '#domain/event';
import { type Cause, causeOf } from './cause.ts';
import { type Place, placeOf } from './place.ts';
import type { AuditedRecord } from './replay.ts';

/** A version of a file as it was shared under its name, once. */
export interface SharedOnce {
  readonly shareId: number;
  readonly version: number;
  readonly contentId: string;
  readonly from: Cause;
  readonly until: Cause | null;
}

/** What one user could read, from a record on and until before another; null when it still holds at the log's end. */
export interface ReadingRight {
  readonly user: string;
  readonly shareId: number;
  readonly version: number;
  readonly from: Cause;
  readonly until: Cause | null;
}

/** One peer that was let to fetch. */
export interface Fetch extends Place {
  readonly user: string;
  readonly peerId: string;
  readonly shareId: number;
  readonly version: number;
}

/** Offsets, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Open<Interval> = { -readonly [Field in keyof Interval]: Interval[Field] };

/** A version that is there, and who holds a right to it. */
interface OpenShare {
  readonly share: Open<SharedOnce>;
  readonly held: Map<string, Open<ReadingRight>>;
}

/** Everything that ever was of one file of one group. */
export class AccessHistory {
  readonly shares: Open<SharedOnce>[] = [];
  readonly rights: Open<ReadingRight>[] = [];
  readonly fetches: Fetch[] = [];
  readonly #group: string;
  readonly #file: string;
  readonly #members = new Set<string>();
  /** By version, in their order. */
  readonly #open = new Map<number, OpenShare>();

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
        for (const open of this.#open.values()) this.#grant(open, event.user, causeOf(audited));
        return;
      case 'member_left':
        this.#members.delete(event.user);
        for (const { held } of this.#open.values()) end(held, event.user, causeOf(audited));
        return;
      case 'group_dissolved':
        for (const version of [...this.#open.keys()]) this.#endShare(version, causeOf(audited));
        this.#members.clear();
        return;
      case 'file_shared':
      case 'version_shared':
        if (event.file === this.#file) this.#begin(event, audited);
        return;
      case 'share_removed':
        if (event.file === this.#file) this.#endShare(event.version ?? 1, causeOf(audited));
        return;
      case 'download_allowed':
        if (event.file === this.#file) this.#noteFetch(event, audited);
        return;
      default:
    }
  }

  #begin({ contentId, version = 1 }: { contentId: string; version?: number }, audited: AuditedRecord): void {
    const cause = causeOf(audited);
    const share = { shareId: audited.offset, version, contentId, from: cause, until: null };
    const open = { share, held: new Map<string, Open<ReadingRight>>() };
    this.#open.set(version, open);
    this.shares.push(share);
    for (const user of [...this.#members].sort()) this.#grant(open, user, cause);
  }

  #endShare(version: number, cause: Cause): void {
    const open = this.#open.get(version);
    if (open === undefined) return;
    for (const user of [...open.held.keys()].sort()) end(open.held, user, cause);
    open.share.until = cause;
    this.#open.delete(version);
  }

  #grant({ share: { shareId, version }, held }: OpenShare, user: string, from: Cause): void {
    const right = { user, shareId, version, from, until: null };
    this.rights.push(right);
    held.set(user, right);
  }

  #noteFetch(event: Extract<Event, { type: 'download_allowed' }>, audited: AuditedRecord): void {
    const { user, peerId, shareId, version = 1 } = event;
    this.fetches.push({ user, peerId, shareId, version, ...placeOf(audited) });
  }
}

function end(held: Map<string, Open<ReadingRight>>, user: string, until: Cause): void {
  const right = held.get(user);
  if (right !== undefined) right.until = until;
  held.delete(user);
}

/** What ends at a record does not hold after it any more. */
function isWithin({ from, until }: { from: Cause; until: Cause | null }, span: Span): boolean {
  return from.offset <= span.to && (until === null || until.offset > span.from);
}
