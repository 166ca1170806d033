// Owns a state as plain data, to be compared: a copy of its own, with a Map for every table, whatever order it is in.
import { SmallMap } from '#domain/small-map';

/** A copy of a value with a Map in place of every table. */
export function plainState(value: unknown): unknown {
  if (value instanceof Map || value instanceof SmallMap) {
    const entries = [...(value as Iterable<[unknown, unknown]>)];
    return new Map(entries.map(([key, item]) => [key, plainState(item)]));
  }
  if (typeof value !== 'object' || value === null) return value;
  // One that was read from bytes may have its fields from there.
  if ('content' in value && 'outcome' in value && 'peerId' in value && 'offset' in value) {
    const { offset, peerId, content, outcome } = value;
    return { offset, peerId, content, outcome };
  }
  if ('shares' in value && 'members' in value) return { ...fieldsOf(value), shares: plainState(value.shares) };
  return fieldsOf(value);
}

function fieldsOf(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainState(item)]));
}
