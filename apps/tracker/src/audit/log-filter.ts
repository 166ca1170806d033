// Owns which records `audit log` shows. Every filter has to hold; a value that no record could have is an error, not an empty
// list.
import { COMMAND_NAMES, isCommandName } from '#domain/command';
import { BadInput } from '#identity/start-input';
import type { LogEntry } from './log-entry.ts';
import { END, type Moment, momentOf } from './moment.ts';

/** Filters as they were given. */
export interface LogFlags {
  readonly actor?: string;
  readonly group?: string;
  readonly user?: string;
  readonly share?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly from?: string;
  readonly to?: string;
  readonly correlation?: string;
  readonly limit?: string;
}

/** What is to be shown of a log. */
export interface LogFilter {
  /** Where it begins; null for the log's beginning. */
  readonly from: Moment | null;
  readonly until: Moment;
  /** No more than so many, the last ones. */
  readonly limit: number;
  readonly holds: (entry: LogEntry) => boolean;
}

const LIMIT = /^[1-9][0-9]{0,8}$/;

/** Reads the filters. Throws BadInput that names the flag. */
export function logFilterOf(flags: LogFlags): LogFilter {
  const { type, outcome, limit } = flags;
  if (type !== undefined && !isCommandName(type)) {
    throw new BadInput(`--type: "${type}" is no command; write one of ${COMMAND_NAMES.join(', ')}`);
  }
  if (outcome !== undefined && outcome !== 'accepted' && outcome !== 'rejected') {
    throw new BadInput(`--outcome: "${outcome}" is neither accepted nor rejected`);
  }
  if (limit !== undefined && !LIMIT.test(limit)) throw new BadInput(`--limit: "${limit}" is no number of 1 or more`);
  return {
    from: flags.from === undefined ? null : momentOf('--from', flags.from),
    until: flags.to === undefined ? END : momentOf('--to', flags.to),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit),
    holds: (entry) => fits(flags, entry),
  };
}

function fits(flags: LogFlags, entry: LogEntry): boolean {
  const body = (entry.body ?? {}) as { readonly group?: unknown; readonly user?: unknown; readonly file?: unknown };
  const pairs = [
    [flags.actor, entry.actor],
    [flags.group, body.group],
    [flags.share, body.file],
    [flags.type, entry.type],
    [flags.outcome, entry.outcome],
    [flags.correlation, entry.correlationId],
  ];
  if (pairs.some(([wanted, value]) => wanted !== undefined && normal(wanted) !== value)) return false;
  // About a user is what says the name, and what that user has done.
  return flags.user === undefined || [body.user, entry.actor].includes(normal(flags.user));
}

function normal(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC') : value;
}
