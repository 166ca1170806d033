// Owns how a snapshot comes to be: not from the state that answers commands, which goes on changing, but from a second one,
// which begins at the snapshot before, reads the log up to the offset asked for, and is written and forgotten. So nothing has to
// be copied or held still for it, and a snapshot counts only if two computations came to the same digests.
import type { Rules } from '#domain/rules';
import type { CommandLog } from '../command-log/command-log.ts';
import { DerivedState } from '../replica/derived-state.ts';
import type { KeptSnapshot } from '../replica/replica.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Up to where a snapshot is wanted, and what the tracker that wants it has there. */
export interface SnapshotOrder {
  readonly offset: number;
  /** RFC 6962 Merkle root over the records up to `offset`, 64 hex characters. */
  readonly root: string;
  /** Effect digest after it, 64 hex characters. */
  readonly digest: string;
}

/** What came of it; `differs` is a sentence about what is not as ordered. */
export type SnapshotTaken = { readonly kept: KeptSnapshot } | { readonly differs: string };

/** Takes one snapshot at a time; null when `signal` ended that. Rejects when it could not be written. */
export type TakeSnapshot = (order: SnapshotOrder, signal: AbortSignal) => Promise<SnapshotTaken | null>;

/** What a snapshot is taken with. */
export interface SnapshotTools {
  readonly store: SnapshotStore;
  readonly read: CommandLog['read'];
  readonly signal: AbortSignal;
  /** What this build knows of the rules. */
  readonly rules: Rules;
  /** Is called now and then between steps of the work. */
  readonly turn: () => Promise<void> | undefined;
}

/** Takes a snapshot here. */
export async function takeSnapshot(order: SnapshotOrder, tools: SnapshotTools): Promise<SnapshotTaken | null> {
  const { store, rules, turn } = tools;
  const tooNew = (derived: DerivedState): Promise<string | null> =>
    Promise.resolve(
      derived.state.appliedOffset > order.offset ? `the log has no offset ${derived.state.appliedOffset}` : null,
    );
  const derived = (await store.load({ problemOf: tooNew, rules, turn })) ?? new DerivedState();
  if (!(await readUpTo(order.offset, derived, tools))) return null;
  if (derived.root !== order.root || derived.digest !== order.digest) {
    const digest = derived.root === order.root ? 'effect digest' : 'Merkle root';
    return { differs: `computed once more, offset ${order.offset} has another ${digest}` };
  }
  return { kept: await store.save(derived, turn) };
}

/** False when reading was ended before. */
async function readUpTo(
  offset: number,
  derived: DerivedState,
  { read, rules, signal, turn }: SnapshotTools,
): Promise<boolean> {
  const missing = (): boolean => derived.state.appliedOffset < offset;
  if (!missing()) return true;
  const stopping = new AbortController();
  try {
    for await (const batch of read(derived.state.appliedOffset + 1, AbortSignal.any([signal, stopping.signal]))) {
      for (const stored of batch) {
        await turn();
        if (signal.aborted) return false;
        derived.apply(stored, rules);
        if (!missing()) return true;
      }
    }
    return false;
  } finally {
    stopping.abort();
  }
}
