// Owns reading records as every tracker does, without one: each is applied by the same function, in order, up to a moment.
import { NEWEST_RULES_VERSION } from '#domain/decide';
import { emptyState } from '#domain/state';
import { BadInput } from '#identity/start-input';
import { decodeLogRecord } from '#wire/log-record';
import {
  type AppliedRecord,
  DerivedState,
  partsOfNothing,
  type ReadRecord,
  UnprovedState,
} from '../replica/derived-state.ts';
import { DigestedOutcomes } from './digested-outcomes.ts';
import { END, isBehind, type Moment } from './moment.ts';
import { OneGroup, OutcomesOfOneGroup } from './one-group.ts';

/** Where records come from: a log, or an exported file. */
export interface AuditSource {
  /** As it was named, for messages. */
  readonly name: string;
  /** Every record that was there when the reading began, in order from offset 0. */
  records(): AsyncIterable<readonly ReadRecord[]>;
  close(): Promise<void>;
}

/** A record with what it came to, and the logical time since when that is so. */
export interface AuditedRecord extends AppliedRecord {
  readonly timeMs: number;
  readonly bytes: Uint8Array;
  /** What travelled beside it: a password hash under its nonce, or null. */
  readonly sealed: string | null;
}

/** What records are applied to, one after the other. */
export type Replayed = Pick<DerivedState, 'state' | 'apply'>;

/** How to replay. */
export interface ReplayOptions<Onto extends Replayed> {
  readonly until?: Moment;
  /** Looks at a record right after it was applied; what it returns is not looked at. */
  readonly visit?: (audited: AuditedRecord, onto: Onto) => void;
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
export function replay(source: AuditSource, options: ReplayOptions<DerivedState> = {}): Promise<DerivedState> {
  return replayOnto(new DerivedState(partsOfNothing(new DigestedOutcomes())), { ...options, source });
}

/** The same, for whoever looks at no root and no digest. */
export function replayUnproved(
  source: AuditSource,
  options: ReplayOptions<UnprovedState> = {},
): Promise<UnprovedState> {
  return replayOnto(new UnprovedState(emptyState(new DigestedOutcomes())), { ...options, source });
}

/** The same, for whoever looks only at what records about one group come to: other groups are as if they were not there. */
export function replayOfGroup(
  source: AuditSource,
  group: string,
  options: ReplayOptions<UnprovedState> = {},
): Promise<UnprovedState> {
  const state = emptyState(new OutcomesOfOneGroup(group), new OneGroup(group));
  return replayOnto(new UnprovedState(state), { ...options, source });
}

async function replayOnto<Onto extends Replayed>(
  onto: Onto,
  options: ReplayOptions<Onto> & { readonly source: AuditSource },
): Promise<Onto> {
  const { source, until = END, visit, onProgress, afterBatch } = options;
  for await (const batch of source.records()) {
    for (const stored of batch) {
      if (isPast(until, stored, onto)) return onto;
      const audited = applyNext(onto, stored);
      visit?.(audited, onto);
      if (stored.offset % PROGRESS_RECORDS === 0) onProgress?.(stored.offset);
    }
    await afterBatch?.();
  }
  refuseBehindEnd(until, { source, onto });
  return onto;
}

/** Applies the next record. Throws `NewerRules`. */
export function applyNext(onto: Replayed, stored: ReadRecord): AuditedRecord {
  const { offset, value, sealed, record } = stored;
  // An audit checks nobody's password.
  const applied = onto.apply({ offset, value, record, sealed: null, appendTimeMs: null });
  const { rulesVersion, logTimeMs } = onto.state;
  if (rulesVersion > NEWEST_RULES_VERSION) throw new NewerRules(offset, rulesVersion);
  return { offset, record: applied.record, applied: applied.applied, timeMs: logTimeMs, bytes: value, sealed };
}

/** The time of a record is in its bytes, which are looked at before it is applied: afterwards there is no way back. */
function isPast(until: Moment, stored: ReadRecord, { state }: Replayed): boolean {
  if (until.kind !== 'time') return isBehind(until, { offset: stored.offset, timeMs: 0 });
  const { offset, value, record = decodeLogRecord(value) } = stored;
  const timeMs = Math.max(state.logTimeMs, record?.timeMs ?? 0);
  return isBehind(until, { offset, timeMs });
}

function refuseBehindEnd(until: Moment, { source, onto }: { source: AuditSource; onto: Replayed }): void {
  const { appliedOffset } = onto.state;
  if (until.kind !== 'offset' || until.offset <= appliedOffset) return;
  const where = appliedOffset === -1 ? 'has no records' : `ends at offset ${appliedOffset}`;
  throw new BadInput(`offset ${until.offset} is not there yet: ${source.name} ${where}`);
}
