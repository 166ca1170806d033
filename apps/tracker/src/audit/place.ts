// Owns how the audit tells where something stands in the log.

/** A record, and the log's time there. */
export interface Place {
  readonly offset: number;
  /** RFC 3339. */
  readonly time: string;
}

/** The place of a record; `timeMs` is the log's time, milliseconds since 1970. */
export function placeOf({ offset, timeMs }: { readonly offset: number; readonly timeMs: number }): Place {
  return { offset, time: timeOf(timeMs) };
}

/** A time of the log as RFC 3339. */
export function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
