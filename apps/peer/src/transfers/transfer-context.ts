// What every transfer is given: the ports that it works with, and whom it tells of its changes.
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import type { TrackerLink } from '../tracker-link/tracker-link.ts';
import type { CopiesAtHand } from './copies-at-hand.ts';
import type { CopyCounts } from './copy-counts.ts';
import type { TransferPlaces } from './transfer-places.ts';
import type { Sha1Checks } from './sha1-checks.ts';
import type { TransferRecord } from './transfer-record.ts';
import type { TransferStore } from './transfer-store.ts';

export interface TransferContext {
  readonly engine: TransferEngine;
  readonly link: TrackerLink;
  readonly store: TransferStore;
  /** Who may fetch or hash now. */
  readonly places: TransferPlaces;
  readonly sha1Checks: Sha1Checks;
  /** What this peer has already. */
  readonly copies: CopiesAtHand;
  /** What others have. */
  readonly counts: CopyCounts;
  /** Only sources that speak the same can be used. */
  readonly transport: 'tls' | 'plain';
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** State or reason changed; the record is saved by whoever hears it. */
  readonly changed: (record: TransferRecord) => void;
}

/** How long to wait before something that failed for a passing reason is tried again. */
export const RETRY_MS = 2_000;
