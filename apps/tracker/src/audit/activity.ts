// Owns what a report tells of a period: how much happened when, who did it, in which groups, what was refused and why.
import type { CommandName } from '#domain/command';
import { type Place, placeOf } from './place.ts';
import type { AuditedRecord } from './replay.ts';

/** What happened in one stretch of time. */
export interface ActivityInterval {
  readonly beginMs: number;
  accepted: number;
  rejected: number;
}

/** What somebody did, or what was done in a group. */
export interface ActivityCount {
  accepted: number;
  rejected: number;
  uploads: number;
  downloads: number;
}

/** One download that was allowed. */
export interface AllowedDownload {
  readonly offset: number;
  readonly timeMs: number;
  readonly user: string;
  readonly group: string;
  readonly file: string;
}

const INTERVALS = 60;
/** The latest ones; the number of all of them is told too. */
const DOWNLOADS_SHOWN_MAX = 1_000;

/** Counts the records of a period as they go by. */
export class Activity {
  readonly users = new Map<string, ActivityCount>();
  readonly groups = new Map<string, ActivityCount>();
  readonly commands = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  readonly downloads: AllowedDownload[] = [];
  records = 0;
  downloadCount = 0;
  /** Uploaded in the period, bytes. */
  sharedBytes = 0;
  /** The first and the last record of the period; null before there is one. */
  first: Place | null = null;
  last: Place | null = null;
  /** Of each record, milliseconds since 1970; negative for a refused one. */
  readonly #times: number[] = [];

  /** Takes in a record of the period. */
  note({ offset, timeMs, record, applied }: AuditedRecord): void {
    this.records += 1;
    const { outcome, events } = applied;
    const isAccepted = outcome.status === 'accepted';
    this.last = placeOf({ offset, timeMs });
    this.first ??= this.last;
    this.#times.push(isAccepted ? timeMs : -timeMs);
    if (outcome.status === 'rejected') add(this.refusals, outcome.reason);
    if (record === null) return;
    const { actor, command } = record;
    add(this.commands, command.name);
    if (actor.kind === 'peer' && actor.user !== null) count(this.users, actor.user, { isAccepted, name: command.name });
    const group = (command.data as { group?: unknown } | null | undefined)?.group;
    if (typeof group === 'string') count(this.groups, group, { isAccepted, name: command.name });
    for (const event of events) {
      if (event.type === 'file_shared' || event.type === 'version_shared') this.sharedBytes += event.totalBytes;
      if (event.type !== 'download_allowed') continue;
      this.downloadCount += 1;
      this.downloads.push({ offset, timeMs, user: event.user, group: event.group, file: event.file });
      if (this.downloads.length > DOWNLOADS_SHOWN_MAX) this.downloads.shift();
    }
  }

  /** The period in equal stretches, from its first record to its last. */
  get intervals(): ActivityInterval[] {
    const first = Math.abs(this.#times[0] ?? 0);
    const stepMs = Math.max(1, (Math.abs(this.#times.at(-1) ?? 0) - first + 1) / INTERVALS);
    const intervals = Array.from({ length: INTERVALS }, (_, number) => {
      return { beginMs: first + number * stepMs, accepted: 0, rejected: 0 };
    });
    for (const time of this.#times) {
      const interval = intervals[Math.min(INTERVALS - 1, Math.floor((Math.abs(time) - first) / stepMs))]!;
      if (time >= 0) interval.accepted += 1;
      else interval.rejected += 1;
    }
    return intervals;
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function count(
  counts: Map<string, ActivityCount>,
  key: string,
  { isAccepted, name }: { isAccepted: boolean; name: CommandName },
): void {
  const entry = counts.get(key) ?? { accepted: 0, rejected: 0, uploads: 0, downloads: 0 };
  counts.set(key, entry);
  if (isAccepted) entry.accepted += 1;
  else entry.rejected += 1;
  if (isAccepted && name === 'upload_file') entry.uploads += 1;
  if (isAccepted && name === 'download_file') entry.downloads += 1;
}
