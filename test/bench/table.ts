// Owns what the benchmarks print: lines, tables, medians; of `npm run bench` one row for each scenario and mode.
import type { Measurement } from './bench-swarm.ts';

/** Medians of one scenario. */
export interface Row {
  readonly scenario: string;
  readonly mode: string;
  readonly seconds: number;
  readonly mibPerSecond: number;
  readonly rawSeconds: number;
  readonly ratio: number;
  /** The raw copy with the SHA-1 of what comes and, in mode tls, over TLS: what the work itself takes. */
  readonly bareSeconds: number;
  readonly cpuSecondsPerGib: number;
  readonly cpuPart: number;
  readonly peakMib: number;
  readonly largestShare: number;
  readonly firstPieceMs: number | null;
}

export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** The value that this part of all values is below; NaN of none. */
export function quantileOf(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
}

/** The row of all runs of a scenario; `totalBytes` is what all downloaders fetched together. */
export function rowOf(result: {
  readonly name: string;
  readonly mode: string;
  readonly raw: readonly number[];
  readonly bare: readonly number[];
  readonly measured: readonly Measurement[];
  readonly totalBytes: number;
}): Row {
  const { name, mode, raw, bare, measured, totalBytes } = result;
  const median = (valueOf: (run: Measurement) => number): number => medianOf(measured.map(valueOf));
  const [seconds, rawSeconds] = [median((run) => run.seconds), medianOf(raw)];
  const firstPieces = measured.flatMap(({ firstPieceMs }) => firstPieceMs ?? []);
  return {
    scenario: name,
    mode,
    seconds,
    mibPerSecond: totalBytes / 2 ** 20 / seconds,
    rawSeconds,
    ratio: seconds / rawSeconds,
    bareSeconds: medianOf(bare),
    cpuSecondsPerGib: (median((run) => run.cpuSeconds) * 2 ** 30) / totalBytes,
    cpuPart: median((run) => run.cpuPart),
    peakMib: Math.max(...measured.map((run) => run.peakBytes)) / 2 ** 20,
    largestShare: median((run) => run.largestShare),
    firstPieceMs: firstPieces.length === 0 ? null : medianOf(firstPieces),
  };
}

/** A heading, and the text of a row under it. */
export type TextColumn<Item> = readonly [heading: string, textOf: (row: Item) => string];

const COLUMNS: readonly TextColumn<Row>[] = [
  ['scenario', (row) => row.scenario],
  ['mode', (row) => row.mode],
  ['seconds', (row) => row.seconds.toFixed(2)],
  ['MiB/s', (row) => row.mibPerSecond.toFixed(0)],
  ['raw copy', (row) => row.rawSeconds.toFixed(2)],
  ['ratio', (row) => row.ratio.toFixed(2)],
  ['same work bare', (row) => row.bareSeconds.toFixed(2)],
  ['ratio to it', (row) => (row.seconds / row.bareSeconds).toFixed(2)],
  ['CPU s/GiB', (row) => row.cpuSecondsPerGib.toFixed(2)],
  ['CPU used', (row) => `${(row.cpuPart * 100).toFixed(0)} %`],
  ['peak MiB', (row) => row.peakMib.toFixed(0)],
  ['largest share', (row) => row.largestShare.toFixed(2)],
  ['first piece', (row) => (row.firstPieceMs === null ? '-' : `${row.firstPieceMs.toFixed(0)} ms`)],
];

export function tableOf(rows: readonly Row[]): string {
  return textTable(rows, COLUMNS);
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function mibOf(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

/** Rows under their headings, in columns as wide as their longest text. */
export function textTable<Item>(rows: readonly Item[], columns: readonly TextColumn<Item>[]): string {
  const cells = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, textOf]) => textOf(row)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
