// Owns what the main thread and a worker's lane say to each other over their port. Everything is plain data; bytes of pieces
// never appear here. Connections, downloads and calls are numbers that the main thread gives out.
import type { MessagePort } from 'node:worker_threads';
import type { CloseCode } from '#wire/transfer-frame';
import type { PlacedApart } from '../storage/content-layout.ts';
import type { StorageProblem } from '../storage/storage-problem.ts';

/** Where a peer listens: a host name or IP address, and a TCP port. */
export interface LaneAddress {
  readonly host: string;
  readonly port: number;
}

/** A share as grants name it. */
export interface LaneShare {
  readonly groupId: number;
  readonly shareId: number;
}

/** What a lane is started with. */
export interface LaneStart {
  readonly lane: number;
  readonly laneCount: number;
  readonly peerId: string;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly publicKeyDer: Uint8Array;
  readonly plain: boolean;
  /** Whether sources on this machine are dialled. */
  readonly dialsLoopback: boolean;
  /** Null: this lane does not listen. */
  readonly listen: LaneListen | null;
  readonly counters: SharedArrayBuffer;
}

/** Where a lane listens, and whether alone. */
export interface LaneListen extends LaneAddress {
  /** Other lanes listen on the same port. */
  readonly shared: boolean;
  /** Take the port alone first, to find out whether another process has it. */
  readonly probe: boolean;
}

/** Content that lanes serve. */
export interface ServedContent {
  readonly share: LaneShare;
  readonly contentId: string;
  /** In shared memory: every lane reads the same bytes. */
  readonly manifestBytes: Uint8Array;
  /** Where the files are, tried in order. */
  readonly roots: readonly string[];
  /** Shared memory: the pieces that are verified; null when all are. */
  readonly verified: Uint8Array | null;
  /** What the files were when they were verified, see `stampsInSharedMemory`; null while a download writes them. */
  readonly stamps: Float64Array | null;
  /** Of a download that has put some of its files in place; null when there are none apart from the others. */
  readonly placed: PlacedApart | null;
  /** Which root is meant, as `identityOf` has it, while a download writes it; null when stamps tell. */
  readonly identity: string | null;
}

/** A download that lanes write. */
export interface WrittenContent {
  readonly download: number;
  readonly contentId: string;
  readonly manifestBytes: Uint8Array;
  readonly destination: string;
  /** Where the files are that are written, tried in order. */
  readonly roots: readonly string[];
  /** Of the root that is written, as `identityOf` has it: what another process puts in its place is left alone. */
  readonly identity: string | null;
  readonly placed: PlacedApart | null;
  readonly verified: Uint8Array;
  /** Shared: index 0 counts the bytes received for this download, index 1 is how many connections are open for it. */
  readonly counts: BigInt64Array;
}

/** A token bucket that all lanes draw from, see #domain/token-bucket. */
export interface SharedBucket {
  /** Tells it from every other one, in all threads. */
  readonly id: number;
  readonly bytesPerSecond: number;
  /** Shared: index 0 is when it owes nothing, on the clock that all threads of a process share. */
  readonly freeAtMicros: BigInt64Array;
}

/** Limits of one direction; null and what is left out is not limited. */
export interface DirectionLimits {
  readonly overall: SharedBucket | null;
  readonly groups: readonly { readonly groupId: number; readonly bucket: SharedBucket }[];
}

/** What lanes keep to from now on. */
export interface LaneLimits {
  readonly upload: DirectionLimits;
  readonly download: DirectionLimits;
}

/** A connection that is to be made, and for which content; addresses are tried in order. */
export interface DialRequest {
  readonly connection: number;
  readonly download: number;
  readonly groupId: number;
  readonly peerId: string;
  readonly addresses: readonly LaneAddress[];
  readonly contentId: string;
  readonly grant: Uint8Array;
}

/** Whose access ended: the fields that are there must all fit. Older grants are refused from now on. */
export interface LaneRevocation {
  readonly groupId?: number;
  readonly shareId?: number;
  readonly peerId?: string;
  readonly user?: string;
  readonly asOfOffset: number;
}

/** Whose grants hold, and of which log. */
export interface LaneTrust {
  readonly logId: string;
  readonly trackers: readonly { readonly trackerId: string; readonly publicKeyDer: Uint8Array }[];
}

/** From the main thread to a lane, done in the order in which they come. */
export type LaneCommand =
  | { readonly kind: 'trust'; readonly trust: LaneTrust }
  | { readonly kind: 'serve'; readonly content: ServedContent }
  | { readonly kind: 'withdraw'; readonly share: LaneShare; readonly code: CloseCode }
  | { readonly kind: 'revoke'; readonly revocation: LaneRevocation }
  | { readonly kind: 'limit'; readonly limits: LaneLimits }
  | { readonly kind: 'openDownload'; readonly content: WrittenContent }
  | { readonly kind: 'closeDownload'; readonly download: number }
  | { readonly kind: 'dial'; readonly request: DialRequest }
  | { readonly kind: 'hangUp'; readonly connection: number }
  | { readonly kind: 'grant'; readonly connection: number; readonly grant: Uint8Array }
  | { readonly kind: 'fetchManifest'; readonly connection: number }
  /** `hedge`: another connection writes these; keep the bytes in memory until `promote`. */
  | {
      readonly kind: 'assign';
      readonly connection: number;
      readonly pieces: readonly number[];
      readonly hedge: boolean;
    }
  /** These come before whatever else was not asked for yet, in this order, also those that are assigned later. */
  | { readonly kind: 'hurry'; readonly connection: number; readonly pieces: readonly number[] }
  /** Gives back what was not asked for yet; answered by `recalled`. */
  | { readonly kind: 'recall'; readonly connection: number; readonly pieces: readonly number[] }
  /** Drops pieces wherever they are; answered by `cancelled`. */
  | { readonly kind: 'cancel'; readonly connection: number; readonly pieces: readonly number[] }
  | { readonly kind: 'promote'; readonly connection: number; readonly piece: number }
  /** Answered by `reached`: everything said before has been done. */
  | { readonly kind: 'mark'; readonly call: number }
  | { readonly kind: 'stop' };

/** Why a connection ended: said by the other side, or seen by this one. */
export type HangUpCode = CloseCode | 'unreachable' | 'wrong_peer' | 'stalled' | 'lost' | 'hung_up' | 'bad_manifest';

/** Pieces of a connection that are on disk and in the journal, and their digests fit. */
export interface VerifiedPieces {
  readonly kind: 'verified';
  readonly connection: number;
  readonly pieces: readonly number[];
}

/** What is told of one connection. */
export type ConnectionEvent = Extract<LaneEvent, { readonly connection: number }> | VerifiedPieces;

/** From a lane to the main thread. */
export type LaneEvent =
  | { readonly kind: 'started'; readonly port: number | null }
  | { readonly kind: 'listenFailed'; readonly code: string; readonly detail: string }
  | { readonly kind: 'reached'; readonly call: number }
  /** Admitted: the grant was accepted and `bitfield` says what the other side has. */
  | {
      readonly kind: 'connected';
      readonly connection: number;
      readonly address: LaneAddress;
      readonly remoteLane: number;
      readonly remoteLaneCount: number;
      readonly pieceCount: number;
      readonly bitfield: Uint8Array;
    }
  | { readonly kind: 'have'; readonly connection: number; readonly pieces: readonly number[] }
  | { readonly kind: 'manifest'; readonly connection: number; readonly bytes: Uint8Array }
  /** Of all connections together, and before whatever is told next. */
  | { readonly kind: 'delivered'; readonly verified: readonly VerifiedPieces[] }
  /** A hedged piece is whole and its digest fits; it waits in memory for `promote` or `cancel`. */
  | { readonly kind: 'held'; readonly connection: number; readonly piece: number }
  /** Its digest does not fit; the connection is being closed. */
  | { readonly kind: 'corrupt'; readonly connection: number; readonly piece: number }
  /** The other side will not deliver this piece now. */
  | { readonly kind: 'rejected'; readonly connection: number; readonly piece: number }
  /**
   * What a `cancel` or `recall` really took back; the rest had been done, or asked for. Nothing of these is written any more.
   * `owes`: the other side has been asked for something that it has not answered.
   */
  | {
      readonly kind: 'cancelled' | 'recalled';
      readonly connection: number;
      readonly pieces: readonly number[];
      readonly owes: boolean;
    }
  /** What had been cancelled was answered all the same: the other side is not silent. */
  | { readonly kind: 'passedOver'; readonly connection: number }
  | {
      readonly kind: 'closed';
      readonly connection: number;
      readonly code: HangUpCode;
      readonly detail: string;
    }
  | { readonly kind: 'storageFailed'; readonly download: number; readonly problem: StorageProblem }
  /** What was served of a share, from these roots, is not what it was. */
  | {
      readonly kind: 'sourceProblem';
      readonly share: LaneShare;
      readonly roots: readonly string[];
      readonly problem: StorageProblem;
    };

/** How a lane tells the main thread what happened. */
export type SayToMain = (event: LaneEvent) => void;

/** Sends a message over a port between threads. */
export function post(port: MessagePort, message: LaneCommand | LaneEvent): void {
  port.postMessage(message, []);
}
