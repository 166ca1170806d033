// Owns the copies that this peer keeps for its groups because its user allowed that: it looks now and then which files have
// fewer copies than their group wants, and fetches one of them at a time, as a person would, into a folder of its own. It
// throws nothing away, and what it has begun is a transfer like any other, also after a restart. What was kept and is gone from the
// folder is no copy: it is fetched again where the group lacks one.
import { randomUUID } from 'node:crypto';
import { mkdir, realpath, statfs } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { nextToKeep, roomBytesOf, type Shortage, shortagesOf, type WantedFile, wantedKey } from '#domain/copy-keeping';
import type { TransferState, TransferView } from '#wire/control-api';
import type { KeepingView, KeptCopyView } from '#wire/control-upkeep';
import { LIST_LIMIT_MAX } from '#wire/limits';
import type { Page, Refused } from '#wire/tracker-api';
import { ERRORS } from '#wire/wire-error';
import type { LinkEvent, PageRequest, TrackerLink, ViewAnswer } from '../tracker-link/tracker-link.ts';
import type { TransferEvent, Transfers } from '../transfers/transfers.ts';

/** How often it is looked for shortages, at the latest and at the soonest. */
const LOOK_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;
/** What could not be begun is left alone for so long; what is in the way there, and is something else, until the next start. */
const REFUSED_MS = 600_000;
/** Kept copies that a view names. */
const SHOWN_MAX = 100;

/** Where copies are kept, and how many bytes of them. */
export interface KeepingOptions {
  readonly folder: string;
  readonly limitBytes: number;
}

interface KeepingParts extends KeepingOptions {
  readonly link: TrackerLink;
  readonly transfers: Transfers;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Does something after a time, unless what it returns is called before. */
  readonly later: (waitMs: number, act: () => void) => () => void;
  readonly warn: (message: string) => void;
}

const FETCHING: ReadonlySet<TransferState> = new Set(['queued', 'downloading', 'hashing']);
const UNFINISHED: ReadonlySet<TransferState> = new Set(['queued', 'downloading', 'stalled', 'paused', 'failed']);

export class CopyKeeping {
  readonly #parts: KeepingParts;
  readonly #stopListening: (() => void)[] = [];
  #shortages: ReadonlyMap<string, Shortage> = new Map();
  /** What could not be begun, and until when it is left alone. */
  readonly #refused = new Map<string, number>();
  /** What was said last of each file that could not be begun. */
  readonly #warned = new Map<string, string>();
  #withoutRoom = 0;
  #wishes: readonly Wish[] = [];
  #areWishesKnown = false;
  #callOff: () => void = () => {};
  #dueMs = Infinity;
  #lookedMs = -Infinity;
  #isLooking = false;
  /** Something happened while it looked. */
  #isAskedAgain = false;
  #isClosed = false;

  private constructor(parts: KeepingParts) {
    this.#parts = parts;
  }

  /** Makes the folder where it is missing. Throws the system's error when it cannot be had. */
  static async open(parts: KeepingParts): Promise<CopyKeeping> {
    await mkdir(parts.folder, { recursive: true });
    return new CopyKeeping({ ...parts, folder: await realpath(parts.folder) });
  }

  /** Begins to look; the transfers have to be open. */
  start(): void {
    const { link, transfers, now } = this.#parts;
    this.#stopListening.push(
      link.onEvent((event) => this.#linkEvent(event)),
      transfers.onEvent((event) => this.#transferEvent(event)),
    );
    this.#lookAt(now() + LOOK_AGAIN_MS);
  }

  /** Begins nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stopListening) stop();
    this.#callOff();
  }

  view(): KeepingView {
    const { folder, limitBytes } = this.#parts;
    const kept = this.#kept();
    return {
      ...{ folder, limitBytes, keptBytes: bytesOf(kept), copyCount: kept.length, withoutRoom: this.#withoutRoom },
      copies: kept.slice(0, SHOWN_MAX).map(keptView),
    };
  }

  /** What lies in the folder, whoever asked for it. */
  #kept(): TransferView[] {
    return this.#parts.transfers.list().filter(({ path }) => this.#isInFolder(path));
  }

  /** Whether all of a copy was in the folder, and nothing is any more. One whose share is gone from the group lies there as before. */
  #isLost({ direction, state, reason, contentId, served, path }: TransferView): boolean {
    const wasServed =
      direction === 'upload' ? state === 'failed' && contentId !== null : state === 'complete' && served;
    return wasServed && reason?.code === 'source_missing' && this.#isInFolder(path);
  }

  #isInFolder(path: string): boolean {
    return path.startsWith(`${this.#parts.folder}${sep}`);
  }

  #linkEvent({ type }: LinkEvent): void {
    if (type !== 'group_changed' && type !== 'session_changed') return;
    this.#areWishesKnown = false;
    this.#lookAt(this.#parts.now());
  }

  #transferEvent(event: TransferEvent): void {
    const isOver =
      event.type === 'transfer_removed' || (event.type === 'transfer_changed' && !FETCHING.has(event.transfer.state));
    if (isOver) this.#lookAt(this.#parts.now());
  }

  /** Looks at this time, or sooner when it is to be sooner already; never twice within a moment. */
  #lookAt(timeMs: number): void {
    const dueMs = Math.max(timeMs, this.#lookedMs + LOOK_AGAIN_MS);
    if (this.#isClosed || dueMs >= this.#dueMs) return;
    this.#callOff();
    this.#dueMs = dueMs;
    this.#callOff = this.#parts.later(Math.max(0, dueMs - this.#parts.now()), () => this.#look());
  }

  #look(): void {
    const { now } = this.#parts;
    this.#dueMs = Infinity;
    this.#isAskedAgain = this.#isLooking;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookedMs = now();
    void this.#begin().then((nextMs) => {
      this.#isLooking = false;
      this.#lookAt(this.#isAskedAgain ? now() : Math.min(nextMs ?? Infinity, now() + LOOK_MS));
    });
  }

  /** Begins what is due. Returns when the next one is, null while that is not known. */
  async #begin(): Promise<number | null> {
    const { link, now, random } = this.#parts;
    const [user, nowMs] = [link.user(), now()];
    const files = user === null ? null : await this.#wantedFiles();
    if (files === null) return null;
    this.#shortages = shortagesOf(files, this.#shortages, { nowMs, random });
    const roomBytes = await this.#roomBytes();
    const short = files.filter((file) => this.#shortages.has(wantedKey(file)));
    const lacking = short.filter((file) => this.#shortages.get(wantedKey(file))?.notBeforeMs !== null);
    this.#withoutRoom = lacking.filter(({ totalBytes }) => totalBytes > roomBytes).length;
    const next = nextToKeep(lacking, { shortages: this.#shortages, roomBytes });
    if (next === null || this.#kept().some(({ state }) => FETCHING.has(state))) return null;
    if (next.notBeforeMs > nowMs || this.#isClosed) return next.notBeforeMs;
    await this.#fetch(next.file, user);
    return now() + LOOK_AGAIN_MS;
  }

  async #fetch(file: WantedFile, user: string | null): Promise<void> {
    const lost = this.#kept().find((transfer) => this.#isLost(transfer) && keyOf(transfer) === wantedKey(file));
    if (lost !== undefined) return this.#fetchAgain(file, lost);
    // Each content has a folder of its own: the next version of a file comes to another place.
    const place = join(this.#parts.folder, file.group, file.contentId.slice(0, 12));
    const refused = await mkdir(place, { recursive: true }).then(
      () => this.#download(file, place, user),
      (error: Error) => error.message,
    );
    if (refused !== null) this.#leaveAlone(file, this.#parts.now() + REFUSED_MS, refused);
  }

  /** What comes of it the transfer tells; it is not tried again at once. */
  async #fetchAgain(file: WantedFile, { transferId, path }: TransferView): Promise<void> {
    const untilMs = this.#parts.now() + REFUSED_MS;
    const refused = await mkdir(dirname(path), { recursive: true }).then(
      () => this.#parts.transfers.recheck(transferId, { repair: true }),
      (error: Error) => error.message,
    );
    this.#refused.set(wantedKey(file), untilMs);
    if (typeof refused === 'string') this.#leaveAlone(file, untilMs, refused);
    else if (refused.status === 'failed' || refused.status === 'rejected')
      this.#leaveAlone(file, untilMs, refusalInWords(refused));
  }

  /** Null when it has begun, or why it has not. */
  async #download({ group, file, contentId }: WantedFile, place: string, user: string | null): Promise<string | null> {
    const { transfers } = this.#parts;
    const body = { group, file, destination: place, strategy: 'rarest-first' as const };
    const stamp = { commandId: randomUUID(), user };
    const answer = await transfers.download(body, stamp, { forGroup: true });
    if (answer.status === 'started') return null;
    const path = join(place, file);
    const isOwn = transfers.list().some((transfer) => transfer.path === path);
    const isInTheWay = answer.status === 'failed' && answer.code === 'destination_exists' && !isOwn;
    return isInTheWay ? this.#adopt({ group, file, contentId }, path, user) : refusalInWords(answer);
  }

  /**
   * What is there already was most likely kept before: by a peer whose data is lost, or as a transfer that was removed without its
   * data. It is read once; what it is not will not be it in ten minutes either.
   */
  async #adopt(file: NamedFile, path: string, user: string | null): Promise<string | null> {
    const { transfers } = this.#parts;
    const body = { group: file.group, file: file.file, path };
    const answer = await transfers.seed(body, { commandId: randomUUID(), user });
    if (answer.status === 'started') return null;
    // Every other refusal is about something else than what lies there.
    if (answer.status !== 'failed' || answer.code !== 'invalid_request') return refusalInWords(answer);
    this.#leaveAlone(
      file,
      Infinity,
      `${path} is in the way, and cannot be it: move it away. ${refusalInWords(answer)}`,
    );
    return null;
  }

  /** Says why, once. */
  #leaveAlone(file: NamedFile, untilMs: number, why: string): void {
    const key = wantedKey(file);
    this.#refused.set(key, untilMs);
    if (this.#warned.get(key) === why) return;
    this.#warned.set(key, why);
    this.#parts.warn(`cannot keep a copy of ${file.file} of ${file.group}: ${why}`);
  }

  /** What the user's groups want more copies of, without what this peer has or was told to leave. Null when no tracker answers. */
  async #wantedFiles(): Promise<WantedFile[] | null> {
    const { link, transfers, now } = this.#parts;
    const groups = await this.#wishesNow();
    if (groups === null) return null;
    const own = new Set(
      transfers
        .list()
        .filter((transfer) => !this.#isLost(transfer))
        .map(keyOf),
    );
    const files: WantedFile[] = [];
    for (const { group, copies } of groups) {
      const listed = await allOf((page) => link.listFiles(group, page));
      if (listed === null) return null;
      for (const { file, contentId, totalBytes, seedersOnline, partialCopies = 0 } of listed) {
        const wanted = { group, file, contentId, totalBytes, partialCopies, completeCopies: seedersOnline };
        const isLeftAlone = own.has(wantedKey(wanted)) || (this.#refused.get(wantedKey(wanted)) ?? 0) > now();
        if (!isLeftAlone) files.push({ ...wanted, wantedCopies: copies });
      }
    }
    return files;
  }

  /** The user's groups that want copies. They are asked for again when one of them has changed. */
  async #wishesNow(): Promise<readonly Wish[] | null> {
    if (this.#areWishesKnown) return this.#wishes;
    // Before they are asked for: a group that changes meanwhile has them asked for again.
    this.#areWishesKnown = true;
    const groups = await allOf((page) => this.#parts.link.listGroups(page));
    if (groups === null) {
      this.#areWishesKnown = false;
      return null;
    }
    // It is none for who is no member.
    this.#wishes = groups.flatMap(({ group, copies = 0 }) => (copies === 0 ? [] : [{ group, copies }]));
    return this.#wishes;
  }

  async #roomBytes(): Promise<number> {
    const { folder, limitBytes, transfers } = this.#parts;
    const disk = await statfs(folder).catch(() => null);
    // The folder is gone, or its disk: there is no room for anything.
    if (disk === null) return 0;
    const pending = transfers
      .list()
      .filter(({ direction, state }) => direction === 'download' && UNFINISHED.has(state));
    const pendingBytes = pending.reduce((sum, { totalBytes, verifiedBytes }) => sum + totalBytes - verifiedBytes, 0);
    return roomBytesOf({
      limitBytes,
      keptBytes: bytesOf(this.#kept().filter((transfer) => !this.#isLost(transfer))),
      freeBytes: disk.bavail * disk.bsize,
      pendingBytes,
    });
  }
}

type NamedFile = Pick<WantedFile, 'group' | 'file' | 'contentId'>;

interface Wish {
  readonly group: string;
  readonly copies: number;
}

function keptView({ transferId, group, file, totalBytes, state }: TransferView): KeptCopyView {
  return { transferId, group, file, totalBytes, state };
}

function keyOf({ group, file, contentId }: TransferView): string {
  return `${contentId} ${group}/${file}`;
}

function bytesOf(kept: readonly TransferView[]): number {
  return kept.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
}

/** All items of a list, or null when it could not be had. */
async function allOf<Item>(ask: (page: PageRequest) => Promise<ViewAnswer<Page<Item>>>): Promise<Item[] | null> {
  const items: Item[] = [];
  for (let after: string | null = null; ;) {
    const answer = await ask({ limit: LIST_LIMIT_MAX, ...(after !== null && { after }) });
    if (answer.status !== 'accepted') return null;
    items.push(...answer.view.items);
    after = answer.view.next;
    if (after === null) return items;
  }
}

function refusalInWords(refused: Refused): string {
  if (refused.status === 'rejected') return refused.reason;
  const fields = (refused.errors ?? []).map(({ field, message }) => `${field} ${message}`);
  return [refused.detail ?? ERRORS[refused.code].detail, ...fields].join(' ');
}
