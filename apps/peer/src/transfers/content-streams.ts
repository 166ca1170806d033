// Owns reading content here while it is there, or comes: which copy of this peer is read, and what is fetched first for those who
// read. Every reader ends as soon as its user is logged out, or may not have the content any more.
import { basename } from 'node:path';
import { hasBit } from '#domain/bitfield';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import { readAheadPieces } from '#domain/read-ahead';
import { STREAM_READ_AHEAD_BYTES_MAX, STREAM_STALL_TIMEOUT_MS, STREAMS_MAX } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';
import type { ReadableCopy } from '../swarm/transfer-engine.ts';
import { ChangeWaiters } from './change-waiters.ts';
import { DownloadTransfer } from './download-transfer.ts';
import { OpenFile, type OpenFileParts } from './open-file.ts';
import { unavailable } from './range-reader.ts';
import { type FoundShare, SharesInSight } from './shares-in-sight.ts';
import { isTemporary, type StreamDownloadParts, StreamDownloads } from './stream-downloads.ts';
import { StreamedManifests } from './streamed-manifests.ts';
import { refusalOfReason } from './transfer-reasons.ts';
import { isResting } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';
import type { ContentRequest, OpenContent } from './transfers.ts';

/** What reading is put together from. */
export interface StreamParts extends StreamDownloadParts {
  readonly transfers: TransferSet;
  /** A whole copy on disk is not what it was. */
  readonly damaged: (transfer: Transfer, detail: string) => void;
}

export class ContentStreams {
  readonly #parts: StreamParts;
  readonly #downloads: StreamDownloads;
  readonly #shares: SharesInSight;
  readonly #manifests = new StreamedManifests();
  readonly #open = new Map<OpenFile, Transfer>();
  /** Those who wait for what they read. */
  readonly #changes = new ChangeWaiters();
  #placesTaken = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#downloads = new StreamDownloads(parts);
    this.#shares = new SharesInSight(parts);
  }

  /** See Transfers.openContent. */
  async open(request: ContentRequest): Promise<OpenContent | Refused> {
    if (this.#placesTaken >= STREAMS_MAX) {
      return { status: 'failed', code: 'busy', detail: `${STREAMS_MAX} files are being read here: end one of them.` };
    }
    this.#placesTaken++;
    let opened: OpenContent | Refused | null = null;
    try {
      opened = await this.#opened(request);
      return opened;
    } finally {
      if (opened === null || 'status' in opened) this.#placesTaken--;
    }
  }

  /** Something of the transfers, or who is logged in, has changed: whoever may not read on ends. */
  look(): void {
    for (const file of this.#open.keys()) file.look();
    this.#changes.wake();
  }

  /** Who may have what has changed: it is asked anew. */
  forgetShares(): void {
    this.#shares.forget();
  }

  /** Ends all readers. */
  close(): void {
    for (const file of this.#open.keys()) file.close();
    this.#downloads.close();
  }

  /** Removes what an earlier run fetched for its readers alone. */
  async discardLeft(): Promise<void> {
    const { transfers, context } = this.#parts;
    for (const left of transfers.all().filter(isTemporary)) await this.#downloads.discard(left);
    await context.store.keepStreamFolders(transfers.records().map(({ path }) => path));
  }

  async #opened(request: ContentRequest): Promise<OpenContent | Refused> {
    const found = await this.#shares.find(request);
    if ('status' in found) return found;
    const transfer = await this.#copyFor(found, request.path);
    if ('status' in transfer) return transfer;
    if (request.keep && transfer instanceof DownloadTransfer) transfer.keep();
    const release = this.#downloads.hold(transfer);
    const opened = await this.#fileOf(transfer, { found, path: request.path, release });
    if ('status' in opened) release();
    return opened;
  }

  /** The copy to read. One that is on its way out cannot be had back, also not by who wants to keep it. */
  async #copyFor(found: FoundShare, path: string | undefined): Promise<Transfer | Refused> {
    const here = this.#copyHere(found);
    if (here === null) return this.#downloads.begin(found, path);
    const leaving = this.#downloads.leaving(here);
    if (leaving === null) return here;
    await leaving;
    return this.#copyFor(found, path);
  }

  async #fileOf(
    transfer: Transfer,
    { found, path, release }: { found: FoundShare; path: string | undefined; release: () => void },
  ): Promise<OpenContent | Refused> {
    const copy = (): ReadableCopy | 'soon' | Refused => this.#copyNow(transfer, found.user);
    const refusal = (): Refused | null => {
      const now = copy();
      return now !== 'soon' && 'status' in now ? now : null;
    };
    const manifest = await this.#manifests.of(transfer, { refusal, changes: this.#changes });
    if ('status' in manifest) return manifest;
    const position = positionOf(manifest, path);
    if (typeof position !== 'number') return position;
    const endReading =
      transfer instanceof DownloadTransfer ? transfer.selection.beginReading(position) : (): void => undefined;
    const file = new OpenFile({
      ...{ contentId: found.share.contentId, name: basename(path ?? '') || found.file, position, manifest },
      source: this.#sourceOf(transfer, manifest, copy),
      moved: () => this.#hurry(transfer, manifest),
      taken: () => this.#downloads.noteRead(transfer),
      closed: () => {
        this.#placesTaken--;
        this.#open.delete(file);
        endReading();
        this.#hurry(transfer, manifest);
        this.#changes.wake();
        release();
      },
    });
    this.#open.set(file, transfer);
    return file;
  }

  #sourceOf(transfer: Transfer, manifest: Manifest, copy: OpenFileParts['source']['copy']): OpenFileParts['source'] {
    return {
      ...{
        engine: this.#parts.context.engine,
        manifest,
        copy,
        stallMs: STREAM_STALL_TIMEOUT_MS,
        changes: this.#changes,
      },
      isComing: () => transfer.view().bytesPerSecond > 0,
      damaged: (detail) => {
        if (isWhole(transfer.reading)) this.#parts.damaged(transfer, detail);
      },
    };
  }

  /** The copy to read: one that is whole, or one that comes. What stands still helps nobody who waits. */
  #copyHere({ share, user }: FoundShare): Transfer | null {
    const here = this.#parts.transfers.all().filter((transfer) => {
      const { record, contentId, reading } = transfer;
      const isOfShare = record.share?.shareId === share.shareId && contentId === share.contentId;
      // What has some of its files, and fetches nothing any more, may lack what is read.
      if (isResting(record)) return false;
      return isOfShare && record.user === user && reading !== null && record.state !== 'paused';
    });
    return here.find(({ reading }) => isWhole(reading)) ?? here[0] ?? null;
  }

  #copyNow(transfer: Transfer, user: string): ReadableCopy | 'soon' | Refused {
    const { context, transfers } = this.#parts;
    if (context.link.user() !== user) return { status: 'failed', code: 'not_logged_in' };
    if (!transfers.has(transfer)) return unavailable('Its transfer was removed.');
    return transfer.reading ?? refusalOfReason(transfer.record.reason);
  }

  /** Fetches first what those who read a download need next. */
  #hurry(transfer: Transfer, manifest: Manifest): void {
    if (!(transfer instanceof DownloadTransfer)) return;
    const { reading } = transfer;
    const verified = reading === null || reading === 'soon' ? new Uint8Array() : reading.verified;
    if (verified === null) return;
    const places = [...this.#open].flatMap(([file, of]) =>
      of === transfer && file.place !== null ? [file.place] : [],
    );
    const has = (piece: number): boolean => hasBit(verified, piece);
    const ahead = { aheadBytes: STREAM_READ_AHEAD_BYTES_MAX, has };
    transfer.selection.hurry(readAheadPieces(places, manifestGeometry(manifest), ahead), () => this.#changes.wake());
  }
}

function isWhole(reading: ReadableCopy | 'soon' | null): boolean {
  return reading !== null && reading !== 'soon' && reading.verified === null;
}

/** Which of the files of a content a path names, or why none. */
function positionOf({ files }: Manifest, path: string | undefined): number | Refused {
  const isOneFile = files.length === 1 && files[0]!.path === '';
  if (isOneFile && path !== undefined) return wrongPath('must be left out: the share is one file, and no folder');
  if (!isOneFile && path === undefined) return wrongPath('must name a file of the folder, like inner/film.mkv');
  const position = files.findIndex((file) => file.path === (path ?? ''));
  if (position >= 0) return position;
  const first = files[0] === undefined ? 'it holds none' : `like ${files[0].path}`;
  const errors = [{ field: 'path', message: `must be the path of a file in the folder, ${first}` }];
  return { status: 'failed', code: 'file_not_found', detail: 'The folder has no file of that path.', errors };
}

function wrongPath(message: string): Refused {
  return { status: 'failed', code: 'invalid_request', errors: [{ field: 'path', message }] };
}
