// Owns how the checkpoints in the log compare with what this tracker computed itself, and what operators have ruled. Only its
// own replay tells a tracker who is right: two trackers have no majority, and several of one build share their faults. So
// a disagreement is a dispute with the tracker that signed, and that tracker alone, which ends
//   - by a later checkpoint of the same tracker that agrees: digests are chained, so it has taken back what it said before;
//   - by an operator who rules that the checkpoint does not count. From then on what that tracker signs is not looked at
//     until it agrees: one that stays faulty can stop the others once, and not a second time.
// A checkpoint that does not agree covers nothing, so the others go on to write theirs, and the faulty one reads them.
import type { Checkpoint, CheckpointRuling } from '#domain/checkpoint';
import { formatFingerprint } from '#wire/tracker-info';

/** A checkpoint that says something else than this tracker computed. */
export interface Dispute {
  /** `root`: of other records; `effects`: of the same records, applied to another end. */
  readonly kind: 'root' | 'effects';
  /** Of the checkpoint's record. */
  readonly offset: number;
  /** Who signed it. */
  readonly trackerId: string;
  /** How many records it is about. */
  readonly size: number;
  /** How many records the last checkpoint before it was about that agreed. */
  readonly agreedSize: number;
}

interface Signed extends Pick<Checkpoint, 'size' | 'root' | 'digest'> {
  readonly offset: number;
  readonly trackerId: string;
}

interface Ruling {
  readonly offset: number;
  readonly trackerId: string;
  readonly counts: CheckpointRuling;
}

/** Everything that a ledger knows, every list in an order of its own. */
export interface LedgerEntries {
  readonly agreedSize: number;
  readonly recordsSince: readonly number[];
  readonly disputes: readonly Dispute[];
  readonly overruled: readonly (readonly [trackerId: string, size: number])[];
  readonly differing: readonly number[];
  readonly vindicated: readonly string[];
}

/** Every checkpoint of the log so far, compared. */
export class CheckpointLedger {
  #agreedSize = 0;
  /** Offsets of checkpoints' records from the agreed size on, refused ones too. */
  #recordsSince: number[] = [];
  /** By the tracker that signed. */
  readonly #disputes = new Map<string, Dispute>();
  /** Trackers that are not looked at, with the size from which they have to agree to be looked at again. */
  readonly #overruled = new Map<string, number>();
  readonly #differing = new Set<number>();
  /** Trackers whose disagreeing checkpoint was ruled to count: this one is wrong. */
  readonly #vindicated = new Set<string>();

  /** A ledger that knows what another one knew. */
  static of(entries: LedgerEntries): CheckpointLedger {
    const ledger = new CheckpointLedger();
    ledger.#agreedSize = entries.agreedSize;
    ledger.#recordsSince = [...entries.recordsSince];
    for (const dispute of entries.disputes) ledger.#disputes.set(dispute.trackerId, dispute);
    for (const [trackerId, size] of entries.overruled) ledger.#overruled.set(trackerId, size);
    for (const offset of entries.differing) ledger.#differing.add(offset);
    for (const trackerId of entries.vindicated) ledger.#vindicated.add(trackerId);
    return ledger;
  }

  /** What it knows, for another one; equal for equal ledgers, whatever order they came to know it in. */
  get entries(): LedgerEntries {
    return {
      agreedSize: this.#agreedSize,
      recordsSince: this.#recordsSince,
      disputes: this.#sortedDisputes(),
      overruled: [...this.#overruled].toSorted(([left], [right]) => (left < right ? -1 : 1)),
      differing: [...this.#differing].toSorted((left, right) => left - right),
      vindicated: [...this.#vindicated].toSorted(),
    };
  }

  /** How many records the latest checkpoint is about that agrees, whoever signed it. */
  get agreedSize(): number {
    return this.#agreedSize;
  }

  /** What is in dispute, other records before other effects, the earliest of them; null for nothing. */
  get dispute(): Dispute | null {
    if (this.#disputes.size === 0) return null;
    const disputes = this.#sortedDisputes();
    return disputes.find(({ kind }) => kind === 'root') ?? disputes[0]!;
  }

  /** Whether what a tracker has signed is in dispute. */
  isDisputedWith(trackerId: string): boolean {
    return this.#disputes.has(trackerId);
  }

  /** What keeps this tracker from vouching for its state, as a sentence that says what to do; null for nothing. */
  get problem(): string | null {
    const { dispute } = this;
    if (dispute === null) return null;
    return this.#vindicated.has(dispute.trackerId) ? defeatSentence(dispute) : disputeSentence(dispute);
  }

  /** How many of the first `size` records are news: after the agreed size, and no checkpoints themselves. */
  newsAt(size: number): number {
    return size - this.#agreedSize - this.#recordsSince.length;
  }

  /** Counts a `checkpoint` record. */
  count(offset: number): void {
    this.#recordsSince.push(offset);
  }

  /** Compares an accepted checkpoint with what this tracker has over the same number of records. */
  compare(signed: Signed, own: { root: string | null; digest: string | null }): void {
    const { root, digest } = own;
    if (root === null || digest === null) return;
    if (signed.root === root && signed.digest === digest) this.#agree(signed);
    else this.#differ(signed, signed.root === root ? 'effects' : 'root');
  }

  /** Takes in what an operator has ruled. About a checkpoint that agrees there is nothing to rule. */
  rule({ offset, trackerId, counts }: Ruling): void {
    if (!this.#differing.has(offset)) return;
    if (counts === 'checkpoint') {
      this.#overruled.delete(trackerId);
      this.#vindicated.add(trackerId);
      return;
    }
    this.#overruled.set(trackerId, this.#disputes.get(trackerId)?.size ?? 0);
    this.#vindicated.delete(trackerId);
    this.#disputes.delete(trackerId);
  }

  #sortedDisputes(): Dispute[] {
    return [...this.#disputes.values()].toSorted((left, right) => left.offset - right.offset);
  }

  #agree({ trackerId, size }: Signed): void {
    const contested = this.#disputes.get(trackerId)?.size ?? this.#overruled.get(trackerId) ?? 0;
    if (size >= contested) {
      this.#disputes.delete(trackerId);
      this.#overruled.delete(trackerId);
      this.#vindicated.delete(trackerId);
    }
    this.#agreedSize = Math.max(this.#agreedSize, size);
    this.#recordsSince = this.#recordsSince.filter((offset) => offset >= this.#agreedSize);
  }

  #differ({ trackerId, offset, size }: Signed, kind: Dispute['kind']): void {
    this.#differing.add(offset);
    if (this.#overruled.has(trackerId)) return;
    const known = this.#disputes.get(trackerId);
    if (known !== undefined && (known.kind === kind || known.kind === 'root')) return;
    this.#disputes.set(trackerId, { kind, offset, trackerId, size, agreedSize: this.#agreedSize });
  }
}

/** What is in dispute, and how it ends. */
export function disputeSentence({ kind, offset, trackerId, size, agreedSize }: Dispute): string {
  const digest = kind === 'root' ? 'Merkle root' : 'effect digest';
  const where = `somewhere from offset ${Math.min(agreedSize, size - 1)} to ${size - 1}`;
  return (
    `the checkpoint at offset ${offset}, by ${formatFingerprint(trackerId)}, has another ${digest} over the first ${size} ` +
    `records than this tracker, which differ ${where}: find out which is right, then rule with ` +
    `cohort operator resolve_checkpoint ${offset} --counts log|checkpoint`
  );
}

function defeatSentence({ offset, trackerId }: Dispute): string {
  const signer = formatFingerprint(trackerId);
  return `an operator ruled that ${signer} is right with the checkpoint at offset ${offset}, and this tracker has something else: run another build here`;
}
