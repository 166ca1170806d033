// Owns the bytes of an exported log: CloudEvents 1.0, one a line, in the order of their offsets from 0, and a trailer. What was
// sealed beside records (password hashes) is in backups only; records commit to it, so everything can be verified without.
//
//   export  = *([sealed newline] line newline) trailer newline
//   line    = the exact bytes of a record, or, when those are no line of JSON or look like one of these three, `wrapped`
//   sealed  = {"specversion":"1.0","type":"cohort.sealed.v1","id":...,"source":"/audit","data":{"sealed":...}}   of the next line
//   wrapped = {"specversion":"1.0","type":"cohort.unreadable_record.v1","id":...,"source":"/audit","data_base64":...}
//   trailer = {"specversion":"1.0","type":"cohort.export_trailer.v1","id":...,"source":"/audit","data":{...}}   see `Trailer`
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { hasFields } from '#identity/durable-file';
import { jsonObject } from '#wire/json-object';
import { logRecordOf, type SignedLogRecord } from '#wire/log-record';
import { canonicalJson } from '../replica/effect-digest.ts';

/** The note of a checkpoint, and who signed it. */
export interface SignedNote {
  readonly trackerId: string;
  readonly note: string;
}

/** What the last line of an export says about the lines before it. */
export interface Trailer {
  /** How many records there are. */
  readonly records: number;
  /** How many of them the checkpoint is about; those behind it nobody has signed. */
  readonly signedRecords: number;
  /** SHA-256 of all bytes before the trailer, hex. */
  readonly sha256: string;
  /** The signed note of the checkpoint, and the tracker that signed it; null when there is none. */
  readonly checkpoint: SignedNote | null;
  /** The notes of other trackers about the same records; left out when there are none. */
  readonly cosignatures?: readonly SignedNote[];
  /** The auditor who made the export (base64: SPKI DER, Ed25519 signature), or null. */
  readonly auditor: { readonly publicKey: string; readonly signature: string } | null;
}

const PREFIX = '{"specversion":"1.0","type":"cohort.';
const WRAPPED_PREFIX = Buffer.from(`${PREFIX}unreadable_record.v1"`);
const SEALED_PREFIX = Buffer.from(`${PREFIX}sealed.v1"`);
const TRAILER_PREFIX = Buffer.from(`${PREFIX}export_trailer.v1"`);
const SIGNED_PREFIX = 'cohort export v1\n';
const NEWLINE = 0x0a;

/** The line of a record, with its newline. */
export function exportLine(record: Uint8Array, offset: number): Buffer {
  return Buffer.concat([attributesInLine(record) === null ? wrapped(record, offset) : record, Buffer.of(NEWLINE)]);
}

/** The bytes of a record, and what they say, where that had to be read to know a line as one. */
export interface ExportedRecord {
  readonly value: Uint8Array;
  readonly record?: SignedLogRecord | null;
}

/** The record in a line, without its newline; null when the line is none that `exportLine` writes. */
export function recordInLine(line: Uint8Array, offset: number): ExportedRecord | null {
  if (!beginsWith(line, WRAPPED_PREFIX)) {
    const attributes = attributesInLine(line);
    return attributes === null ? null : { value: line, record: logRecordOf(attributes) };
  }
  const value = Buffer.from(String(jsonObject(line)?.['data_base64']), 'base64');
  return attributesInLine(value) === null && wrapped(value, offset).equals(line) ? { value } : null;
}

/** The line of what stands beside the record of the next one, with its newline. */
export function sealedLine(sealed: string, offset: number): Buffer {
  const head = { specversion: '1.0', type: 'cohort.sealed.v1', id: String(offset), source: '/audit' };
  return Buffer.from(`${JSON.stringify({ ...head, datacontenttype: 'application/json', data: { sealed } })}\n`);
}

/** Whether a line means to be one of those. */
export function isSealedLine(line: Uint8Array): boolean {
  return beginsWith(line, SEALED_PREFIX);
}

/** What such a line has for the record at an offset, without its newline; null when it is none that `sealedLine` writes. */
export function sealedInLine(line: Uint8Array, offset: number): string | null {
  const { sealed } = (jsonObject(line)?.['data'] ?? {}) as { readonly sealed?: unknown };
  if (typeof sealed !== 'string') return null;
  return sealedLine(sealed, offset).subarray(0, -1).equals(line) ? sealed : null;
}

/** Whether a line means to be the trailer. */
export function isTrailerLine(line: Uint8Array): boolean {
  return beginsWith(line, TRAILER_PREFIX);
}

/** The line of the trailer, with its newline. */
export function trailerLine(trailer: Trailer): Buffer {
  const { sha256 } = trailer;
  const head = { specversion: '1.0', type: 'cohort.export_trailer.v1', id: sha256, source: '/audit' };
  return Buffer.from(`${JSON.stringify({ ...head, datacontenttype: 'application/json', data: inOrder(trailer) })}\n`);
}

/** The trailer in a line, without its newline; null for a line that `trailerLine` would not write. */
export function trailerInLine(line: Uint8Array): Trailer | null {
  const trailer = jsonObject(line)?.['data'];
  if (!isTrailer(trailer)) return null;
  return trailerLine(trailer).subarray(0, -1).equals(line) ? trailer : null;
}

/** The trailer with an auditor's signature over everything that it says. */
export function signedTrailer(trailer: Omit<Trailer, 'auditor'>, key: KeyObject): Trailer {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  const signature = sign(null, signedBytes(trailer), key).toString('base64');
  return { ...trailer, auditor: { publicKey, signature } };
}

/** The fingerprint (hex) of the auditor whose signature holds, null without one, false when it does not hold. */
export function auditorOf(trailer: Trailer): string | null | false {
  const { auditor, ...said } = trailer;
  if (auditor === null) return null;
  const der = Buffer.from(auditor.publicKey, 'base64');
  try {
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    const holds = verify(null, signedBytes(said), key, Buffer.from(auditor.signature, 'base64'));
    return holds && key.asymmetricKeyType === 'ed25519' && hash('sha256', der, 'hex');
  } catch {
    return false;
  }
}

function signedBytes(trailer: Omit<Trailer, 'auditor'>): Buffer {
  return Buffer.from(SIGNED_PREFIX + canonicalJson(trailer));
}

function inOrder({ records, signedRecords, sha256, checkpoint, cosignatures, auditor }: Trailer): object {
  const signed = ({ trackerId, note }: SignedNote): SignedNote => ({ trackerId, note });
  const notes = { checkpoint: checkpoint && signed(checkpoint), cosignatures: cosignatures?.map(signed) };
  const key = auditor && { publicKey: auditor.publicKey, signature: auditor.signature };
  return { records, signedRecords, sha256, ...notes, auditor: key };
}

/** Whether it says everything that a trailer does: whoever hands out an export can write one of their own. */
function isTrailer(value: unknown): value is Trailer {
  const counts = { records: 'number', signedRecords: 'number', sha256: 'string' } as const;
  if (!hasFields(value, { ...counts, checkpoint: 'object?', auditor: 'object?' })) return false;
  const { checkpoint, cosignatures = null, auditor } = value as Trailer;
  const isNote = (note: unknown): boolean => hasFields(note, { trackerId: 'string', note: 'string' });
  const areNotes = Array.isArray(cosignatures) && cosignatures.length > 0 && cosignatures.every(isNote);
  return (
    (checkpoint === null || isNote(checkpoint)) &&
    (!Object.hasOwn(value as Trailer, 'cosignatures') || areNotes) &&
    (auditor === null || hasFields(auditor, { publicKey: 'string', signature: 'string' }))
  );
}

/** The object that stands as JSON on one line; null for anything else, and for the other lines of this format. */
function attributesInLine(bytes: Uint8Array): Record<string, unknown> | null {
  if (bytes.includes(NEWLINE) || beginsWith(bytes, WRAPPED_PREFIX)) return null;
  return isSealedLine(bytes) || isTrailerLine(bytes) ? null : jsonObject(bytes);
}

function wrapped(record: Uint8Array, offset: number): Buffer {
  const head = { specversion: '1.0', type: 'cohort.unreadable_record.v1', id: String(offset), source: '/audit' };
  return Buffer.from(JSON.stringify({ ...head, data_base64: Buffer.from(record).toString('base64') }));
}

/** Byte by byte: nearly every line differs where its type would stand. */
function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix[at]) return false;
  return true;
}
