// The port of the transfer engine: everything a peer's control side asks of the data plane, and nothing of how it is done.
// Calls decide and return; bytes move in worker threads. Shares are named by group and share, content by its id.
import type { PieceHash } from '#domain/command';
import type { Manifest } from '#domain/manifest';
import type { PieceStrategy } from '#domain/source-choice';
import type { Identity } from '#identity/identity';
import type { PoolMetrics } from '../data-plane/worker-pool.ts';
import type { CheckedTree } from '../storage/tree-check.ts';
import type { DownloadEnd, DownloadView, TransferReason } from './download-view.ts';

/** A host name or IP address (no brackets around IPv6) and a TCP port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What `openTransferEngine` needs. */
export interface TransferEngineOptions {
  readonly identity: Identity;
  /** Where other peers connect; port 0 takes a free one, see `listenAddress`. */
  readonly listen: Address;
  /** Worker threads, at least 1. */
  readonly workers: number;
  /** No TLS; both ends must ask for it. */
  readonly plain: boolean;
  /** Whether peers can be on this machine, so that sources on loopback are dialled; by default when it listens there itself. */
  readonly dialsLoopback?: boolean;
  /** Milliseconds since 1970, of this host's clock. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** A share's place: the same content in another group is another share. */
export interface ShareRef {
  readonly groupId: number;
  readonly shareId: number;
}

/** The trackers whose grants hold, and the log they belong to. */
export interface GrantTrust {
  readonly logId: string;
  readonly trackers: readonly { readonly trackerId: string; readonly publicKeyDer: Uint8Array }[];
}

/** Progress of hashing: bytes of the content that are done, of all that it has, however often each is read. */
export type HashProgress = (doneBytes: number, totalBytes: number) => void;

/** What is to be hashed, and who hears of it. An aborted `signal` calls it off. */
export interface DigestRequest {
  /** A file, or a folder whose files make up the content. */
  readonly path: string;
  /** Globs of paths within the folder that are left out, a folder with everything in it. */
  readonly exclude?: readonly string[];
  /** Power of two; by default what `choosePieceBytes` gives. */
  readonly pieceBytes?: number;
  readonly hash: PieceHash;
  /** Content that may be meant: it is what comes out where only modes or empty folders differ, that version 1 did not know. */
  readonly likelyContentId?: string | null;
  readonly onProgress?: HashProgress;
  readonly signal?: AbortSignal;
}

/** Content that was hashed: its manifest, and what it is called by. */
export interface Digested {
  /** 64 lowercase hex characters: SHA-256 of `manifestBytes`. */
  readonly contentId: string;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
  /** Says which files were read, as they were; `serve` compares it. */
  readonly stamp: string;
}

/** A copy, and the canonical bytes of the manifest that it is held against. An aborted `signal` calls it off. */
export interface VerifyRequest {
  readonly path: string;
  readonly manifestBytes: Uint8Array;
  readonly onProgress?: HashProgress;
  readonly signal?: AbortSignal;
}

/** What a copy has of its manifest. */
export interface Verified {
  /** One bit a piece, the first piece is the highest bit of the first byte. */
  readonly bitfield: Uint8Array;
  /** Every piece is there, and no file is longer than the manifest says. */
  readonly complete: boolean;
  /** Says which files were read, as they were; `serve` compares it. */
  readonly stamp: string;
}

/** Content on disk as it is, whatever is wrong with it. */
export interface Inspected {
  /** The pieces that are as they should be; one bit a piece, the first piece is the highest bit of the first byte. */
  readonly bitfield: Uint8Array;
  /** Nothing is wrong: every piece and every file's length. */
  readonly complete: boolean;
  /** Whether there is anything at the path. */
  readonly isThere: boolean;
  /** Paths within the content of files that are not there or cannot be read. */
  readonly absentFiles: readonly string[];
  /** Paths of those that are there with another length. */
  readonly misfitFiles: readonly string[];
  /** Positions in the manifest of all files that have to be written to make it whole. */
  readonly wrongFiles: readonly number[];
  /** Paths of the files whose pieces are sound and whose SHA-1 is not what the sharer said. */
  readonly sha1Mismatches: readonly string[];
  /** Says which files were read, as they were; `serve` compares it. */
  readonly stamp: string;
}

/** A copy whose files are as they should be, by a manifest that was accepted, and whether what differs beside is put right. */
export interface TreeRequest {
  readonly path: string;
  readonly manifestBytes: Uint8Array;
  readonly restores: boolean;
}

/** A copy that was whole when it had this stamp, to be read slowly. */
export interface CopyRequest {
  readonly path: string;
  readonly manifestBytes: Uint8Array;
  readonly stamp: string;
}

/** A copy that is read slowly, a run of pieces at a time. */
export interface CopyReader {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** What opening it read, or comes to: its manifest, and a look at each file. */
  readonly openedBytes: number;
  /** Throws TransferFailure: aborted, worker_died, and source_changed or source_missing when a file is another one now. */
  read(run: ReadRun): Promise<ReadPieces>;
}

/** Whole pieces from `firstPiece` on, at least one and no more than `runBytes`, and how fast they may be read. */
export interface ReadRun {
  readonly firstPiece: number;
  readonly runBytes: number;
  readonly bytesPerSecond: number;
  readonly signal: AbortSignal;
}

/** What was read. `damaged` are the pieces that are not what they should be, or that the disk does not give. */
export interface ReadPieces {
  readonly nextPiece: number;
  readonly readBytes: number;
  readonly damaged: readonly number[];
}

/** Where pieces of content can be read: a complete copy, or what there is of a download. */
export interface ReadableCopy {
  /** Tried in order: a download is at its part until it is in place. */
  readonly roots: readonly string[];
  /** Which root is meant, so that nothing is read of what somebody puts in its place; null for any. */
  readonly identity: string | null;
  /** In shared memory, changing as pieces come: those that are there; null when all are. */
  readonly verified: Uint8Array | null;
  /** Files that are in their final place already, while the others are at the roots: `PLACES` of each. */
  readonly placed?: { readonly root: string; readonly files: Uint8Array } | null;
}

/** A part of a piece that is to be read. An aborted `signal` calls it off. */
export interface PieceRead {
  readonly manifest: Manifest;
  readonly copy: ReadableCopy;
  /** Which byte of the content is the first. */
  readonly begin: number;
  /** In shared memory, and no longer than the rest of the piece that `begin` lies in. */
  readonly target: Uint8Array;
  readonly signal: AbortSignal;
}

/** Content to repair where it is. */
export interface RepairPlan {
  readonly manifestBytes: Uint8Array;
  /** As `inspect` found it. */
  readonly found: Inspected;
  /** Whether the content may be where a link at its path leads. Links inside a folder are never followed. */
  readonly throughLink?: boolean;
}

/** A complete copy that is to be served. */
export interface ServeRequest {
  readonly share: ShareRef;
  readonly contentId: string;
  readonly manifestBytes: Uint8Array;
  readonly path: string;
  /** What `digest`, `verify` or a completed download gave for it, also in an earlier run of the peer. */
  readonly stamp: string;
}

/** What there is of a share some files of which were downloaded. */
export interface RestRequest {
  readonly share: ShareRef;
  readonly contentId: string;
  readonly pieceCount: number;
  readonly destination: string;
  readonly signal: AbortSignal;
}

/** Whose access ended: the fields that are there must all fit. Grants older than the offset are refused from now on. */
export interface Revocation {
  readonly groupId?: number;
  readonly shareId?: number;
  readonly peerId?: string;
  readonly user?: string;
  readonly asOfOffset: number;
}

/** A peer that has the content, or part of it. Addresses are tried in order. */
export interface Source {
  readonly peerId: string;
  readonly user: string;
  readonly addresses: readonly Address[];
}

/** Complete content on this disk, as far as is known: what is taken of it is verified. */
export interface LocalCopy {
  readonly manifestBytes: Uint8Array;
  readonly path: string;
}

/** What a download may take of this disk in place of fetching it. */
export interface LocalCopies {
  /** The manifest of the content itself, where this peer has it. */
  readonly manifestBytes: Uint8Array | null;
  /** Those that come first are taken first. */
  readonly copies: readonly LocalCopy[];
  /** Of other groups, taken after those. What is taken of one is for this disk alone: the download is private from then on. */
  readonly elsewhere: readonly LocalCopy[];
}

/** What to fetch, to where, from whom and with which permission. Lengths in bytes. */
export interface DownloadRequest {
  readonly share: ShareRef;
  readonly contentId: string;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  /** Absolute path of the finished file or folder. Meanwhile `<destination>.part` and `<destination>.part.journal` exist. */
  readonly destination: string;
  readonly strategy: PieceStrategy;
  /** How much each file is wanted, as `prioritize` takes it, asked as soon as it is known what there is. All alike when left out. */
  readonly priorities?: (manifest: Manifest) => Uint8Array;
  /** Replaces what is at the destination when the download is complete. */
  readonly overwrite: boolean;
  /** What is at the destination is this content, damaged: only what is not sound is fetched, and put into it when all is there. */
  readonly repairs?: RepairPlan;
  /** Nothing by default. */
  readonly reuse?: LocalCopies;
  /** Nobody else gets anything of it, neither meanwhile nor when it is complete. */
  readonly isPrivate?: boolean;
  /** Whether more files come to be wanted as somebody reads them: nothing is put in place before all is there, while that is so. */
  readonly isForReaders?: () => boolean;
  readonly sources: readonly Source[];
  /** Sealed by a tracker for this peer and share. */
  readonly grant: Uint8Array;
}

/** Bytes of pieces in a second, in each direction; null is no limit. */
export interface RateLimits {
  readonly uploadBytesPerSecond: number | null;
  readonly downloadBytesPerSecond: number | null;
}

/** The rates of everything together, and of groups beside that. */
export interface EngineLimits extends RateLimits {
  readonly groups: readonly (RateLimits & { readonly groupId: number })[];
}

/** A download that was asked for. It serves what it has verified to others, also after it is complete, until withdrawn. */
export interface Download {
  readonly share: ShareRef;
  view(): DownloadView;
  /** The canonical manifest once it is there (from a source, or from an earlier start), else null. */
  manifestBytes(): Uint8Array | null;
  /** Where its pieces can be read as they come, also when it is complete; null before the manifest is there. */
  readable(): ReadableCopy | null;
  /** All sources known now. One that is no longer listed keeps its connection and is not dialled again. */
  updateSources(sources: readonly Source[]): void;
  updateGrant(grant: Uint8Array): void;
  /**
   * How much each file is wanted from now on: a value of `PRIORITIES` for each, in the order of the manifest, which must be there.
   * A piece is wanted as much as the file in it that is wanted most.
   */
  prioritize(priorities: Uint8Array): void;
  /**
   * Files that somebody reads, by their positions in the manifest: they are wanted beside the others until the next call, and
   * nothing is put in place while one is read that is not wanted otherwise.
   */
  readAlso(files: readonly number[]): void;
  /**
   * Pieces that somebody waits for: they are asked for before all others, in this order, whether their file is wanted or not. An
   * empty list ends it. Pieces that there are not are passed over. `arrived` is called for each of them that is verified from now on.
   */
  hurry(pieces: readonly number[], arrived?: () => void): void;
  pause(): void;
  resume(): void;
  /**
   * Ends it, also when it is paused; what came so far stays. Resolves when nothing is written any more. One that is just
   * being put in place becomes complete instead.
   */
  cancel(): Promise<void>;
  /** Settles with the final state, never rejects; pending for good when the engine closes. A failed one keeps its data: download it again to go on. */
  readonly done: Promise<DownloadEnd>;
  /** Calls back when state, reason or a peer changes, and about five times a second while bytes move. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/** A served file is not what it was. It is not served again until `serve` is called for it. */
export interface SourceProblem {
  readonly share: ShareRef;
  /** Where the copy is that was served: there may be others. */
  readonly path: string;
  readonly code: 'source_changed' | 'source_missing';
  readonly detail: string;
}

/** What one worker has done since the engine was opened. */
export interface WorkerMetrics {
  /** Position of the worker, from 0; a worker that replaces a dead one goes on counting. */
  readonly worker: number;
  readonly tasks: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly hashedBytes: number;
  /** Open right now, in both directions. */
  readonly connections: number;
}

/** What the engine has done since it was opened. */
export interface EngineMetrics {
  readonly workers: readonly WorkerMetrics[];
  readonly pool: PoolMetrics;
  readonly verifiedPieces: number;
  readonly failedPieces: number;
  /** Worker threads that died and were replaced. */
  readonly replacedWorkers: number;
  /** Downloads that ended at their own disk, by code. */
  readonly writeFailures: readonly (readonly [code: string, count: number])[];
  /** Connections of other peers that were refused, by reason. */
  readonly refusals: readonly (readonly [reason: string, count: number])[];
}

/** An operating failure of the engine; `code` is stable. */
export class TransferFailure extends Error {
  readonly code: TransferFailureCode;
  constructor(code: TransferFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What did not work: at the source, at the destination, with the manifest, or in the engine itself. */
export type TransferFailureCode =
  | 'source_missing'
  | 'source_changed'
  | 'source_unreadable'
  | 'source_unsupported'
  | 'destination_exists'
  | 'destination_unwritable'
  | 'disk_full'
  | 'placed_changed'
  | 'manifest_refused'
  | 'listen_failed'
  | 'aborted'
  | 'worker_died'
  | 'closed';

/** The peer's data plane. */
export interface TransferEngine {
  readonly listenAddress: Address;
  /** Until the first call every grant is refused. Replaces what was trusted before. */
  trustTrackers(trust: GrantTrust): void;
  /** Reads and hashes in all workers. Throws TransferFailure: source_*, manifest_refused, aborted. */
  digest(request: DigestRequest): Promise<Digested>;
  /** Checks what is on disk against a manifest. Throws TransferFailure: source_*, manifest_refused, aborted. */
  verify(request: VerifyRequest): Promise<Verified>;
  /** Looks at content that may be damaged. Throws TransferFailure: manifest_refused, aborted, source_changed while it was read. */
  inspect(request: VerifyRequest): Promise<Inspected>;
  /** Looks at the empty folders of a copy and at who may run its files; puts them right when told to. Throws TransferFailure worker_died. */
  checkTree(tree: TreeRequest): Promise<CheckedTree>;
  /**
   * Whether the files of a copy have the SHA-1s that its manifest says. Gives way to bytes that move, so it may take long.
   * Throws TransferFailure: source_*, manifest_refused, aborted, worker_died.
   */
  checkSha1(request: VerifyRequest): Promise<boolean>;
  /** Opens a copy for reading it slowly. Throws TransferFailure: source_*, manifest_refused; source_changed for another stamp. */
  openCopy(request: CopyRequest): Promise<CopyReader>;
  /**
   * Fills the target with bytes of a piece that were hashed with the rest of it. False when the piece is another one than the
   * manifest says: then nothing of it is there. Throws TransferFailure: source_*, aborted, worker_died.
   */
  readPiece(read: PieceRead): Promise<boolean>;
  /** Offers a complete copy. Throws TransferFailure source_missing, or source_changed when the stamp is another one. */
  serve(request: ServeRequest): Promise<void>;
  /**
   * Offers again what an earlier download of some files of a share has, and returns where that is. Throws TransferFailure
   * source_missing when nothing is left of it, source_changed when something is not what it was.
   */
  serveRest(request: RestRequest): Promise<ReadableCopy>;
  /**
   * Ends serving a share, and closes its connections; downloads of it go on, and offer what they have anew. With a path it does nothing
   * while another copy of the share is served than the one that is there.
   */
  withdraw(share: ShareRef, fromPath?: string): void;
  revoke(revocation: Revocation): void;
  /** Replaces all limits, also for what is under way. Nothing is limited until the first call. */
  limit(limits: EngineLimits): void;
  onSourceProblem(listener: (problem: SourceProblem) => void): () => void;
  /** What keeps a download from starting here, or null. */
  checkDestination(request: {
    readonly destination: string;
    readonly overwrite: boolean;
    readonly totalBytes: number;
  }): Promise<TransferReason | null>;
  /** Whether downloads to these two destinations would write to one place. */
  doMeet(left: string, right: string): boolean;
  /** Starts at once; everything that goes wrong shows in its view. A destination that holds a part of it is gone on with. */
  download(request: DownloadRequest): Download;
  /**
   * Deletes what a download that is over wrote: its part, and what is at the destination when it is finished. Nothing there
   * is no error. Throws TransferFailure destination_unwritable.
   */
  removeData(download: { readonly destination: string; readonly isFinished: boolean }): Promise<void>;
  /** Forgets what an interrupted repair of this content left beside it. Throws TransferFailure destination_unwritable. */
  dropRepair(repair: { readonly destination: string; readonly contentId: string }): Promise<void>;
  metrics(): EngineMetrics;
  /** Closes connections and files; downloads keep their parts on disk. */
  close(): Promise<void>;
}
