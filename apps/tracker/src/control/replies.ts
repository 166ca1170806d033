// Owns what every reply has in common: its head, and that a failure before the log is counted.
import type { ReplyHead } from '#wire/tracker-api';
import type { Replica } from '../replica/replica.ts';
import { troubleOf } from './freshness.ts';
import type { TrackerMetrics } from './metrics.ts';

export class Replies {
  readonly #replica: Replica;
  readonly #metrics: TrackerMetrics;
  readonly #trackerId: string;

  constructor(from: { replica: Replica; metrics: TrackerMetrics; trackerId: string }) {
    this.#replica = from.replica;
    this.#metrics = from.metrics;
    this.#trackerId = from.trackerId;
  }

  /** An answer as it goes out. The log id is empty while the log's first record has not been read. */
  withHead<Answer extends { readonly status: string; readonly code?: string }>(answer: Answer): ReplyHead & Answer {
    if (answer.code !== undefined) this.#metrics.countRefusal(answer.code);
    const { logId, appliedOffset } = this.#replica.state;
    const trouble = troubleOf(this.#replica);
    return { logId: logId ?? '', trackerId: this.#trackerId, appliedOffset, trouble, ...answer };
  }
}
