// Owns what the process says with its exit code (sysexits where they fit), and the sentence that goes with it.
import { DataDirUnusable } from '#identity/data-dir-lock';
import { BadInput } from '#identity/start-input';
import { UnknownThing } from './audit/unknown-thing.ts';
import { LogFailure } from './command-log/command-log.ts';

/** Exit codes of a tracker's process, its operators and the audit. 1 and 2 are verdicts on a log. */
export const EXIT = {
  ok: 0,
  tampered: 1,
  incomplete: 2,
  badInput: 64,
  unknownThing: 66,
  unavailable: 69,
  bug: 70,
  outcomeUnknown: 75,
} as const;

/** A file or a folder is not what it has to be, or there is no right or room to write it. */
const UNUSABLE_FILE: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
]);

/** What ends a process: its code, and what is printed on stderr. */
export interface ProcessEnd {
  readonly code: number;
  readonly message: string;
}

/** How an error ends the process. What nobody foresaw is a bug, and shows where it is. */
export function endOf(error: unknown): ProcessEnd {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BadInput) return { code: EXIT.badInput, message };
  if (error instanceof UnknownThing) return { code: EXIT.unknownThing, message };
  if (error instanceof DataDirUnusable) return { code: EXIT.unavailable, message };
  if (error instanceof LogFailure) {
    return { code: error.code === 'log_misconfigured' ? EXIT.badInput : EXIT.unavailable, message: withCause(error) };
  }
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') {
    return { code: EXIT.unavailable, message: `${address}:${port} is in use by another process: stop that one first` };
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return { code: EXIT.badInput, message: `${message}: give an address that this machine has` };
  }
  if (code !== undefined && UNUSABLE_FILE.has(code)) {
    return { code: EXIT.unavailable, message };
  }
  return { code: EXIT.bug, message: `this is a bug: ${error instanceof Error ? error.stack : message}` };
}

function withCause({ message, cause }: Error): string {
  return cause instanceof Error && !message.includes(cause.message) ? `${message} (${cause.message})` : message;
}
