// Owns how fast records are applied: as the domain does it with records that are decoded already, as a replica does it from
// their bytes, and from a log.
import { apply } from '#domain/apply';
import { emptyState } from '#domain/state';
import { decodeLogRecord } from '#wire/log-record';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';
import { Replica } from '../../apps/tracker/src/replica/replica.ts';
import { newIdentity } from '../unit/tracker/new-identity.ts';
import { busyLog } from './busy-log.ts';
import { medianOf } from './table.ts';

/** Records in a second. */
export interface ApplyRates {
  readonly applied: number;
  readonly derived: number;
  /** By the log that they are read from. */
  readonly replayed: ReadonlyMap<string, number>;
}

const ROUNDS = 3;
const APPENDED_AT_ONCE = 1_000;

/** Measures all of them on the same records, of which no more than some thousand belong to one group. */
export async function applyRates(
  count: number,
  logs: readonly { readonly name: string; readonly urlOf: (purpose: string) => string }[],
): Promise<ApplyRates> {
  const values = busyLog(newIdentity(), count);
  const applied = medianRate(count, () => applyAll(values));
  const derived = medianRate(count, () => deriveAll(values));
  const replays = new Map<string, number>();
  for (const { name, urlOf } of logs) {
    const url = urlOf('replay');
    await appendAll(url, values);
    replays.set(name, await replayRate(url, count));
  }
  return { applied, derived, replayed: replays };
}

/** The exact bytes of the records from one offset to before another. */
export async function recordsOf(url: string, { from, to }: { from: number; to: number }): Promise<Uint8Array[]> {
  const log = await openCommandLog({ url, trackerInfoPath: null });
  const values: Uint8Array[] = [];
  try {
    for await (const batch of log.read(from, new AbortController().signal)) {
      values.push(...batch.map(({ value }) => value));
      if (values.length >= to - from) break;
    }
  } finally {
    await log.close();
  }
  return values.slice(0, to - from);
}

/** A replica that has applied all of a log. */
export async function replayed(url: string): Promise<Replica> {
  const log = await openCommandLog({ url, trackerInfoPath: null });
  try {
    const replica = new Replica({ log, now: Date.now });
    if (!(await replica.start())) throw new Error(`${url} cannot be followed`);
    await replica.stop();
    return replica;
  } finally {
    await log.close();
  }
}

function applyAll(values: readonly Uint8Array[]): () => void {
  const records = values.map(decodeLogRecord);
  return () => {
    const state = emptyState();
    for (const [offset, record] of records.entries()) {
      const { outcome } = apply(state, { offset, record, signer: record!.trackerId, checkpoint: null });
      if (outcome.status !== 'accepted') throw new Error(`record ${offset} was refused: ${outcome.reason}`);
    }
  };
}

function deriveAll(values: readonly Uint8Array[]): () => void {
  return () => {
    const derived = new DerivedState();
    for (const [offset, value] of values.entries()) derived.apply({ offset, value, sealed: null, appendTimeMs: null });
  };
}

function medianRate(count: number, prepare: () => () => void): number {
  const rates = Array.from({ length: ROUNDS }, () => {
    const run = prepare();
    const begin = performance.now();
    run();
    return count / ((performance.now() - begin) / 1000);
  });
  return medianOf(rates);
}

async function replayRate(url: string, count: number): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    const { appliedOffset } = await replayed(url);
    rates.push(count / ((performance.now() - begin) / 1000));
    if (appliedOffset !== count - 1) throw new Error(`${url} ended at offset ${appliedOffset}, not ${count - 1}`);
  }
  return medianOf(rates);
}

async function appendAll(url: string, values: readonly Uint8Array[]): Promise<void> {
  const log = await openCommandLog({ url, trackerInfoPath: null });
  try {
    for (let from = 0; from < values.length; from += APPENDED_AT_ONCE) {
      await log.append(values.slice(from, from + APPENDED_AT_ONCE).map((value) => ({ value, sealed: null })));
    }
  } finally {
    await log.close();
  }
}
