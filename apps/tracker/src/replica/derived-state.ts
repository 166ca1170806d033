// Owns everything that this tracker computes from the records of the log, in order and from nothing else: what is here can
// be thrown away and computed again.
import type { Applied } from '#domain/apply';
import type { Checkpoint } from '#domain/checkpoint';
import type { Event } from '#domain/event';
import { OutcomeWindow } from '#domain/outcome-window';
import { type Rules, RULES } from '#domain/rules';
import { emptyState, type State } from '#domain/state';
import { decodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import type { StoredRecord } from '../command-log/command-log.ts';
import { openSealed } from '../credentials/credentials.ts';
import { BUILD } from '#wire/build';
import { CheckpointLedger } from './checkpoint-ledger.ts';
import { DigestHistory } from './digest-history.ts';
import { FIRST_DIGEST, nextDigest } from './effect-digest.ts';
import { SignatureCheck } from './record-signature.ts';
import { RootHistory } from './root-history.ts';

/** A record to be applied; decoded already where reading it took that. */
export interface ReadRecord extends StoredRecord {
  readonly record?: SignedLogRecord | null | undefined;
}

/** A record with what it came to. */
export interface AppliedRecord {
  readonly offset: number;
  readonly record: SignedLogRecord | null;
  readonly applied: Applied;
}

/** A password hash in force (PHC text), and the offset of the record that set it. */
export interface Credential {
  readonly offset: number;
  readonly phc: string;
}

/** What a derived state consists of. */
export interface DerivedParts {
  readonly state: State;
  readonly checkpoints: CheckpointLedger;
  readonly roots: RootHistory;
  readonly digests: DigestHistory;
  /** By user. */
  readonly credentials: Map<string, Credential>;
}

/** The state that records lead to, without the root and the digest that prove it. */
export class UnprovedState {
  readonly state: State;
  readonly #signatures = new SignatureCheck();

  /** As of no record, or as of the last one of a state. */
  constructor(state: State) {
    this.state = state;
  }

  /** Applies the next record, by the rules of this build if nothing else is said. */
  apply({ offset, value, record = decodeLogRecord(value) }: ReadRecord, rules: Rules = RULES): AppliedRecord {
    const { signer, checkpoint } = this.#signatures.examine(record, this.state);
    return { offset, record, applied: rules.apply(this.state, { offset, record, signer, checkpoint }) };
  }
}

/** State, digests, credentials and compared checkpoints as of the last applied record. */
export class DerivedState {
  readonly state: State;
  readonly checkpoints: CheckpointLedger;
  readonly #unproved: UnprovedState;
  readonly #roots: RootHistory;
  readonly #digests: DigestHistory;
  readonly #credentials: Map<string, Credential>;
  #digest: Buffer;

  /** As of no record, or as of the one that the parts were taken after. */
  constructor(parts: DerivedParts = partsOfNothing()) {
    this.state = parts.state;
    this.#unproved = new UnprovedState(parts.state);
    this.checkpoints = parts.checkpoints;
    this.#roots = parts.roots;
    this.#digests = parts.digests;
    this.#credentials = parts.credentials;
    this.#digest = parts.digests.at(parts.state.appliedOffset) ?? FIRST_DIGEST;
  }

  /** What it consists of: to be read, not to be changed. */
  get parts(): DerivedParts {
    const { state, checkpoints } = this;
    return { state, checkpoints, roots: this.#roots, digests: this.#digests, credentials: this.#credentials };
  }

  /** Merkle root (RFC 6962) over the applied records, 64 hex characters. */
  get root(): string {
    return this.#roots.root().toString('hex');
  }

  /** Effect digest after the last applied record, 64 hex characters. */
  get digest(): string {
    return this.#digest.toString('hex');
  }

  /** The Merkle leaf of the last applied record, or null before the first. */
  get lastLeaf(): Buffer | null {
    return this.#roots.lastLeaf;
  }

  /** How many applied records no checkpoint covers that agrees; checkpoints themselves are not counted. */
  get newsCount(): number {
    return this.checkpoints.newsAt(this.state.appliedOffset + 1);
  }

  /** Merkle root over the records up to `offset`, 64 hex characters, or null when it is not held. */
  rootAt(offset: number): string | null {
    return this.#roots.at(offset + 1)?.toString('hex') ?? null;
  }

  /** Effect digest after the record at `offset`, 64 hex characters, or null when it is not held. */
  digestAt(offset: number): string | null {
    return this.#digests.at(offset)?.toString('hex') ?? null;
  }

  /** The password hash (PHC text) in force for a user, or null when none is known or its commitment does not fit. */
  passwordHashOf(user: string): string | null {
    const credential = this.#credentials.get(user);
    return credential?.offset === this.state.users.get(user)?.credentialOffset ? (credential?.phc ?? null) : null;
  }

  /** How many users have no password: what travelled beside the record that set it is not there, or not what this speaks of. */
  get unknownPasswordCount(): number {
    return this.state.users.size - this.#credentials.size;
  }

  /** What this tracker says about everything that it has applied; null before the log has begun. */
  checkpoint(): Checkpoint | null {
    const { logId, rulesVersion, appliedOffset } = this.state;
    if (logId === null) return null;
    return { logId, size: appliedOffset + 1, root: this.root, digest: this.digest, rulesVersion, build: BUILD };
  }

  /** Applies the next record, by the rules of this build if nothing else is said. */
  apply(stored: ReadRecord, rules: Rules = RULES): AppliedRecord {
    const done = this.#unproved.apply(stored, rules);
    const { offset, record, applied } = done;
    this.#roots.append(stored.value);
    this.#digest = nextDigest(this.#digest, offset, applied);
    this.#digests.append(this.#digest);
    if (record?.command.name === 'checkpoint') this.checkpoints.count(offset);
    for (const event of applied.events) this.#note(event, stored);
    return done;
  }

  #note(event: Event, { offset, sealed }: StoredRecord): void {
    switch (event.type) {
      case 'user_created':
      case 'password_changed': {
        const phc = openSealed(sealed, event.commitment);
        if (phc === null) this.#credentials.delete(event.user);
        else this.#credentials.set(event.user, { offset, phc });
        return;
      }
      case 'checkpoint_recorded': {
        const last = event.size - 1;
        const own = { root: this.rootAt(last), digest: this.digestAt(last) };
        this.checkpoints.compare({ ...event, offset }, own);
        return;
      }
      case 'checkpoint_resolved':
        this.checkpoints.rule(event);
        return;
      default:
    }
  }
}

/** Of no record, with whatever is to remember outcomes. */
export function partsOfNothing(outcomes = new OutcomeWindow()): DerivedParts {
  return {
    state: emptyState(outcomes),
    checkpoints: new CheckpointLedger(),
    roots: new RootHistory(),
    digests: new DigestHistory(),
    credentials: new Map(),
  };
}
