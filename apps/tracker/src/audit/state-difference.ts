// Owns what is different between two points of the log, fact by fact, each with the record that it came of last.
import type { State } from '#domain/state';
import { type Cause, causeOf } from './cause.ts';
import { type Fact, factsOf, touchedBy } from './facts.ts';
import type { AuditedRecord } from './replay.ts';

/** One fact that is not as it was. */
export interface Change {
  readonly kind: Fact['kind'];
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Null when it was not there. */
  readonly before: Fact['value'] | null;
  /** Null when it is not there any more. */
  readonly after: Fact['value'] | null;
  readonly cause: Cause;
}

interface Touched {
  readonly isEnd: boolean;
  readonly cause: Cause;
}

/** Gathers causes from the first point on, and compares at the second. */
export class StateDifference {
  readonly #before: ReadonlyMap<string, Fact>;
  /** By what was touched, in the order of the log. */
  readonly #touches = new Map<string, Touched[]>();

  /** The state at the first point; it is read now and may change afterwards. */
  constructor(state: State) {
    this.#before = byKey(state);
  }

  /** Takes in the next record after the first point. */
  note(audited: AuditedRecord): void {
    for (const event of audited.applied.events) {
      for (const { facts, isEnd } of touchedBy(event)) {
        const touches = this.#touches.get(facts) ?? [];
        this.#touches.set(facts, touches);
        touches.push({ isEnd, cause: causeOf(audited) });
      }
    }
  }

  /** What the state at the second point has that the first had not, and the other way round; by kind and name. */
  changesTo(state: State): Change[] {
    const after = byKey(state);
    const keys = [...new Set([...this.#before.keys(), ...after.keys()])].sort();
    return keys.flatMap((key) => this.#changeOf(key, after.get(key) ?? null));
  }

  #changeOf(key: string, after: Fact | null): Change[] {
    const before = this.#before.get(key) ?? null;
    if (before !== null && after !== null && JSON.stringify(before.value) === JSON.stringify(after.value)) return [];
    const { kind, name } = (after ?? before)!;
    const change = before === null ? 'added' : after === null ? 'removed' : 'changed';
    return [
      {
        kind,
        name,
        change,
        before: before?.value ?? null,
        after: after?.value ?? null,
        cause: this.#causeOf(key, after !== null),
      },
    ];
  }

  /**
   * What touched the fact itself, all of its kind, all that begin as it does up to one of its slashes, or all beside it: of one that is there
   * what changed it last, of one that is gone what ended it first after that.
   */
  #causeOf(key: string, isThere: boolean): Cause {
    const kind = key.slice(0, key.indexOf(' ') + 1);
    const slashes = [...key.matchAll(/\//g)].map(({ index }) => key.slice(0, index + 1));
    const touches = [key, kind, ...slashes, `${slashes.at(-1) ?? ''}*`].flatMap(
      (facts) => this.#touches.get(facts) ?? [],
    );
    const changes = (this.#touches.get(key) ?? []).filter(({ isEnd }) => !isEnd);
    if (isThere) return latestOf(touches.filter(({ isEnd }) => !isEnd));
    const sinceOffset = changes.at(-1)?.cause.offset ?? -1;
    const ends = touches.filter(({ isEnd, cause }) => isEnd && cause.offset >= sinceOffset);
    return ends.map(({ cause }) => cause).reduce((first, cause) => (cause.offset < first.offset ? cause : first));
  }
}

function latestOf(touches: readonly Touched[]): Cause {
  return touches.map(({ cause }) => cause).reduce((latest, cause) => (cause.offset > latest.offset ? cause : latest));
}

function byKey(state: State): Map<string, Fact> {
  return new Map(factsOf(state).map((fact) => [`${fact.kind} ${fact.name}`, fact]));
}
