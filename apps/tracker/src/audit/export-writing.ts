// Owns making an export: the bytes as they stand in the log, up to the last checkpoint that agrees with what they come to, and
// the rest only when it is asked for. It judges nothing: that is for `verify`, wherever the export is read.
import { createHash, type KeyObject } from 'node:crypto';
import { exportLine, type SignedNote, signedTrailer, type Trailer, trailerLine } from './export-format.ts';
import { type SignedExtent, signedExtentOf } from './last-checkpoint.ts';
import type { AuditSource } from './replay.ts';

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

/** Writes the log and its trailer; returns the trailer, and what a checkpoint has against the log. */
export async function writeExport(
  source: AuditSource,
  options: ExportOptions,
): Promise<{ trailer: Trailer; dispute: string | null }> {
  const { write, tail, key } = options;
  const extent = await signedExtentOf(source, { onProgress: options.onProgress });
  const digest = createHash('sha256');
  const signedRecords = extent.last?.size ?? 0;
  let records = 0;
  for await (const batch of source.records()) {
    const wanted = tail ? batch : batch.slice(0, Math.max(0, signedRecords - records));
    const bytes = Buffer.concat(wanted.map(({ value, offset }) => exportLine(value, offset)));
    digest.update(bytes);
    if (bytes.length > 0) await write(bytes);
    records += wanted.length;
    if (wanted.length < batch.length) break;
  }
  const said = trailerOf(extent, { records, sha256: digest.digest('hex') });
  const trailer = key === null ? { ...said, auditor: null } : signedTrailer(said, key);
  await write(trailerLine(trailer));
  return { trailer, dispute: extent.dispute };
}

/** What a trailer says of so many records, whose lines have this hash. */
export function trailerOf(
  { last, cosigned }: Pick<SignedExtent, 'last' | 'cosigned'>,
  { records, sha256 }: Pick<Trailer, 'records' | 'sha256'>,
): Omit<Trailer, 'auditor'> {
  const [checkpoint = null, ...cosignatures] = last === null ? [] : [last, ...cosigned].map(signedNote);
  const notes = cosignatures.length === 0 ? { checkpoint } : { checkpoint, cosignatures };
  return { records, signedRecords: last?.size ?? 0, sha256, ...notes };
}

function signedNote({ trackerId, note }: SignedNote): SignedNote {
  return { trackerId, note };
}
