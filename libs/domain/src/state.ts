// Owns the shape of the replicated state. It is mutable inside one replica for speed, changed by `evolve` alone; two
// replicas that applied the same records hold equal states, whatever order they iterate in.
import type { PieceHash } from './command.ts';
import type { Outcome } from './outcome.ts';
import { OutcomeWindow } from './outcome-window.ts';
import { SessionOrder } from './session-order.ts';
import type { SmallMap } from './small-map.ts';

/** A user; never deleted. */
export interface User {
  readonly name: string;
  readonly createdOffset: number;
  /** Offset of the record that set the password in force: what `login` says it checked. */
  credentialOffset: number;
  /** SHA-256 of nonce and password hash, which travel beside that record. */
  commitment: string;
}

/** A user who is logged in on a peer. */
export interface Session {
  /** Offset of the `login` that began it. */
  readonly id: number;
  readonly user: string;
  readonly peerId: string;
  readonly startedAtMs: number;
  /** When its peer last renewed it, or when it began. */
  readonly renewedAtMs: number;
}

/** A group. Its owner is among its members. */
export interface Group {
  /** Offset of the record that made it. */
  readonly id: number;
  readonly name: string;
  owner: string;
  /** How many complete copies of each file the group wants, 0 for no wish. */
  copies: number;
  readonly members: SmallMap<Membership>;
  readonly requests: SmallMap<Membership>;
  /** By name, the newest version of each that is there; it has the older ones. */
  readonly shares: Map<string, Share>;
}

/** Since when somebody is a member, or asks to be one. */
export interface Membership {
  readonly sinceOffset: number;
  readonly sinceMs: number;
}

/** A version of a file or folder that is published in a group under a name. Sizes in bytes. */
export interface Share {
  /** Offset of the record that made it. */
  readonly id: number;
  readonly file: string;
  readonly contentId: string;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly hash: PieceHash;
  readonly sharedBy: string;
  readonly sharedAtMs: number;
  /** Recorded seeders: peer id to the user who was logged in on it. */
  readonly seeders: SmallMap<string>;
  /** Peers with an accepted `download_file`: peer id to user. Null while there are none, as of most shares. */
  downloaders: SmallMap<string> | null;
  /** Counts from 1 under its name, and no number comes twice while the name is taken. */
  readonly version: number;
  /** What came before; null while nothing did, and of a version that is not the newest. */
  history: ShareHistory | null;
}

/** What the newest version of a file knows of those before it. */
export interface ShareHistory {
  /** Who shared the first: may publish the next, as the group's owner may. */
  readonly sharedFirstBy: string;
  /** The highest number so far; the version itself may be gone. */
  readonly lastVersion: number;
  /** Those that have a recorded seeder, the newest last. */
  readonly older: Share[];
}

/** A tracker's key (base64 of the SPKI DER) and address as it registered them. */
export interface TrackerEntry {
  readonly trackerId: string;
  readonly publicKey: string;
  readonly address: string;
}

/** The first outcome of a command id. */
export interface RememberedOutcome {
  readonly offset: number;
  readonly peerId: string | null;
  readonly content: string;
  readonly outcome: Outcome;
}

/** Everything that the records so far came to. */
export interface State {
  logId: string | null;
  rulesVersion: number;
  /** Running maximum of the records' times, milliseconds since 1970. */
  logTimeMs: number;
  /** Offset of the last applied record, -1 before the first. */
  appliedOffset: number;
  readonly users: Map<string, User>;
  /** By peer id: one user per peer at a time. */
  readonly sessions: Map<string, Session>;
  /** Follows from the sessions. */
  readonly sessionOrder: SessionOrder;
  readonly groups: Map<string, Group>;
  readonly trackers: Map<string, TrackerEntry>;
  /** By the offset of their records: the tracker that signed. */
  readonly checkpoints: Map<number, string>;
  readonly outcomes: OutcomeWindow;
}

/** The state before the first record, with whatever is to remember outcomes and to hold groups. */
export function emptyState(outcomes = new OutcomeWindow(), groups = new Map<string, Group>()): State {
  return {
    logId: null,
    rulesVersion: 0,
    logTimeMs: 0,
    appliedOffset: -1,
    users: new Map(),
    sessions: new Map(),
    sessionOrder: new SessionOrder(),
    groups,
    trackers: new Map(),
    checkpoints: new Map(),
    outcomes,
  };
}
