// Owns the table of limits in the README, read, and the same facts taken from the files that define limits: their names, and
// their values in the unit that a name ends in.
import * as manifestLimits from '#domain/manifest';
import * as nameLimits from '#domain/names';
import * as pieceLimits from '#domain/piece-geometry';
import * as wireLimits from '#wire/limits';

/** One row. */
export interface LimitRow {
  readonly name: string;
  readonly value: string;
  /** Where it counts. */
  readonly door: string;
  /** What happens beyond it. */
  readonly beyond: string;
}

const LIMIT_NAME = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:MAX|MIN|MS)$/;

/** The rows of the table whose heading begins with `| limit |`. */
export function limitRowsOf(markdown: string): LimitRow[] {
  const table = /^\| limit .*\n\|[-| :]+\|\n((?:\|.*\n)+)/m.exec(markdown)?.[1] ?? '';
  return table.split('\n').flatMap((line) => {
    const [, name, value, door, beyond] = line.split('|').map((cell) => cell.trim());
    if (name === undefined || name === '') return [];
    return [{ name: name.replaceAll('`', ''), value: value ?? '', door: door ?? '', beyond: beyond ?? '' }];
  });
}

/** Every limit by name, with its value as text. */
export function limitFacts(): Map<string, string> {
  const constants = Object.entries({ ...wireLimits, ...manifestLimits, ...nameLimits, ...pieceLimits });
  const limits = constants.filter(([name, value]) => LIMIT_NAME.test(name) && typeof value === 'number');
  return new Map(limits.map(([name, value]) => [name, textOf(name, value as number)]));
}

/** Names of constants in a source that look like limits. */
export function limitsIn(source: string): string[] {
  const names = [...source.matchAll(/^(?:export )?const ([A-Z0-9_]+)\b/gm)].map(([, name]) => name!);
  return names.filter((name) => /_(?:MAX|TIMEOUT_MS)$/.test(name));
}

function textOf(name: string, value: number): string {
  if (/_BYTES_(?:MAX|MIN)$/.test(name)) return bytesText(value);
  if (name.endsWith('_MS')) return value % 1000 === 0 ? `${grouped(value / 1000)} s` : `${grouped(value)} ms`;
  const unit = /_(SECONDS|CHARACTERS)_(?:MAX|MIN)$/.exec(name)?.[1];
  if (unit === 'SECONDS') return `${grouped(value)} s`;
  if (unit === 'CHARACTERS') return `${grouped(value)} characters`;
  return name.startsWith('RATE_M') ? `${grouped(value)} bytes a second` : grouped(value);
}

function bytesText(bytes: number): string {
  if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20} MiB`;
  return bytes % 2 ** 10 === 0 ? `${bytes / 2 ** 10} KiB` : `${grouped(bytes)} bytes`;
}

function grouped(value: number): string {
  return value.toLocaleString('en');
}
