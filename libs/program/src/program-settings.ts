// Owns the settings that every program has, and the readers of texts that several settings share.
import { resolve } from 'node:path';
import { type HostPort, parseHostPort } from '#wire/host-port';
import { LOG_FORMATS, LOG_LEVELS, type LogSettings } from './open-process-log.ts';
import type { Given, Read, Setting } from './settings.ts';

/** A path, made absolute. */
export function readPath(text: string, folder: string): Read<string> {
  return { ok: true, value: resolve(folder, text) };
}

/** `host:port`. */
export function readHostPort(text: string): Read<HostPort> {
  const parsed = parseHostPort(text);
  return parsed.ok ? { ok: true, value: parsed.address } : parsed;
}

/** One of a few words. */
export function readOneOf<const Word extends string>(...words: readonly Word[]): (text: string) => Read<Word> {
  return (text) => {
    const value = words.find((word) => word === text);
    if (value !== undefined) return { ok: true, value };
    return { ok: false, message: `"${text}" is none of ${words.join(', ')}` };
  };
}

/** On or off. */
export function readSwitch(text: string): Read<boolean> {
  if (text === '1' || text === 'true') return { ok: true, value: true };
  if (text === '0' || text === 'false') return { ok: true, value: false };
  return { ok: false, message: `"${text}" says neither on nor off; give 1 or 0` };
}

/** The file with settings, and what is logged. */
export const PROGRAM_SETTINGS = {
  config: {
    placeholder: 'file',
    meaning: 'settings as JSON, named like the flags; what a flag or a variable says counts before it',
    byDefault: 'none',
    read: readPath,
  },
  logLevel: {
    placeholder: 'level',
    meaning: `what is said on stderr: ${LOG_LEVELS.join(', ')}`,
    byDefault: 'info',
    read: readOneOf(...LOG_LEVELS),
  },
  logFormat: {
    placeholder: 'format',
    meaning: `how: ${LOG_FORMATS.join(', ')}`,
    byDefault: 'text on a terminal, json elsewhere',
    read: readOneOf(...LOG_FORMATS),
  },
} as const satisfies Record<string, Setting<unknown>>;

/** How the log of a program is written: people read at a terminal, programs elsewhere. */
export function logSettingsOf({
  logLevel = 'info',
  logFormat,
}: Pick<Given<typeof PROGRAM_SETTINGS>, 'logLevel' | 'logFormat'>): LogSettings {
  return { level: logLevel, format: logFormat ?? (process.stderr.isTTY ? 'text' : 'json') };
}
