// Owns a line of the log as people read it at a terminal: time, level, words, then what it is about, then where a bug is. Nothing in
// it is obeyed by the terminal, whoever it came from.
import { printable } from '#wire/printable-text';

/** An error in a line of the log. */
export interface WrittenError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: WrittenError;
}

interface WrittenLine {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  readonly error?: WrittenError;
  readonly [field: string]: unknown;
}

/** Fields that every line has, or that have a place of their own. */
const PLACED: ReadonlySet<string> = new Set(['time', 'level', 'msg', 'program', 'pid', 'error']);

/** The text of a line that was written as JSON. */
export function logText(json: string): string {
  const line = JSON.parse(json) as WrittenLine;
  const about = Object.entries(line).filter(([field]) => !PLACED.has(field));
  const words = [
    line.time,
    line.level === 'warn' ? 'warning' : line.level,
    inLines(line.msg).replaceAll('\n', '\n  '),
    ...about.map(([field, value]) => `${field}=${fieldText(String(value))}`),
  ];
  return `${words.join(' ')}\n${errorText(line.error)}`;
}

/** In quotes where it could not be seen where it ends. */
function fieldText(value: string): string {
  const isPlain = value !== '' && !/[ "]/.test(value);
  return isPlain ? printable(value) : `"${printable(value.replace(/["\\]/g, '\\$&'))}"`;
}

function errorText(error: WrittenError | undefined): string {
  if (error === undefined) return '';
  const text = error.stack ?? `${error.type}: ${error.message}`;
  return `${inLines(text).replace(/^/gm, '  ')}\n${errorText(error.cause)}`;
}

/** What is said may have several lines. */
function inLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
