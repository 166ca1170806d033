// Owns the text forms of limits: of a rate `50MB`, `512KiB`, `1.5GB` or plain bytes, each for one second, of active transfers
// their number, and `none` for no limit. Flags and the command line read them alike.
import { ACTIVE_TRANSFERS_MAX, RATE_MAX, RATE_MIN } from './limits.ts';

/** Bytes per second; null is no limit. */
export type ParsedByteRate =
  { readonly ok: true; readonly bytesPerSecond: number | null } | { readonly ok: false; readonly message: string };

/** Bytes. */
export type ParsedByteCount =
  { readonly ok: true; readonly bytes: number } | { readonly ok: false; readonly message: string };

/** A number of transfers; null is no limit. */
export type ParsedTransferCount =
  { readonly ok: true; readonly count: number | null } | { readonly ok: false; readonly message: string };

const UNIT_BYTES: Readonly<Record<string, number>> = {
  ...{ '': 1, B: 1 },
  ...{ KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 },
  ...{ TB: 1e12, TIB: 2 ** 40 },
};
/** Largest first; a rate is shown in the first unit that it is a whole number of. */
const SHOWN_UNITS = ['GiB', 'GB', 'MiB', 'MB', 'KiB', 'KB', 'B'] as const;

/** Reads a rate; `/s` may stand behind it. The message is a whole sentence that names the fix. */
export function parseByteRate(text: string): ParsedByteRate {
  if (text === 'none') return { ok: true, bytesPerSecond: null };
  const bytesPerSecond = bytesIn(text.replace(/\/s$/i, ''));
  if (bytesPerSecond === null) {
    return failed(`"${text}" is not a rate; write bytes per second like 50MB, 512KiB or 1000000, or none.`);
  }
  if (bytesPerSecond >= RATE_MIN && bytesPerSecond <= RATE_MAX) return { ok: true, bytesPerSecond };
  return failed(`"${text}" is out of range; give 1KiB to 1000GB a second, or none for no limit.`);
}

/** Reads a number of bytes. The message is a whole sentence that names the fix. */
export function parseByteCount(text: string): ParsedByteCount {
  const bytes = bytesIn(text);
  if (bytes !== null && bytes >= 1 && Number.isSafeInteger(bytes)) return { ok: true, bytes };
  return failed(`"${text}" is not a number of bytes; write it like 50GB, 512MiB or 1000000.`);
}

function bytesIn(text: string): number | null {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([a-z]*)$/i.exec(text);
  const unitBytes = UNIT_BYTES[match?.[2]?.toUpperCase() ?? 'no unit'];
  return match === null || unitBytes === undefined ? null : Math.round(Number(match[1]) * unitBytes);
}

/** The text that `parseByteRate` reads back, with `/s`; null is `none`. */
export function formatByteRate(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return 'none';
  for (const unit of SHOWN_UNITS) {
    const amount = bytesPerSecond / UNIT_BYTES[unit.toUpperCase()]!;
    if (Number.isInteger(amount)) return `${amount}${unit}/s`;
  }
  return `${bytesPerSecond}B/s`;
}

/** Reads a number of transfers. The message is a whole sentence that names the fix. */
export function parseTransferCount(text: string): ParsedTransferCount {
  if (text === 'none') return { ok: true, count: null };
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= ACTIVE_TRANSFERS_MAX) return { ok: true, count };
  return failed(`"${text}" does not fit. Give a number of transfers from 1 to ${ACTIVE_TRANSFERS_MAX}, or none.`);
}

function failed(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
