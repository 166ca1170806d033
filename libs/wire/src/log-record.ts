// Owns the bytes of a record: one CloudEvents 1.0 JSON object in structured mode, readable with kcat or sqlite3. What is
// hashed, copied and replayed is exactly these bytes; decoding never asks for a certain order of fields.
//
//   id            command id (UUID)             type            cohort.<command>.v<schema version>
//   source        /trackers/<tracker id>        subject         the group, user or file that it is about
//   time          RFC 3339, milliseconds, UTC   correlationid   follows the command from the peer
//   peerid, actor the peer and its user         seenoffset      highest offset that the sender had seen
//   signature     base64, on trackers' records: over signedBytes()
import { type Command, COMMAND_NAMES, type CommandName, isCommandName } from '#domain/command';
import type { Actor, LogRecord } from '#domain/record';
import { jsonObject } from './json-object.ts';
import { RECORD_BYTES_MAX } from './limits.ts';

/** A record with the signature that stands in its bytes, or null. */
export interface SignedLogRecord extends LogRecord {
  readonly signature: string | null;
}

interface RecordType {
  readonly name: CommandName;
  readonly schemaVersion: number;
}

const SOURCE_PREFIX = '/trackers/';
const HEX_ID = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TYPE = /^cohort\.([a-z_]+)\.v([1-9][0-9]{0,5})$/;
/** What all records but those of newer builds are of: looked up, where taking a type apart is as much work as the rest of its record. */
const USUAL_TYPES: ReadonlyMap<string, RecordType> = new Map(
  COMMAND_NAMES.map((name) => [`cohort.${name}.v1`, { name, schemaVersion: 1 }]),
);
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const encoder = new TextEncoder();
/** Where texts are encoded: copying from here what one came to takes a third of what TextEncoder takes to make room for it. */
const encoded = new Uint8Array(3 * RECORD_BYTES_MAX);

/** The exact UTF-8 bytes of a record. */
export function encodeLogRecord(record: SignedLogRecord): Uint8Array {
  const { actor, command } = record;
  const attributes = {
    specversion: '1.0',
    id: record.id,
    source: SOURCE_PREFIX + record.trackerId,
    type: `cohort.${command.name}.v${record.schemaVersion}`,
    subject: subjectOf(command, actor),
    time: new Date(record.timeMs).toISOString(),
    ...(actor.kind === 'peer' && { peerid: actor.peerId }),
    ...(actor.kind === 'peer' && actor.user !== null && { actor: actor.user }),
    correlationid: record.correlationId,
    seenoffset: record.seenOffset,
    ...(record.signature !== null && { signature: record.signature }),
    datacontenttype: 'application/json',
    data: command.data,
  };
  return utf8Of(JSON.stringify(attributes));
}

/** What a tracker signs: every stamp and the data of its record, under a prefix of its own. */
export function signedBytes(record: LogRecord): Uint8Array {
  const { id, trackerId, timeMs, schemaVersion, command } = record;
  // `apply` has not looked at the data yet: a record without any is refused there, and must not end who reads it.
  const data = (command.data ?? {}) as Readonly<Record<string, unknown>>;
  const fields = Object.keys(data)
    .sort()
    .map((field) => [field, data[field]]);
  return utf8Of(`cohort record v1\n${JSON.stringify([id, trackerId, timeMs, schemaVersion, command.name, fields])}`);
}

/** The record that bytes hold, or null for bytes that are none. The command's data is checked by `apply`, not here. */
export function decodeLogRecord(bytes: Uint8Array): SignedLogRecord | null {
  const attributes = jsonObject(bytes);
  return attributes === null ? null : logRecordOf(attributes);
}

/** The same, for whoever had to read the JSON in the bytes already. */
export function logRecordOf(attributes: Readonly<Record<string, unknown>>): SignedLogRecord | null {
  if (attributes['specversion'] !== '1.0') return null;
  const type = typeOf(attributes['type']);
  const trackerId = trackerOf(attributes['source']);
  const { id, time, peerid, actor, correlationid, seenoffset, signature, data } = attributes;
  if (type === null || trackerId === null || !isText(id, UUID) || !isText(time, RFC_3339)) return null;
  const timeMs = Date.parse(time);
  const seenOffset = seenoffset ?? -1;
  if (!Number.isSafeInteger(timeMs) || !Number.isSafeInteger(seenOffset)) return null;
  const sender = actorOf({ peerid, actor, trackerId });
  if (sender === null) return null;
  return {
    id,
    trackerId,
    timeMs,
    actor: sender,
    correlationId: typeof correlationid === 'string' ? correlationid : id,
    seenOffset: seenOffset as number,
    schemaVersion: type.schemaVersion,
    command: { name: type.name, data } as Command,
    signature: typeof signature === 'string' ? signature : null,
  };
}

function utf8Of(text: string): Uint8Array {
  if (3 * text.length > encoded.length) return encoder.encode(text);
  const { written } = encoder.encodeInto(text, encoded);
  return encoded.slice(0, written);
}

function typeOf(value: unknown): RecordType | null {
  const usual = typeof value === 'string' ? USUAL_TYPES.get(value) : undefined;
  if (usual !== undefined) return usual;
  const match = typeof value === 'string' ? TYPE.exec(value) : null;
  if (match === null || !isCommandName(match[1]!)) return null;
  return { name: match[1], schemaVersion: Number(match[2]) };
}

/** The source that was looked at last, and whose it is: most records come from the tracker of the one before. */
let lastSource: { readonly source: string; readonly trackerId: string } = { source: '', trackerId: '' };

function trackerOf(source: unknown): string | null {
  if (typeof source !== 'string' || !source.startsWith(SOURCE_PREFIX)) return null;
  if (source === lastSource.source) return lastSource.trackerId;
  const trackerId = source.slice(SOURCE_PREFIX.length);
  if (!HEX_ID.test(trackerId)) return null;
  lastSource = { source, trackerId };
  return trackerId;
}

function actorOf(from: { peerid: unknown; actor: unknown; trackerId: string }): Actor | null {
  const { peerid, actor, trackerId } = from;
  if (peerid === undefined) return actor === undefined ? { kind: 'tracker', trackerId } : null;
  if (!isText(peerid, HEX_ID)) return null;
  if (actor !== undefined && typeof actor !== 'string') return null;
  return { kind: 'peer', peerId: peerid, user: actor ?? null };
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function subjectOf(command: Command, actor: Actor): string {
  const data = command.data as { group?: string; file?: string; user?: string };
  if (data.group !== undefined) return data.file === undefined ? data.group : `${data.group}/${data.file}`;
  if (data.user !== undefined) return data.user;
  return actor.kind === 'peer' ? (actor.user ?? actor.peerId) : actor.trackerId;
}
