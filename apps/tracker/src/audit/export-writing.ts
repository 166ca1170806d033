// Owns making an export: the bytes as they stand in the log, up to the last checkpoint that agrees with what they come to, and
// the rest only when it is asked for. It judges nothing: that is for `verify`, wherever the export is read.
import { createHash, type KeyObject } from 'node:crypto';
import type { DerivedState } from '../replica/derived-state.ts';
import { exportLine, signedTrailer, type Trailer, trailerLine } from './export-format.ts';
import { type AuditedRecord, type AuditSource, replay } from './replay.ts';

/** Takes the next bytes, and resolves when there is room for more. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** How to export. */
export interface ExportOptions {
  readonly write: WriteBytes;
  /** Also what no checkpoint is about yet. */
  readonly tail: boolean;
  /** The auditor's key, to sign the trailer with; null for none. */
  readonly key: KeyObject | null;
  readonly onProgress?: ((offset: number) => void) | undefined;
}

/** Writes the log and its trailer; returns the trailer. */
export async function writeExport(source: AuditSource, options: ExportOptions): Promise<Trailer> {
  const { write, tail, key } = options;
  const last = await lastCheckpoint(source, options.onProgress);
  const digest = createHash('sha256');
  const signedRecords = last?.size ?? 0;
  let records = 0;
  for await (const batch of source.records()) {
    const wanted = tail ? batch : batch.slice(0, Math.max(0, signedRecords - records));
    const bytes = Buffer.concat(wanted.map(({ value, offset }) => exportLine(value, offset)));
    digest.update(bytes);
    if (bytes.length > 0) await write(bytes);
    records += wanted.length;
    if (wanted.length < batch.length) break;
  }
  const checkpoint = last === null ? null : { trackerId: last.trackerId, note: last.note };
  const said = { records, signedRecords, sha256: digest.digest('hex'), checkpoint };
  const trailer = key === null ? { ...said, auditor: null } : signedTrailer(said, key);
  await write(trailerLine(trailer));
  return trailer;
}

/** A checkpoint in the log that agrees with what its records come to. */
export interface LastCheckpoint {
  readonly size: number;
  readonly trackerId: string;
  /** The signer's, as it registered it: base64 of the SPKI DER. */
  readonly publicKey: string;
  readonly note: string;
}

/** The checkpoint about the most records of those that agree; of equal ones the first. */
export async function lastCheckpoint(
  source: AuditSource,
  onProgress?: (offset: number) => void,
): Promise<LastCheckpoint | null> {
  let last: LastCheckpoint | null = null;
  const visit = (audited: AuditedRecord, derived: DerivedState): void => {
    const found = agreeingCheckpoint(audited, derived);
    if (found !== null && found.size > (last?.size ?? 0)) last = found;
  };
  await replay(source, { visit, onProgress });
  return last;
}

function agreeingCheckpoint({ record, applied }: AuditedRecord, derived: DerivedState): LastCheckpoint | null {
  const event = applied.events.find(({ type }) => type === 'checkpoint_recorded');
  if (event?.type !== 'checkpoint_recorded' || record?.command.name !== 'checkpoint') return null;
  const { size, root, digest, trackerId } = event;
  if (root !== derived.rootAt(size - 1) || digest !== derived.digestAt(size - 1)) return null;
  const { publicKey } = derived.state.trackers.get(trackerId)!;
  return { size, trackerId, publicKey, note: record.command.data.note };
}
