// Owns whether a history agrees with its log, by the checks of the simulation (log-check.ts), in the order in which things
// happened: the log is read along with it, as far as somebody has told of it.
import type { StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { leafHash, MerkleFrontier } from '../../apps/tracker/src/replica/merkle-frontier.ts';
import { type Invocation, LogCheck } from '../simulation/log-check.ts';
import type { HistoryEvent, TimedEvent } from './history.ts';

/** What came of a check. */
export interface HistoryVerdict {
  /** What does not hold, each with the line of the history at which it shows. */
  readonly violations: readonly string[];
  readonly commands: number;
  /** Commands that were accepted or rejected, by an answer. */
  readonly acknowledged: number;
  /** Commands of which their sender never heard. */
  readonly unknown: number;
  readonly accepted: number;
  readonly looks: number;
  readonly replies: number;
  readonly grants: number;
  readonly digests: number;
  readonly records: number;
  readonly checks: number;
  readonly outcomeKinds: number;
}

type Of<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { readonly type: Type }>;

/** Checks a whole history against the whole log. */
export async function checkHistory(
  records: readonly StoredRecord[],
  events: AsyncIterable<TimedEvent> | Iterable<TimedEvent>,
): Promise<HistoryVerdict> {
  const check = new HistoryCheck(records);
  for await (const event of events) check.take(event);
  return check.end();
}

class HistoryCheck {
  readonly #records: readonly StoredRecord[];
  readonly #violations: string[] = [];
  readonly #log: LogCheck;
  readonly #tree = new MerkleFrontier();
  /** By offset. */
  readonly #roots: string[] = [];
  /** Whose answers have not come, by call. */
  readonly #open = new Map<number, Invocation>();
  readonly #looks = new Map<number, { readonly peerId: string; readonly seenOffset: number }>();
  /** Highest offset that a session was told, by peer id. */
  readonly #seen = new Map<string, number>();
  readonly #counts = { looks: 0, replies: 0, grants: 0, digests: 0 };
  #line = 0;

  constructor(records: readonly StoredRecord[]) {
    this.#records = records;
    this.#log = new LogCheck((words) => this.#violations.push(`line ${this.#line}: ${words}`));
  }

  take(event: TimedEvent): void {
    this.#line += 1;
    switch (event.type) {
      case 'command':
        return this.#commandSent(event);
      case 'answer':
        return this.#answered(event);
      case 'look':
        this.#looks.set(event.call, { peerId: event.peerId, seenOffset: this.#seen.get(event.peerId) ?? -1 });
        return;
      case 'shown':
        return this.#shown(event);
      case 'reply':
        return this.#replied(event);
      case 'digest':
        return this.#digestTold(event);
      case 'fault':
    }
  }

  /** Takes in what is left of the log, and says what came of it all. */
  end(): HistoryVerdict {
    const log = this.#log;
    this.#readTo(this.#records.length - 1);
    log.ended({ comeTwice: false });
    const heard = [...log.invocations()];
    return {
      violations: this.#violations,
      commands: heard.length,
      acknowledged: heard.filter(({ isAcknowledged }) => isAcknowledged).length,
      unknown: heard.filter(({ isAcknowledged, isDenied }) => !isAcknowledged && !isDenied).length,
      accepted: log.acceptedCount(),
      ...this.#counts,
      records: log.endOffset,
      checks: log.checkCount,
      outcomeKinds: log.outcomeKinds().length,
    };
  }

  /** The log is read as far as somebody has told of it, and no further: what was true is found from its end. */
  #readTo(offset: number): void {
    while (this.#log.endOffset <= offset && this.#log.endOffset < this.#records.length) {
      const record = this.#records[this.#log.endOffset]!;
      const endOffset = this.#log.endOffset;
      this.#log.stored(record);
      this.#tree.append(leafHash(record.value));
      this.#roots.push(this.#tree.root().toString('hex'));
      if (this.#log.endOffset === endOffset)
        throw new Error(`the log has ${record.offset} where ${endOffset} has to be`);
    }
  }

  #commandSent(event: Of<'command'>): void {
    const invocation = this.#log.begin(event);
    this.#open.set(event.call, invocation);
    this.#log.sent(invocation);
  }

  #answered({ call, answer }: Of<'answer'>): void {
    const invocation = this.#open.get(call)!;
    this.#open.delete(call);
    const offset = answer.status === 'failed' ? -1 : (answer.offset ?? -1);
    this.#readTo(offset);
    this.#log.answered(invocation, answer);
    this.#saw(invocation.peerId, offset);
  }

  #shown({ call, asOfOffset }: Of<'shown'>): void {
    const { peerId, seenOffset } = this.#looks.get(call)!;
    this.#looks.delete(call);
    if (asOfOffset === null) return;
    this.#counts.looks += 1;
    this.#log.shown(peerId, { asOfOffset, seenOffset });
    this.#saw(peerId, asOfOffset);
  }

  #replied({ tracker, pattern, payload, peerId, reply }: Of<'reply'>): void {
    this.#counts.replies += 1;
    this.#readTo(Math.max(reply.appliedOffset, (reply as { offset?: number }).offset ?? -1));
    const isThere = reply.appliedOffset < this.#log.endOffset;
    this.#log.check(isThere, () => `tracker ${tracker} had applied ${reply.appliedOffset}, which is not in the log`);
    if (!isThere) return;
    this.#log.replyTold({ pattern, payload, peerId }, reply);
    const grant = (reply.view as { grant?: string | null } | undefined)?.grant ?? null;
    if (grant === null) return;
    this.#counts.grants += 1;
    this.#log.grantTold(grant);
  }

  #digestTold({ tracker, offset, digest, root }: Of<'digest'>): void {
    this.#counts.digests += 1;
    this.#readTo(offset);
    const what = `tracker ${tracker} has another`;
    this.#log.check(digest === this.#log.decidedAt(offset)?.digest, () => `${what} digest at offset ${offset}`);
    this.#log.check(root === this.#roots[offset], () => `${what} root at offset ${offset}`);
  }

  #saw(peerId: string, offset: number): void {
    this.#seen.set(peerId, Math.max(this.#seen.get(peerId) ?? -1, offset));
  }
}
