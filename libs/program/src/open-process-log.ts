// Owns the log of a process as it is written: a JSON object a line, or text for people, on stderr and at once, so the last words
// before an end are there too.
import { type DestinationStream, destination, type LevelWithSilent, pino, stdTimeFunctions } from 'pino';
import { LineLimit } from './line-limit.ts';
import { logText, type WrittenError } from './log-text.ts';
import type { About, LogLevel, ProcessLog } from './process-log.ts';

/** From which level on lines are written. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** For programs, and for people. */
export const LOG_FORMATS = ['json', 'text'] as const;

/** What is written, and how. */
export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** How many causes of an error are written. */
const CAUSES_MAX = 5;
const STDERR = 2;

/** Opens the log of this process. `stream` and `now` are given by tests. */
export function openProcessLog(
  program: string,
  { level, format }: LogSettings,
  {
    stream = openStderr(),
    now = (): number => performance.now(),
  }: { stream?: DestinationStream; now?: () => number } = {},
): ProcessLog {
  const lines = pino(
    {
      level: level satisfies LevelWithSilent,
      base: { program, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error) => writtenError(error, CAUSES_MAX) },
    },
    format === 'json' ? stream : { write: (line) => stream.write(logText(line)) },
  );
  const limit = new LineLimit(now);
  // Who asks for everything gets everything.
  const take = (key: string): number | null => (level === 'debug' ? 0 : limit.take(key));
  const say =
    (at: LogLevel) =>
    (words: string, about: About = {}): void => {
      if (!lines.isLevelEnabled(at)) return;
      const leftOut = take(keyOf(`${at} ${words}`, about));
      if (leftOut !== null) lines[at](leftOut === 0 ? about : { ...about, leftOut }, words);
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), fatal: say('fatal') };
}

/** One bug, or one thing refused, does not hide another one that is told in the same words. */
function keyOf(said: string, { code, command, route, error }: About): string {
  const type = error instanceof Error ? error.name : typeof error;
  return [said, code, command, route, type].join(' ');
}

/** A log that nobody reads any more is no reason to end. */
function openStderr(): DestinationStream {
  return destination({ fd: STDERR, sync: true }).on('error', () => undefined);
}

/** Named fields alone: what else an error carries may be anything. */
function writtenError(error: unknown, causesMax: number): WrittenError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type,
    message,
    ...(typeof code === 'string' && { code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && causesMax > 0 && { cause: writtenError(cause, causesMax - 1) }),
  };
}
