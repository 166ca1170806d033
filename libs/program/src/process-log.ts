// Owns what a running program says about itself, as whoever says it sees it: some words, and what they are about. What that
// can be is a closed set, so no body, header, address with a signature or secret can come to stand in a line.

/** What a line is about. */
export interface About {
  /** Follows a command from the request at a peer through the tracker into the log's record. */
  readonly correlationId?: string;
  readonly commandId?: string;
  /** Name of the command or view. */
  readonly command?: string;
  /** Of the closed set of errors. */
  readonly code?: string;
  /** Of the record in the log. */
  readonly offset?: number | null;
  readonly method?: string;
  /** As it is declared: `/api/v1/transfers/:id`. */
  readonly route?: string;
  readonly status?: number;
  readonly durationMs?: number;
  /** `host:port`. */
  readonly tracker?: string;
  readonly exitCode?: number;
  /** What was thrown: its name, message, code and stack are written, and those of its causes. */
  readonly error?: unknown;
}

/** How bad it is, see `ProcessLog`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * The log of one process, made where it starts and handed down. Refusals are `info`; what failed on the way and can be tried again
 * is `warn`; bugs are `error`, with where they are; what ends the process is `fatal`; every command and request is `debug`.
 */
export type ProcessLog = Readonly<Record<LogLevel, (words: string, about?: About) => void>>;

/** Nest's name for the log. */
export const PROCESS_LOG = Symbol('ProcessLog');

const nothing = (): void => undefined;

/** For who has nobody to tell. */
export const SILENT_LOG: ProcessLog = { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing };
