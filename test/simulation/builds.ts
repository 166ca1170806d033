// Owns the programs that a simulated tracker can be: the right one, the next one, which knows rules that are not in force yet, and
// wrong ones, whose effects or records are not what the log says. They differ in what they make of a record, and in nothing else.
import { apply } from '#domain/apply';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import { type Rules, RULES } from '#domain/rules';
import type { State } from '#domain/state';
import type { CommandLog, StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';

/** A program, as far as programs differ. */
export interface Build {
  readonly rules: Rules;
  /** What it takes a record for that it reads. */
  reads(stored: StoredRecord): StoredRecord;
  /** How often it writes a peer's command in the newer schema, while those rules are in force. */
  newerChance(rulesInForce: number): number;
  /** What becomes of a state before it is written as a snapshot: nothing, in a right one. */
  keeps(state: State): void;
  /** Whether it has computed or read anything wrong so far; it may differ from the others since then. */
  hasErred(): boolean;
}

/** The rules that the next build brings. */
export const NEWER_RULES_VERSION = NEWEST_RULES_VERSION + 1;
export const NEWER_SCHEMA_VERSION = 2;

/** They accept commands in schema version 2, which say the same; until they are in force such a record is above the version. */
export const NEWER_RULES: Rules = {
  newestVersion: NEWER_RULES_VERSION,
  apply: (state, appended) => {
    const { record } = appended;
    const isNewer = state.rulesVersion >= NEWER_RULES_VERSION && record?.schemaVersion === NEWER_SCHEMA_VERSION;
    return apply(state, isNewer ? { ...appended, record: { ...record, schemaVersion: 1 } } : appended);
  },
};

export const RIGHT_BUILD: Build = {
  rules: RULES,
  reads: (stored) => stored,
  newerChance: () => 0,
  keeps: () => undefined,
  hasErred: () => false,
};

/** Writes some commands in the newer schema too early, which every build has to refuse alike. */
export const NEWER_BUILD: Build = {
  ...RIGHT_BUILD,
  rules: NEWER_RULES,
  newerChance: (rulesInForce) => (rulesInForce >= NEWER_RULES_VERSION ? 0.5 : 0.03),
};

/** Makes two effects of one from an offset on: whenever it applies such a record, or, with `mayErr`, once that it may. */
export function wrongEffects({ fromOffset, mayErr }: { fromOffset: number; mayErr?: () => boolean }): Build {
  let hasErred = false;
  const rules: Rules = {
    newestVersion: RULES.newestVersion,
    apply: (state, appended) => {
      const applied = apply(state, appended);
      if (appended.offset < fromOffset || applied.events.length === 0) return applied;
      if (mayErr !== undefined && (hasErred || !mayErr())) return applied;
      hasErred = true;
      return { ...applied, events: [...applied.events, ...applied.events] };
    },
  };
  return { ...RIGHT_BUILD, rules, hasErred: () => hasErred };
}

/** Reads one record from an offset on with a byte too much, once: it says the same, and is another leaf of the tree. */
export function misreading({ fromOffset }: { fromOffset: number }): Build {
  let hasErred = false;
  const reads = (stored: StoredRecord): StoredRecord => {
    if (hasErred || stored.offset < fromOffset) return stored;
    hasErred = true;
    return { ...stored, value: Buffer.concat([stored.value, Buffer.from(' ')]) };
  };
  return { ...RIGHT_BUILD, reads, hasErred: () => hasErred };
}

/** Writes a snapshot from an offset on with a fault, once, that no effect and no view shows; whoever begins at it has it too. */
export function miskeeping({ fromOffset }: { fromOffset: number }): Build {
  let hasMiskept = false;
  const keeps = ({ appliedOffset, users }: State): void => {
    const [user] = users.values();
    if (hasMiskept || appliedOffset < fromOffset || user === undefined) return;
    hasMiskept = true;
    users.set(user.name, { ...user, createdOffset: user.createdOffset + 1 });
  };
  return { ...RIGHT_BUILD, keeps };
}

/** The same object with some of its members exchanged. */
export function exchanging<Whole extends object>(whole: Whole, others: Partial<Whole>): Whole {
  return new Proxy(whole, {
    get: (target, name) => {
      if (Object.hasOwn(others, name)) return others[name as keyof Whole];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** What is read in place of a batch. */
export type Change = (batch: readonly StoredRecord[]) => readonly StoredRecord[];

/** A log whose batches are changed as they are read. */
export function readingThrough(log: CommandLog, change: Change): CommandLog {
  return {
    ...log,
    async *read(fromOffset, signal) {
      for await (const batch of log.read(fromOffset, signal)) yield change(batch);
    },
  };
}
