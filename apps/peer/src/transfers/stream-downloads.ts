// Owns downloads that are there for readers alone: one for each content, below the data directory, in the order in which it is read.
// A while after its last reader, sooner when there are many, and when the peer starts, such a one goes with all that it wrote, unless
// it is to be kept by then.
import { join } from 'node:path';
import { STREAM_UNREAD_LINGER_MS, STREAMS_MAX } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';
import type { DownloadTransfer } from './download-transfer.ts';
import { newStreamRecord, type TransferOrigin } from './new-transfer-record.ts';
import type { FoundShare } from './shares-in-sight.ts';
import type { TransferContext } from './transfer-context.ts';
import { reasonText } from './transfer-reasons.ts';
import type { DownloadRecord } from './transfer-record.ts';
import type { Transfer } from './transfer-set.ts';

/** What downloads for readers are begun and ended with. */
export interface StreamDownloadParts {
  readonly context: TransferContext;
  readonly originOf: (user: string) => TransferOrigin;
  readonly add: (record: DownloadRecord) => DownloadTransfer;
  /** Forgets a transfer and removes what it wrote. */
  readonly remove: (transferId: string) => Promise<unknown>;
  /** How long one is there after its last reader, when somebody got bytes of it. */
  readonly lingerMs: number;
}

export class StreamDownloads {
  readonly #parts: StreamDownloadParts;
  readonly #beginning = new Map<string, Promise<DownloadTransfer | Refused>>();
  /** Readers of each, by transfer id. */
  readonly #holds = new Map<string, number>();
  /** That nobody reads, longest ago first. */
  readonly #lingering = new Map<Transfer, NodeJS.Timeout>();
  /** Those of which somebody got bytes. */
  readonly #read = new WeakSet<Transfer>();
  /** Those that are being removed, by transfer id. */
  readonly #leaving = new Map<string, Promise<unknown>>();

  constructor(parts: StreamDownloadParts) {
    this.#parts = parts;
  }

  /** Begins to fetch a share, or of a folder one file, once for all who ask for the share at the same time. */
  begin(found: FoundShare, path: string | undefined): Promise<DownloadTransfer | Refused> {
    const key = JSON.stringify([found.user, found.share.shareId, found.share.contentId]);
    const beginning = this.#beginning.get(key) ?? this.#begin(found, path).finally(() => this.#beginning.delete(key));
    this.#beginning.set(key, beginning);
    return beginning;
  }

  /** Somebody reads a transfer's content. Returns how to let go of it. */
  hold(transfer: Transfer): () => void {
    const { transferId } = transfer.record;
    this.#lingersNoMore(transfer);
    this.#holds.set(transferId, (this.#holds.get(transferId) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(transfer);
      isHeld = false;
    };
  }

  /** Bytes of one are handed out. */
  noteRead(transfer: Transfer): void {
    this.#read.add(transfer);
  }

  /** Removes one that nobody reads. */
  discard(transfer: Transfer): Promise<unknown> {
    const { transferId } = transfer.record;
    this.#lingersNoMore(transfer);
    const leaving = this.#parts.remove(transferId).finally(() => this.#leaving.delete(transferId));
    this.#leaving.set(transferId, leaving);
    return leaving;
  }

  /** Resolves when one that is being removed is gone; null when it stays. */
  leaving({ record }: Transfer): Promise<unknown> | null {
    return this.#leaving.get(record.transferId) ?? null;
  }

  /** Those that linger go at the next start. */
  close(): void {
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    this.#lingering.clear();
  }

  /** Before one more begins: as many as all of them may be are there at most. Each that is not read by anybody can go. */
  async #makeRoom(): Promise<void> {
    const surplus = this.#holds.size + this.#beginning.size + this.#lingering.size + 1 - STREAMS_MAX;
    const going = [...this.#lingering.keys()].filter(isTemporary).slice(0, Math.max(0, surplus));
    await Promise.all(going.map((transfer) => this.discard(transfer)));
  }

  async #begin(
    { group, file, user, share: found }: FoundShare,
    readPath: string | undefined,
  ): Promise<DownloadTransfer | Refused> {
    const { context, originOf, add } = this.#parts;
    const { link, engine, store } = context;
    await this.#makeRoom();
    const origin = originOf(user);
    const { version } = found;
    const answer = await link.command(
      'download_file',
      { group, file, ...(version !== undefined && { version }) },
      origin,
    );
    if (answer.status !== 'accepted') return answer;
    const share = answer.result.share!;
    const path = join(await store.newStreamFolder(), file);
    // How much of a folder will be read nobody knows.
    const totalBytes = readPath === undefined ? share.totalBytes : 0;
    const problem = await engine.checkDestination({ destination: path, overwrite: false, totalBytes });
    if (problem !== null) {
      await store.removeStreamFolder(path);
      return { status: 'failed', code: 'transfer_failed', detail: reasonText(problem) };
    }
    const only = readPath === undefined ? [] : [readPath];
    const transfer = add(newStreamRecord(origin, { group, file, path, share, offset: answer.offset, only }));
    void transfer.run();
    await store.save(transfer.record);
    return transfer;
  }

  #release(transfer: Transfer): void {
    const { transferId } = transfer.record;
    const left = (this.#holds.get(transferId) ?? 1) - 1;
    if (left > 0) return void this.#holds.set(transferId, left);
    this.#holds.delete(transferId);
    if (!isTemporary(transfer)) return;
    // One that came to nothing is of use to nobody.
    const lingerMs = transfer.reading === null ? 0 : this.#lingerMsOf(transfer);
    const timer = setTimeout(() => {
      if (isTemporary(transfer)) void this.discard(transfer);
      else this.#lingersNoMore(transfer);
    }, lingerMs);
    this.#lingering.set(transfer, timer.unref());
  }

  #lingerMsOf(transfer: Transfer): number {
    const { lingerMs } = this.#parts;
    return this.#read.has(transfer) ? lingerMs : Math.min(lingerMs, STREAM_UNREAD_LINGER_MS);
  }

  #lingersNoMore(transfer: Transfer): void {
    clearTimeout(this.#lingering.get(transfer));
    this.#lingering.delete(transfer);
  }
}

/** Whether a transfer is there for readers alone. */
export function isTemporary({ record }: Transfer): boolean {
  return record.temporary === true;
}
