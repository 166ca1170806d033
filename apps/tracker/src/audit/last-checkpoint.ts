// Owns finding how far a log is signed: its last checkpoint that agrees with what the records come to, in the log itself or, for an
// export, in its trailer.
import type { DerivedState } from '../replica/derived-state.ts';
import type { SignedNote, Trailer } from './export-format.ts';
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
  /** What other trackers signed about the same records. */
  readonly cosigned: readonly LastCheckpoint[];
  /** What a checkpoint has against the log, as a sentence; null for nothing. */
  readonly dispute: string | null;
  /** What all of the records come to. */
  readonly derived: DerivedState;
}

/** Whose checkpoints count. */
export interface ExtentOptions {
  /** All trackers that the log knows, when none are named. */
  readonly trusted?: ReadonlySet<string> | undefined;
  /** How many of them have to have signed; 1 if left out. */
  readonly signatures?: number;
  readonly onProgress?: ((offset: number) => void) | undefined;
}

/** Reads all of a source. */
export async function signedExtentOf(
  source: AuditSource & { readonly trailer?: Trailer | null },
  { trusted, signatures = 1, onProgress }: ExtentOptions = {},
): Promise<SignedExtent> {
  const signed = new SignedSizes(signatures);
  const consider = (found: LastCheckpoint | null): void => {
    if (found !== null && (trusted === undefined || trusted.has(found.trackerId))) signed.add(found);
  };
  const visit = (audited: AuditedRecord, derived: DerivedState): void => consider(checkpointOf(audited, derived));
  const derived = await replay(source, { visit, onProgress });
  for (const note of notesOf(source.trailer ?? null)) consider(agreeing(note, derived));
  const { dispute } = derived.checkpoints;
  const sentence =
    dispute && `the checkpoint at offset ${dispute.offset} contradicts the first ${dispute.size} records`;
  const [last = null, ...cosigned] = signed.last;
  return { last, cosigned, dispute: sentence, derived };
}

/** The largest size that enough trackers have signed, and those that are larger. */
class SignedSizes {
  readonly #signatures: number;
  readonly #bySize = new Map<number, LastCheckpoint[]>();
  #lastSize = 0;

  constructor(signatures: number) {
    this.#signatures = signatures;
  }

  add(found: LastCheckpoint): void {
    const { size, trackerId } = found;
    const signed = this.#bySize.get(size) ?? [];
    if (size < this.#lastSize || signed.some((other) => other.trackerId === trackerId)) return;
    this.#bySize.set(size, [...signed, found]);
    if (size === this.#lastSize || signed.length + 1 < this.#signatures) return;
    this.#lastSize = size;
    for (const smaller of this.#bySize.keys()) if (smaller < size) this.#bySize.delete(smaller);
  }

  /** In the order in which they signed. */
  get last(): readonly LastCheckpoint[] {
    return this.#bySize.get(this.#lastSize) ?? [];
  }
}

/** The notes in a trailer: that of its checkpoint, and those of other trackers about the same. */
export function notesOf(trailer: Trailer | null): readonly SignedNote[] {
  if (trailer === null || trailer.checkpoint === null) return trailer?.cosignatures ?? [];
  return [trailer.checkpoint, ...(trailer.cosignatures ?? [])];
}

function checkpointOf({ record, applied }: AuditedRecord, derived: DerivedState): LastCheckpoint | null {
  const event = applied.events.find(({ type }) => type === 'checkpoint_recorded');
  if (event?.type !== 'checkpoint_recorded' || record?.command.name !== 'checkpoint') return null;
  return agreeing({ trackerId: event.trackerId, note: record.command.data.note }, derived);
}

/** The checkpoint in a note that its tracker signed and that fits the records; null when it does not. */
export function agreeing({ trackerId, note }: SignedNote, derived: DerivedState): LastCheckpoint | null {
  const checkpoint = checkpointIn(note, { trackerId, state: derived.state });
  if (checkpoint === null) return null;
  const { size, root, digest } = checkpoint;
  if (root !== derived.rootAt(size - 1) || digest !== derived.digestAt(size - 1)) return null;
  return { size, trackerId, publicKey: derived.state.trackers.get(trackerId)!.publicKey, note };
}
