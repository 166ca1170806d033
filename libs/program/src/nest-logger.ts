// Owns what Nest says of its own accord: its warnings and errors are lines of the process's log, its chatter while it starts is not.
import type { ProcessLog } from './process-log.ts';

type Say = (message: unknown, ...context: readonly unknown[]) => void;

/** What Nest takes for a logger. */
interface NestLogger {
  readonly log: Say;
  readonly debug: Say;
  readonly verbose: Say;
  readonly warn: Say;
  readonly error: Say;
  readonly fatal: Say;
}

/** The log as Nest takes it. */
export function nestLoggerOf(log: ProcessLog): NestLogger {
  const nothing = (): void => undefined;
  const said =
    (level: 'warn' | 'error'): Say =>
    (message, ...context) =>
      log[level](
        [message, ...context]
          .filter((word) => word !== undefined)
          .map(String)
          .join(' '),
      );
  return {
    ...{ log: nothing, debug: nothing, verbose: nothing },
    ...{ warn: said('warn'), error: said('error'), fatal: said('error') },
  };
}
