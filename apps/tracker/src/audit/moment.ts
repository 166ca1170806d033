// Owns how a person names a place in the log: an offset, or a time, which means the last record at or before it.
import { BadInput } from '#identity/start-input';

/** Up to where the log is read: everything, a record, or what had been said by a logical time (milliseconds since 1970). */
export type Moment =
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number };

/** All that there is. */
export const END: Moment = { kind: 'end' };

const OFFSET = /^(?:0|[1-9][0-9]{0,14})$/;
const RFC_3339 =
  /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Reads an offset or an RFC 3339 time. Throws BadInput that begins with the name of what was given. */
export function momentOf(name: string, text: string): Moment {
  if (OFFSET.test(text)) return { kind: 'offset', offset: Number(text) };
  const timeMs = RFC_3339.test(text) && hasDay(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(timeMs)) return { kind: 'time', timeMs };
  throw new BadInput(
    `${name}: "${text}" is neither an offset nor a time; write 1234, or 2026-11-27T09:30:00Z with a time zone`,
  );
}

/** Whether its month has that day: the 30th of February is taken for one of March otherwise. */
function hasDay(text: string): boolean {
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(text.slice(8, 10));
}

/** Whether a record is the one at an offset or later, or was said at a time or later. */
export function isFrom(moment: Moment, { offset, timeMs }: { offset: number; timeMs: number }): boolean {
  if (moment.kind === 'offset') return offset >= moment.offset;
  return moment.kind === 'time' && timeMs >= moment.timeMs;
}

/** Whether a record lies behind the moment; `timeMs` is the log's time when the record is in it. */
export function isBehind(moment: Moment, { offset, timeMs }: { offset: number; timeMs: number }): boolean {
  if (moment.kind === 'offset') return offset > moment.offset;
  return moment.kind === 'time' && timeMs > moment.timeMs;
}
