// Owns what trackers are told of this peer's transfers: downloads that are under way, or have a part, and shares that it is recorded
// as a seeder of and cannot serve now. What it knows of broken copies is soft, as presence is: said anew at each start, taken
// back when they are repaired, and never logged.
import { PRESENCE_UNSERVED_RUNS_MAX } from '#wire/limits';
import type { DownloadPresence } from '#wire/tracker-api';
import type { TrackerLink } from '../tracker-link/tracker-link.ts';
import { isBroken, type TransferRecord } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';

/** How long it is gathered what cannot be served: with a disk thousands of copies go at once. */
const GATHER_MS = 100;

interface AnnouncingParts {
  readonly link: Pick<TrackerLink, 'announce'>;
  readonly transfers: Pick<TransferSet, 'all'>;
}

export class ShareAnnouncing {
  readonly #parts: AnnouncingParts;
  #downloading = '[]';
  #told = '[[],[]]';
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: AnnouncingParts) {
    this.#parts = parts;
  }

  /** Something became of a transfer: downloads are told at once, what cannot be served within a moment. */
  look(): void {
    if (JSON.stringify(announcedDownloads(this.#parts.transfers.all())) !== this.#downloading) return this.tell();
    this.#timer ??= setTimeout(() => this.tell(), GATHER_MS).unref();
  }

  /** Tells now what has changed since it was told last. */
  tell(): void {
    this.close();
    const transfers = this.#parts.transfers.all();
    const downloading = announcedDownloads(transfers);
    const unserved = unservedRuns(transfers);
    const told = JSON.stringify([downloading, unserved]);
    if (told === this.#told) return;
    this.#told = told;
    this.#downloading = JSON.stringify(downloading);
    this.#parts.link.announce(downloading, unserved);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** What others are told that a part of it is here; of a copy that is being repaired there is. */
function announcedDownloads(transfers: readonly Transfer[]): DownloadPresence[] {
  return transfers.flatMap((transfer): DownloadPresence[] => {
    if (!transfer.isAnnounced) return [];
    const { group, file, share } = transfer.record;
    return [{ shareId: share!.shareId, group, file }];
  });
}

/**
 * Shares to which the log sends others and of which no copy can be served, by id, as runs of those to which it does: of 10,000 that
 * went with their disk few have another one between them. What another download has put its own in the place of is none. Of more runs than there is room for the last are not told.
 */
export function unservedRuns(transfers: readonly Pick<Transfer, 'record' | 'isOffered'>[]): number[] {
  const isServed = new Map<number, boolean>();
  const takenAtMs = placesTaken(transfers);
  for (const { record, isOffered } of transfers) {
    if (!isOffered) continue;
    const { shareId } = record.share!;
    const isReplaced = (takenAtMs.get(record.path) ?? 0) > wholeAtMs(record);
    isServed.set(shareId, isServed.get(shareId) === true || (!isReplaced && !isBroken(record)));
  }
  const runs: number[] = [];
  let isInRun = false;
  for (const [shareId, served] of [...isServed].sort(([left], [right]) => left - right)) {
    if (!served && isInRun) runs[runs.length - 1] = shareId;
    else if (!served) runs.push(shareId, shareId);
    isInRun = !served;
  }
  return runs.slice(0, 2 * PRESENCE_UNSERVED_RUNS_MAX);
}

/**
 * When the last download put something at each path, all of it or a part. Until one has, what was there is there. Gathered once for
 * all copies: asking of each whether it is replaced goes over all of them each time.
 */
function placesTaken(transfers: readonly Pick<Transfer, 'record'>[]): ReadonlyMap<string, number> {
  const takenAtMs = new Map<string, number>();
  for (const { record } of transfers) {
    if (record.direction !== 'download' || record.completedAtMs === null) continue;
    takenAtMs.set(record.path, Math.max(record.completedAtMs, takenAtMs.get(record.path) ?? 0));
  }
  return takenAtMs;
}

/** When a copy came to be whole at its path, or was found or made so by a recheck. */
function wholeAtMs({ completedAtMs, recheck }: TransferRecord): number {
  const isFound = recheck?.verdict === 'sound' || recheck?.verdict === 'repaired';
  const foundAtMs = isFound && recheck.endedAt !== null ? Date.parse(recheck.endedAt) : 0;
  return Math.max(completedAtMs ?? Infinity, foundAtMs);
}
