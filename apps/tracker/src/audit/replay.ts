// Owns reading records as every tracker does, without one: each is applied by the same function, in order, up to a moment.
import { NEWEST_RULES_VERSION } from '#domain/decide';
import { BadInput } from '#identity/start-input';
import { decodeLogRecord } from '#wire/log-record';
import type { StoredRecord } from '../command-log/command-log.ts';
import { type AppliedRecord, DerivedState, partsOfNothing } from '../replica/derived-state.ts';
import { DigestedOutcomes } from './digested-outcomes.ts';
import { END, isBehind, type Moment } from './moment.ts';

/** Where records come from: a log, or an exported file. */
export interface AuditSource {
  /** As it was named, for messages. */
  readonly name: string;
  /** Every record that was there when the reading began, in order from offset 0. */
  records(): AsyncIterable<readonly StoredRecord[]>;
  close(): Promise<void>;
}

/** A record with what it came to, and the logical time since when that is so. */
export interface AuditedRecord extends AppliedRecord {
  readonly timeMs: number;
  readonly bytes: Uint8Array;
}

/** Looks at a record right after it was applied; what it returns is not looked at. */
export type Visit = (audited: AuditedRecord, derived: DerivedState) => void;

/** How to replay. */
export interface ReplayOptions {
  readonly until?: Moment;
  readonly visit?: Visit;
  /** Hears how far it is, every few thousand records. */
  readonly onProgress?: ((offset: number) => void) | undefined;
  /** Waited for after each batch, so that what visits have to say can be said. */
  readonly afterBatch?: () => Promise<void>;
}

const PROGRESS_RECORDS = 8_192;

/** The log holds rules that this build does not know, from an offset on. */
export class NewerRules extends BadInput {
  readonly offset: number;

  constructor(offset: number, version: number) {
    super(`the record at offset ${offset} puts version ${version} of the rules in force: use a build that knows it`);
    this.offset = offset;
  }
}

/** Applies the records of a source up to a moment. Throws `NewerRules`, and what the source throws. */
export async function replay(source: AuditSource, options: ReplayOptions = {}): Promise<DerivedState> {
  const { until = END, visit, onProgress, afterBatch } = options;
  const derived = new DerivedState(partsOfNothing(new DigestedOutcomes()));
  for await (const batch of source.records()) {
    for (const stored of batch) {
      if (isPast(until, stored, derived)) return derived;
      const audited = applyNext(derived, stored);
      visit?.(audited, derived);
      if (stored.offset % PROGRESS_RECORDS === 0) onProgress?.(stored.offset);
    }
    await afterBatch?.();
  }
  refuseBehindEnd(until, { source, derived });
  return derived;
}

/** Applies the next record. Throws `NewerRules`. */
export function applyNext(derived: DerivedState, stored: StoredRecord): AuditedRecord {
  const applied = derived.apply({ ...stored, sealed: null });
  const { rulesVersion, logTimeMs } = derived.state;
  if (rulesVersion > NEWEST_RULES_VERSION) throw new NewerRules(stored.offset, rulesVersion);
  return { ...applied, timeMs: logTimeMs, bytes: stored.value };
}

/** The time of a record is in its bytes, which are looked at before it is applied: afterwards there is no way back. */
function isPast(until: Moment, { offset, value }: StoredRecord, { state }: DerivedState): boolean {
  if (until.kind !== 'time') return isBehind(until, { offset, timeMs: 0 });
  const timeMs = Math.max(state.logTimeMs, decodeLogRecord(value)?.timeMs ?? 0);
  return isBehind(until, { offset, timeMs });
}

function refuseBehindEnd(until: Moment, { source, derived }: { source: AuditSource; derived: DerivedState }): void {
  const { appliedOffset } = derived.state;
  if (until.kind !== 'offset' || until.offset <= appliedOffset) return;
  const where = appliedOffset === -1 ? 'has no records' : `ends at offset ${appliedOffset}`;
  throw new BadInput(`offset ${until.offset} is not there yet: ${source.name} ${where}`);
}
