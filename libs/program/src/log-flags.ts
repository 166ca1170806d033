// Owns the flags of a program's log: what is written of it, and how.
import { Option } from 'commander';
import { LOG_FORMATS, LOG_LEVELS, type LogSettings } from './open-process-log.ts';

/** Flags as they were given. */
export interface LogFlags {
  readonly logLevel?: LogSettings['level'];
  readonly logFormat?: LogSettings['format'];
}

/** The options of a program that runs. */
export function logOptions(): Option[] {
  return [
    new Option('--log-level <level>', 'what is said on stderr: that and what is worse (default: info)')
      .choices(LOG_LEVELS)
      .env('COHORT_LOG_LEVEL'),
    new Option('--log-format <format>', 'how (default: text on a terminal, json elsewhere)')
      .choices(LOG_FORMATS)
      .env('COHORT_LOG_FORMAT'),
  ];
}

/** People read at a terminal, programs elsewhere. */
export function logSettingsOf({ logLevel = 'info', logFormat }: LogFlags): LogSettings {
  return { level: logLevel, format: logFormat ?? (process.stderr.isTTY ? 'text' : 'json') };
}
