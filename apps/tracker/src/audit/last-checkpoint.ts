// Owns finding how far a log is signed: its last checkpoint that agrees with what the records come to, in the log itself or, for an
// export, in its trailer.
import type { DerivedState } from '../replica/derived-state.ts';
import type { Trailer } from './export-format.ts';
import { checkpointIn } from './kept-checkpoint.ts';
import { type AuditedRecord, type AuditSource, replay } from './replay.ts';

/** A checkpoint that agrees with what the records come to. */
export interface LastCheckpoint {
  /** How many records it is about. */
  readonly size: number;
  readonly trackerId: string;
  /** The signer's, as it registered it: base64 of the SPKI DER. */
  readonly publicKey: string;
  readonly note: string;
}

/** How far a log is signed. */
export interface SignedExtent {
  /** About the most records, of equal ones the first; null for none. */
  readonly last: LastCheckpoint | null;
  /** What a checkpoint has against the log, as a sentence; null for nothing. */
  readonly dispute: string | null;
}

/** Reads all of a source; with trackers named, only what those signed counts. */
export async function signedExtentOf(
  source: AuditSource & { readonly trailer?: Trailer | null },
  {
    trusted,
    onProgress,
  }: { trusted?: ReadonlySet<string> | undefined; onProgress?: ((offset: number) => void) | undefined } = {},
): Promise<SignedExtent> {
  let last: LastCheckpoint | null = null;
  const consider = (found: LastCheckpoint | null): void => {
    const counts = found !== null && (trusted === undefined || trusted.has(found.trackerId));
    if (counts && found.size > (last?.size ?? 0)) last = found;
  };
  const visit = (audited: AuditedRecord, derived: DerivedState): void => consider(checkpointOf(audited, derived));
  const derived = await replay(source, { visit, onProgress });
  const inTrailer = source.trailer?.checkpoint ?? null;
  if (inTrailer !== null) consider(agreeing(inTrailer, derived));
  const { dispute } = derived.checkpoints;
  const sentence =
    dispute && `the checkpoint at offset ${dispute.offset} contradicts the first ${dispute.size} records`;
  return { last, dispute: sentence };
}

function checkpointOf({ record, applied }: AuditedRecord, derived: DerivedState): LastCheckpoint | null {
  const event = applied.events.find(({ type }) => type === 'checkpoint_recorded');
  if (event?.type !== 'checkpoint_recorded' || record?.command.name !== 'checkpoint') return null;
  return agreeing({ trackerId: event.trackerId, note: record.command.data.note }, derived);
}

/** The checkpoint in a note that its tracker signed and that fits the records; null when it does not. */
export function agreeing(
  { trackerId, note }: { readonly trackerId: string; readonly note: string },
  derived: DerivedState,
): LastCheckpoint | null {
  const checkpoint = checkpointIn(note, { trackerId, state: derived.state });
  if (checkpoint === null) return null;
  const { size, root, digest } = checkpoint;
  if (root !== derived.rootAt(size - 1) || digest !== derived.digestAt(size - 1)) return null;
  return { size, trackerId, publicKey: derived.state.trackers.get(trackerId)!.publicKey, note };
}
