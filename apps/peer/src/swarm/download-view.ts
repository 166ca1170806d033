// Owns what is seen of a download from outside the data plane: how far it is, from whom it comes, and why it does not move.
/** `stalled`: it waits by itself for somebody to fetch from. The last three are the end of it. */
export type DownloadState = 'downloading' | 'stalled' | 'paused' | 'complete' | 'failed' | 'cancelled';

/** Why a download does not move, as data: what happened, and what would help. */
export interface TransferReason {
  readonly code: TransferReasonCode;
  readonly detail: string;
  readonly action: string;
  /** Begun anew the download goes on: it leaves as it is what its owner changed meanwhile. */
  readonly goesOnAnew?: true;
}

/** Why a download does not move, or ended: stable, for programs. */
export type TransferReasonCode =
  | 'no_seeder_online'
  | 'pieces_missing'
  | 'not_a_member'
  | 'trackers_unreachable'
  | 'destination_exists'
  | 'destination_unwritable'
  | 'disk_full'
  | 'source_changed'
  | 'source_missing'
  | 'manifest_refused';

/** How a source stands; `dropped` has sent what does not fit, and is not asked for this content again. */
export type SourceState = 'waiting' | 'connecting' | 'connected' | 'unreachable' | 'refused' | 'dropped';

/** A source of one download, as it stands. */
export interface SourceView {
  readonly peerId: string;
  readonly user: string;
  /** The address in use or tried last, as `host:port`. */
  readonly address: string;
  readonly state: SourceState;
  /** Bytes of verified pieces that came from it since this process started. */
  readonly deliveredBytes: number;
  readonly corruptPieces: number;
}

/** A download as it stands. Rates are of the last two seconds. */
export interface DownloadView {
  readonly state: DownloadState;
  readonly reason: TransferReason | null;
  /** Of the files that are wanted: all there is, unless priorities skip some. */
  readonly wantedBytes: number;
  /** Whether it is known what is on this disk already: until then nothing is verified. */
  readonly isOpen: boolean;
  /** Of the files that are wanted. */
  readonly verifiedBytes: number;
  /** Bytes of those that were on this disk already. */
  readonly reusedBytes: number;
  /** Nobody else gets anything of it. It may be until it is known what was taken of other groups' copies. */
  readonly isPrivate: boolean;
  readonly bytesPerSecond: number;
  /** Null while nothing moves. */
  readonly etaSeconds: number | null;
  /** One bit a piece, the first piece is the highest bit of the first byte. */
  readonly bitfield: Uint8Array;
  readonly peers: readonly SourceView[];
}

/**
 * How a download ended; `stamp` is for `serve`. It is null unless all of the content is there: a complete download without one has
 * the files that were wanted, and serves what it has to others.
 */
export interface DownloadEnd {
  readonly state: 'complete' | 'failed' | 'cancelled';
  readonly reason: TransferReason | null;
  readonly stamp: string | null;
}
