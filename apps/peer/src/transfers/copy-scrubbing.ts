// Owns the slow search for damage in everything that this peer seeds: copy after copy, within a budget, on and on. A copy that
// was changed is not damage; one that has other bytes and was not touched is, and is repaired from others as after a recheck.
import { setTimeout as sleep } from 'node:timers/promises';
import { manifestGeometry } from '#domain/manifest';
import { scrubOrder, type ScrubPlace } from '#domain/scrub-order';
import type { ScrubView } from '#wire/control-upkeep';
import { type CopyReader, TransferFailure } from '../swarm/transfer-engine.ts';
import type { TransferContext } from './transfer-context.ts';
import { isSeeded } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';
import type { FoundDamage, UnrepairedCopies } from './unrepaired-copies.ts';

/** What is read of a copy before others are looked at again: some seconds of the budget. */
const RUN_SECONDS = 10;
const RUN_BYTES_MAX = 64 * 1024 * 1024;
/** A round begins so long after the one before at the soonest, however little there is to read. */
export const SCRUB_ROUND_MS = 10_000;
/** How often the place is written down. */
const KEEP_MS = 60_000;

/** Who is told what scrubbing finds. */
export interface ScrubFindings {
  /** Pieces of a copy that nobody touched are not what was shared. */
  damaged(transfer: Transfer, pieces: readonly number[]): void;
  /** A copy is not there any more, or was changed. */
  changed(transfer: Transfer, failure: TransferFailure): void;
}

interface ScrubbingParts {
  readonly context: TransferContext;
  readonly transfers: TransferSet;
  readonly findings: ScrubFindings;
  readonly unrepaired: UnrepairedCopies;
  /** A round begins so long after the one before at the soonest. */
  readonly roundMs: number;
}

/** The copy that is read just now; `over` resolves when it is read no more. */
interface Reading {
  readonly transfer: Transfer;
  readonly end: AbortController;
  readonly over: Promise<void>;
}

interface OpenedCopy {
  readonly transferId: string;
  readonly stamp: string;
  readonly copy: CopyReader;
}

export class CopyScrubbing {
  readonly #parts: ScrubbingParts;
  readonly #stop = new AbortController();
  #bytesPerSecond: number | null = null;
  #running: Promise<void> = Promise.resolve();
  #place: ScrubPlace | null = null;
  #reading: Reading | null = null;
  #opened: OpenedCopy | null = null;
  #readBytes = 0;
  #damagedPieces = 0;
  #roundBeganMs = 0;
  #roundEndedMs: number | null = null;
  #keptMs = 0;

  constructor(parts: ScrubbingParts) {
    this.#parts = parts;
  }

  /** Goes on where an earlier run of the peer was. Null reads nothing. */
  async open(bytesPerSecond: number | null): Promise<void> {
    const { context, unrepaired } = this.#parts;
    const kept = await context.store.loadScrub();
    this.#place = kept?.place ?? null;
    this.#roundEndedMs = kept?.roundEndedAtMs ?? null;
    unrepaired.take(kept?.unrepaired ?? []);
    this.#bytesPerSecond = bytesPerSecond;
    if (bytesPerSecond !== null) this.#running = this.#run(bytesPerSecond);
  }

  /** Resolves when nothing is read any more and the place is on the disk. Repairs have to be called off for that. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#bytesPerSecond !== null) await this.#keep();
  }

  /** Something became of a transfer: a copy that may not be read any more is let go of. */
  changed(): void {
    if (this.#reading !== null && !this.#mayRead(this.#reading.transfer)) this.#reading.end.abort();
  }

  /** Resolves when nothing is read of a copy. */
  async letGo(transfer: Transfer): Promise<void> {
    const reading = this.#reading;
    if (reading?.transfer !== transfer) return;
    reading.end.abort();
    await reading.over;
  }

  view(): ScrubView {
    const { transfer } = this.#reading ?? {};
    const opened = this.#opened;
    const isOpen = transfer !== undefined && opened?.transferId === transfer.record.transferId;
    return {
      bytesPerSecond: this.#bytesPerSecond,
      readBytes: this.#readBytes,
      damagedPieces: this.#damagedPieces,
      copy: isOpen
        ? {
            transferId: transfer.record.transferId,
            group: transfer.record.group,
            file: transfer.record.file,
            checkedPieces: this.#place?.copyId === opened.transferId ? (this.#place.nextPiece ?? 0) : 0,
            pieceCount: manifestGeometry(opened.copy.manifest).pieceCount,
          }
        : null,
      roundEndedAt: this.#roundEndedMs === null ? null : new Date(this.#roundEndedMs).toISOString(),
    };
  }

  async #run(bytesPerSecond: number): Promise<void> {
    const { signal } = this.#stop;
    const { context, unrepaired } = this.#parts;
    this.#roundBeganMs = context.now();
    while (!signal.aborted) {
      await unrepaired.tryAgain();
      const next = this.#next();
      if (next === null) await this.#roundEnded();
      else await this.#read(next.transfer, { firstPiece: next.firstPiece, bytesPerSecond });
      if (context.now() - this.#keptMs >= KEEP_MS) await this.#keep();
    }
  }

  #next(): { readonly transfer: Transfer; readonly firstPiece: number } | null {
    const { transfers } = this.#parts;
    const copyIds = transfers.records().map(({ transferId }) => transferId);
    for (const { copyId, nextPiece } of scrubOrder(copyIds, this.#place)) {
      const transfer = transfers.get(copyId);
      if (transfer !== undefined && this.#mayRead(transfer)) return { transfer, firstPiece: nextPiece ?? 0 };
    }
    return null;
  }

  /** What is seeded and stands still: nobody else reads all of it now, or writes to it. */
  #mayRead(transfer: Transfer): boolean {
    const { context, transfers } = this.#parts;
    const { record } = transfer;
    if (!isSeeded(record) || record.user !== context.link.user() || transfer.isRechecking) return false;
    return transfers.has(transfer) && !transfers.isReplaced(transfer) && !transfers.twinsOf(transfer).some(isMoving);
  }

  async #roundEnded(): Promise<void> {
    const {
      context: { now },
      roundMs,
    } = this.#parts;
    // Nothing was there to read when it had not begun anywhere.
    if (this.#place !== null) this.#roundEndedMs = now();
    this.#place = null;
    await this.#wait(this.#roundBeganMs + roundMs - now(), this.#stop.signal);
    this.#roundBeganMs = now();
  }

  async #read(
    transfer: Transfer,
    run: { readonly firstPiece: number; readonly bytesPerSecond: number },
  ): Promise<void> {
    const over = Promise.withResolvers<void>();
    const reading: Reading = { transfer, end: new AbortController(), over: over.promise };
    this.#reading = reading;
    const signal = AbortSignal.any([this.#stop.signal, reading.end.signal]);
    try {
      const found = await this.#readRun(transfer, { ...run, signal });
      this.#reading = null;
      over.resolve();
      if (found !== null) await this.#tellAndRepair(transfer, found);
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error;
      if (!signal.aborted) this.#cannotRead(transfer, error);
    } finally {
      this.#reading = null;
      over.resolve();
    }
  }

  async #tellAndRepair(transfer: Transfer, damage: FoundDamage): Promise<void> {
    const { findings, unrepaired } = this.#parts;
    findings.damaged(transfer, damage.damaged);
    await unrepaired.repair(transfer, damage);
    await this.#keep();
  }

  /** Reads some pieces, and notes where to go on. Returns what is damaged of them, or null. */
  async #readRun(
    transfer: Transfer,
    run: { readonly firstPiece: number; readonly bytesPerSecond: number; readonly signal: AbortSignal },
  ): Promise<FoundDamage | null> {
    const { transferId } = transfer.record;
    const { firstPiece, bytesPerSecond, signal } = run;
    const opened = await this.#open(transfer, run);
    const pieceCount = opened === null ? 0 : manifestGeometry(opened.copy.manifest).pieceCount;
    if (opened === null || firstPiece >= pieceCount) {
      if (!signal.aborted) this.#place = { copyId: transferId, nextPiece: null };
      return null;
    }
    const { copy, stamp } = opened;
    this.#place = { copyId: transferId, nextPiece: firstPiece };
    const runBytes = Math.min(bytesPerSecond * RUN_SECONDS, RUN_BYTES_MAX);
    const read = await copy.read({ firstPiece, runBytes, bytesPerSecond, signal });
    this.#readBytes += read.readBytes;
    this.#damagedPieces += read.damaged.length;
    this.#place = { copyId: transferId, nextPiece: read.nextPiece < pieceCount ? read.nextPiece : null };
    return read.damaged.length === 0 ? null : { ...read, copy, stamp, firstPiece };
  }

  /** The copy, opened now or before. Null when its manifest is not there, which the next start makes anew. */
  async #open(
    { record }: Transfer,
    { bytesPerSecond, signal }: { readonly bytesPerSecond: number; readonly signal: AbortSignal },
  ): Promise<OpenedCopy | null> {
    const { transferId, path, share, stamp } = record;
    if (this.#opened?.transferId === transferId && this.#opened.stamp === stamp) return this.#opened;
    this.#opened = null;
    const { engine, store } = this.#parts.context;
    const manifestBytes = await store.readManifest(share!.contentId);
    if (manifestBytes === null || stamp === null) return null;
    const copy = await engine.openCopy({ path, manifestBytes, stamp });
    this.#opened = { transferId, stamp, copy };
    this.#readBytes += copy.openedBytes;
    await this.#wait((copy.openedBytes * 1000) / bytesPerSecond, signal);
    return signal.aborted ? null : this.#opened;
  }

  /** It is the next copy's turn; what cannot be read for another reason is tried again in the next round. */
  #cannotRead(transfer: Transfer, failure: TransferFailure): void {
    const { transferId, stamp } = transfer.record;
    // It may have been repaired, or shared anew, while it was read.
    const isSame = this.#opened === null || this.#opened.stamp === stamp;
    this.#opened = null;
    this.#place = { copyId: transferId, nextPiece: null };
    if (isSame && CHANGED.has(failure.code) && this.#mayRead(transfer)) this.#parts.findings.changed(transfer, failure);
  }

  async #keep(): Promise<void> {
    const { context, unrepaired } = this.#parts;
    this.#keptMs = context.now();
    await context.store.saveScrub({
      place: this.#place,
      unrepaired: unrepaired.list(),
      roundEndedAtMs: this.#roundEndedMs,
    });
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

const CHANGED: ReadonlySet<string> = new Set(['source_changed', 'source_missing']);

function isMoving({ record: { state }, isRechecking }: Transfer): boolean {
  // One that is queued begins at any moment.
  return isRechecking || state === 'queued' || state === 'downloading' || state === 'hashing';
}
