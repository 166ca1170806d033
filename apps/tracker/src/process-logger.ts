// Owns what a tracker says about itself while it runs: one line on stderr for each thing that somebody has to know.
// Standard output is left to the one line that says it is ready.
import type { LoggerService } from '@nestjs/common';

/** Nest's start-up chatter (`log`, `debug`, `verbose`) is dropped. */
export const processLogger: LoggerService = {
  log: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
  warn: (message: unknown, ...context: unknown[]) => write('warning', message, context),
  error: (message: unknown, ...context: unknown[]) => write('error', message, context),
  fatal: (message: unknown, ...context: unknown[]) => write('fatal', message, context),
};

function write(level: string, message: unknown, context: readonly unknown[]): void {
  const words = [message, ...context].filter((word) => word !== undefined).map(String);
  process.stderr.write(`${new Date().toISOString()} ${level} ${words.join(' ')}\n`);
}
