// Owns that appends to the log are spans of the commands that they are for.
import { inSpan, type Traces } from '#program/traces';
import type { CommandLog } from './command-log.ts';

/** The same log, whose appends are told of. */
export function tracedCommandLog(log: CommandLog, traces: Traces): CommandLog {
  return {
    append: (records) => inSpan(traces.begin('append', { kind: 'internal' }), () => log.append(records)),
    read: (fromOffset, signal) => log.read(fromOffset, signal),
    end: () => log.end(),
    close: () => log.close(),
  };
}
