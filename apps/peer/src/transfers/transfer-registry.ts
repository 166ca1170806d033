// Owns the transfers of this peer: begins them for commands, goes on with them after a restart, and tells of what becomes of them.
// Every change goes to disk at once.
import { randomUUID } from 'node:crypto';
import type { TransferView } from '#wire/control-api';
import type { LimitsBody } from '#wire/control-limits';
import {
  type DownloadFileBody,
  type ListQuery,
  type RecheckBody,
  type SeedFileBody,
  type StopShareBody,
  type UploadFileBody,
  WAIT_SECONDS_DEFAULT,
} from '#wire/control-requests';
import type { TransferFileListView } from '#wire/control-transfer-files';
import type { SelectionBody } from '#wire/control-selection';
import type { ScrubView } from '#wire/control-upkeep';
import { STREAM_LINGER_MS } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';
import { TransferFailure } from '../swarm/transfer-engine.ts';
import type { CommandAnswer, CommandStamp } from '../tracker-link/tracker-link.ts';
import { AccessFollowing } from './access-following.ts';
import { ChangeWaiters, within } from './change-waiters.ts';
import { ContentStreams } from './content-streams.ts';
import { CopyCare } from './copy-care.ts';
import { CopiesAtHand } from './copies-at-hand.ts';
import { PLACE_LOOK_MS } from './copies-in-place.ts';
import { CopyCounts } from './copy-counts.ts';
import { SCRUB_ROUND_MS } from './copy-scrubbing.ts';
import { CopyEndings } from './copy-endings.ts';
import { dropRepair } from './copy-recheck.ts';
import { DownloadTransfer } from './download-transfer.ts';
import {
  copyShape,
  newDownloadRecord,
  newUploadRecord,
  type TransferOrigin,
  uploadShape,
} from './new-transfer-record.ts';
import { ProgressFeed, type ProgressListener } from './progress-feed.ts';
import { noteReason } from './reason-since.ts';
import { finalDestination, globProblem, invalidField, nameInGroup, readableSource } from './requested-paths.ts';
import { Sha1Checks } from './sha1-checks.ts';
import { ShareAnnouncing } from './share-announcing.ts';
import type { TransferContext } from './transfer-context.ts';
import { filesOf } from './transfer-files.ts';
import { TransferLimits } from './transfer-limits.ts';
import { TransferPlaces } from './transfer-places.ts';
import { reasonText, VERSIONS_UNKNOWN } from './transfer-reasons.ts';
import {
  type DownloadRecord,
  isOver,
  isResting,
  isServedPart,
  type TransferRecord,
  type UploadRecord,
  versionOf,
} from './transfer-record.ts';
import { startedTransfer } from './started-transfer.ts';
import { copyAt, destinationExists, destinationTaken } from './taken-destinations.ts';
import { type Transfer, TransferSet } from './transfer-set.ts';
import type {
  ContentRequest,
  DownloadPurpose,
  OpenContent,
  RecheckAnswer,
  StartedTransfer,
  TransferEnd,
  TransferEvent,
  Transfers,
} from './transfers.ts';
import { UploadTransfer } from './upload-transfer.ts';

/** An upload whose outcome is likely to be accepted is answered after this, hashed or not. */
const DECISION_WAIT_MS = 2_000;

const NOTHING_IN_FILE = 'must be left out: it is about what is in a folder, and path is a file';

/** How long some things take, where that is not what it is by default. */
interface RegistryPace {
  /** How long what was fetched for readers alone is there after the last one. */
  readonly streamLingerMs?: number;
  /** How soon after another a round of scrubbing begins. */
  readonly scrubRoundMs?: number;
  /** How soon after another it is looked whether all copies are in their places. */
  readonly placeLookMs?: number;
}

export class TransferRegistry implements Transfers {
  readonly #context: TransferContext;
  readonly #limits: TransferLimits;
  readonly #care: CopyCare;
  readonly #endings: CopyEndings;
  readonly #transfers = new TransferSet();
  readonly #streams: ContentStreams;
  readonly #progress: ProgressFeed;
  readonly #following: AccessFollowing;
  readonly #listeners = new Set<(event: TransferEvent) => void>();
  /** What was last told of each transfer, so that only changes of state and reason are events. */
  readonly #told = new Map<string, string>();
  readonly #changes = new ChangeWaiters();
  readonly #announcing: ShareAnnouncing;

  constructor(
    parts: Omit<TransferContext, 'changed' | 'places' | 'sha1Checks' | 'copies' | 'counts'>,
    pace: RegistryPace = {},
  ) {
    const { streamLingerMs = STREAM_LINGER_MS, scrubRoundMs = SCRUB_ROUND_MS, placeLookMs = PLACE_LOOK_MS } = pace;
    const places = new TransferPlaces();
    const sha1Checks = new Sha1Checks(parts);
    const records = (): TransferRecord[] => this.#transfers.records();
    const copies = new CopiesAtHand({ store: parts.store, records });
    const counts = new CopyCounts({ ...parts, records });
    this.#context = { ...parts, places, sha1Checks, copies, counts, changed: (record) => this.#changed(record) };
    this.#announcing = new ShareAnnouncing({ ...parts, transfers: this.#transfers });
    this.#progress = new ProgressFeed({ transfers: this.#transfers, counts });
    this.#limits = new TransferLimits({ ...parts, places, records });
    this.#care = new CopyCare({
      ...{ context: this.#context, transfers: this.#transfers, scrubRoundMs, placeLookMs },
      kept: (transfer) => this.#kept(transfer),
      emit: (event) => this.#emit(event),
    });
    this.#endings = new CopyEndings({
      ...{ context: this.#context, transfers: this.#transfers, care: this.#care },
      forget: (transfer) => this.#forget(transfer),
      emit: (event) => this.#emit(event),
    });
    this.#streams = new ContentStreams({
      ...{ context: this.#context, transfers: this.#transfers, lingerMs: streamLingerMs },
      originOf: (user) => this.#originOf({ commandId: randomUUID(), user }),
      add: (record) => this.#addDownload(record),
      remove: (transferId) => this.remove(transferId, 'delete'),
      damaged: (transfer, detail) => this.#care.takeForChanged(transfer, 'source_changed', detail),
    });
    const [context, transfers, streams] = [this.#context, this.#transfers, this.#streams];
    const serveInstead = (transfer: Transfer): void => this.#care.serveInstead(transfer);
    this.#following = new AccessFollowing({ context, transfers, streams, serveInstead });
  }

  /**
   * Reads what earlier runs left, and goes on with it as far as the one who began it is logged in. Limits that the peer was
   * started with come before those that it had. What is seeded is scrubbed at so many bytes a second, with null not at all.
   */
  async open(startedWith: Partial<LimitsBody> = {}, scrubBytesPerSecond: number | null = null): Promise<void> {
    for (const record of await this.#context.store.loadAll()) {
      if (record.direction === 'upload') this.#addUpload(record);
      else this.#addDownload(record);
    }
    await this.#streams.discardLeft();
    await this.#limits.open(startedWith);
    this.#following.begin();
    this.#announcing.tell();
    await this.#care.open(scrubBytesPerSecond);
  }

  /** Lets go of everything; the next start goes on with it. */
  async close(): Promise<void> {
    this.#following.end();
    this.#announcing.close();
    this.#streams.close();
    this.#context.counts.close();
    const halted = this.#transfers.all().map((transfer) => transfer.halt());
    await Promise.all([this.#care.close(), ...halted]);
    await this.#context.store.settled();
  }

  async upload(body: UploadFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused> {
    const known = this.#startedBy(stamp.commandId);
    if (known !== null) return known;
    const source = await readableSource(body.path);
    if ('status' in source) return source;
    const file = nameInGroup(body.path, body.name);
    if (typeof file !== 'string') return file;
    const { exclude = [] } = body;
    const problem = globProblem(exclude, 'exclude');
    if (problem !== null) return problem;
    if (exclude.length > 0 && source.bytes !== null) return invalidField('exclude', NOTHING_IN_FILE);
    const there = await this.#context.link.findSources({ group: body.group, file });
    if (there.status === 'failed') return there;
    const newest = there.status === 'accepted' ? there.view.share : null;
    if (body.update === true && newest !== null && newest.version === undefined) return VERSIONS_UNKNOWN;
    const shape = uploadShape(body, source.bytes, newest);
    const place = { command: 'upload_file' as const, group: body.group, file, path: body.path };
    const transfer = this.#addUpload(newUploadRecord(this.#originOf(stamp), place, shape));
    // Nothing speaks against it, as far as a view can tell: hashing may take its time.
    const isNew = there.status === 'rejected' && there.reason === 'file_not_found';
    const isLikely = isNew || shape.replaces !== undefined;
    const { wait = false, timeoutSeconds = WAIT_SECONDS_DEFAULT } = body;
    const waitMs = wait ? timeoutSeconds * 1000 : DECISION_WAIT_MS;
    return this.#decided(transfer, isLikely ? waitMs : null);
  }

  async seed(body: SeedFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused> {
    const known = this.#startedBy(stamp.commandId);
    if (known !== null) return known;
    const source = await readableSource(body.path);
    if ('status' in source) return source;
    const there = await this.#context.link.findSources(body);
    if (there.status === 'failed') return there;
    const share = there.status === 'accepted' ? there.view.share : null;
    const { group, file, path, version } = body;
    const place = { command: 'seed_file' as const, group, file, path, ...(version !== undefined && { version }) };
    return this.#decided(this.#addUpload(newUploadRecord(this.#originOf(stamp), place, copyShape(share))), null);
  }

  async download(
    body: DownloadFileBody,
    stamp: CommandStamp,
    purpose: DownloadPurpose = {},
  ): Promise<StartedTransfer | Refused> {
    const known = this.#startedBy(stamp.commandId);
    if (known !== null) return known;
    const { group, file, version } = body;
    const wanted = { group, file, ...(version !== undefined && { version }) };
    const answer = await this.#context.link.command('download_file', wanted, stamp);
    if (answer.status !== 'accepted') return answer;
    const share = answer.result.share!;
    const asked = { user: stamp.user, group, file };
    const copyThere = (place: string) => copyAt(this.#transfers.records(), place, asked);
    const path = await finalDestination(
      body.destination,
      file,
      async (place) => (await copyThere(place)) !== undefined,
    );
    if (typeof path !== 'string') return path;
    const copy = await copyThere(path);
    const problem = await this.#context.engine.checkDestination({
      destination: path,
      overwrite: body.overwrite ?? false,
      totalBytes: body.only === undefined ? share.totalBytes : 0,
    });
    // Looked at last: another command may have taken the destination meanwhile.
    const writer = this.#transfers.writerOf((other) => this.#context.engine.doMeet(other, path));
    if (writer !== undefined) return destinationTaken(writer);
    if (problem?.code === 'destination_exists') return destinationExists(path, { copy, share });
    const place = { path, share, offset: answer.offset, ...purpose };
    const transfer = this.#addDownload(newDownloadRecord(this.#originOf(stamp), body, place));
    if (problem === null) void transfer.run();
    else transfer.fail(problem);
    const mistake = body.only === undefined ? null : await within(transfer.selection.checked, DECISION_WAIT_MS);
    if (mistake === null) await this.#kept(transfer);
    else {
      await transfer.dispose({ keepData: false });
      await this.#forget(transfer);
    }
    return mistake === null ? startedTransfer(transfer) : invalidField(mistake.field, mistake.message);
  }

  async stopShare({ group, file, everywhere, version }: StopShareBody, stamp: CommandStamp): Promise<CommandAnswer> {
    const body = { group, file, everywhere: everywhere ?? false, ...(version !== undefined && { version }) };
    const answer = await this.#context.link.command('stop_share', body, stamp);
    const its = this.#transfers.all().filter(({ record }) => {
      const isIts = record.group === group && record.file === file && record.user === stamp.user;
      return isIts && record.share !== null && (version ?? versionOf(record.share)) === versionOf(record.share);
    });
    const isDecided = answer.status === 'accepted';
    // Of who has a part the log knows nothing: it says that there is nothing to stop.
    const isPart = answer.status === 'rejected' && answer.reason === 'file_not_found' && !body.everywhere;
    const stopping = isDecided ? its : its.filter(({ record }) => isPart && isServedPart(record));
    for (const transfer of stopping) transfer.stopServing(null);
    // What is answered outlives a process that is killed right after.
    await Promise.all(stopping.map(({ record }) => this.#context.store.save(record)));
    const { offset } = isPart ? answer : { offset: null };
    return offset === null || stopping.length === 0 ? answer : { status: 'accepted', offset, result: {} };
  }

  isUndecided(commandId: string): boolean {
    const transfer = this.#transfers.begunBy(commandId);
    return transfer instanceof UploadTransfer && transfer.isUndecided;
  }

  async end(transferId: string, timeoutMs: number): Promise<TransferEnd> {
    const transfer = this.#transfers.get(transferId);
    const isGone = (): boolean => transfer === undefined || !this.#transfers.has(transfer);
    const hasEnded = (): boolean => isGone() || transfer?.end !== null;
    if (!hasEnded()) await this.#changes.until(hasEnded, timeoutMs);
    if (transfer === undefined || isGone()) {
      return { state: 'failed', detail: 'The transfer was removed.' };
    }
    const { offset, reason } = transfer.record;
    if (transfer.end === 'failed') return { state: 'failed', detail: reasonText(reason) };
    return { state: transfer.end ?? 'running', offset };
  }

  openContent(request: ContentRequest): Promise<OpenContent | Refused> {
    return this.#streams.open(request);
  }

  refreshCopyCounts(): void {
    this.#context.counts.look();
  }

  list(): TransferView[] {
    return this.#transfers.all().map((transfer) => transfer.view());
  }

  /** Where the data of all transfers is. */
  paths(): string[] {
    return this.#transfers.records().map(({ path }) => path);
  }

  find(transferId: string): TransferView | null {
    return this.#transfers.get(transferId)?.view() ?? null;
  }

  files(transferId: string, query: ListQuery): Promise<TransferFileListView | Refused> {
    return filesOf(this.#context.store, this.#transfers.get(transferId), query);
  }

  pause(transferId: string): Promise<TransferView | Refused> {
    return this.#with(transferId, (transfer) => {
      transfer.pause(null);
      if (transfer.isOffered) this.#care.serveInstead(transfer);
    });
  }

  resume(transferId: string): Promise<TransferView | Refused> {
    return this.#with(transferId, (transfer) => {
      if (this.#context.link.user() !== transfer.record.user) return { status: 'failed', code: 'not_logged_in' };
      void transfer.resume();
      return undefined;
    });
  }

  cancel(transferId: string): Promise<TransferView | Refused> {
    return this.#with(transferId, async (transfer) => {
      await transfer.cancel();
      if (transfer.isOffered) this.#care.serveInstead(transfer);
    });
  }

  prioritize(transferId: string, change: SelectionBody): Promise<TransferView | Refused> {
    return this.#with(transferId, (transfer) => transfer.prioritize(change));
  }

  recheck(transferId: string, body: RecheckBody): Promise<RecheckAnswer | Refused> {
    return this.#care.recheck(transferId, body);
  }

  scrub(): ScrubView {
    return this.#care.scrub();
  }

  async remove(transferId: string, data: 'keep' | 'delete'): Promise<Refused | null> {
    const transfer = this.#transfers.get(transferId);
    if (transfer === undefined) return { status: 'failed', code: 'transfer_not_found' };
    if (transfer instanceof UploadTransfer && data === 'delete') {
      return invalidField('data', 'must be keep for an upload: what is shared belongs to whoever put it there');
    }
    if (this.#transfers.offeredTwinsOf(transfer).length === 0) await this.#endings.stopShareOf(transfer);
    await this.#care.letGo(transfer);
    const [isRest, { path: destination }] = [isResting(transfer.record) && data === 'keep', transfer.record];
    try {
      const isReplaced = this.#transfers.isReplaced(transfer);
      await transfer.dispose({ keepData: data === 'keep' || isReplaced });
      if (transfer.record.damage !== undefined && !isReplaced) await dropRepair(this.#context, transfer.record);
      // What it kept beside its files, to go on when more is wanted.
      if (isRest && !isReplaced) await this.#context.engine.removeData({ destination, isFinished: false });
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error;
      return { status: 'failed', code: 'transfer_failed', detail: error.message };
    }
    await this.#forget(transfer);
    this.#care.serveInstead(transfer);
    this.#emit({ type: 'transfer_removed', transferId });
    return null;
  }

  limits(): LimitsBody {
    return this.#limits.now;
  }

  async setLimits(limits: LimitsBody): Promise<LimitsBody> {
    await this.#limits.set(limits);
    return this.#limits.now;
  }

  onProgress(listener: ProgressListener): () => void {
    return this.#progress.onProgress(listener);
  }

  onEvent(listener: (event: TransferEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits for what the log says to an upload, at most so long; one that is refused or cancelled leaves no transfer. One
   * that a pause, a logout or the end of the process came to is there to be gone on with.
   */
  async #decided(transfer: UploadTransfer, timeoutMs: number | null): Promise<StartedTransfer | Refused> {
    transfer.runAwaited();
    const { decision, record } = transfer;
    // Whoever waits behind others for an answer may wait for days.
    const waitMs = timeoutMs ?? (record.state === 'queued' ? DECISION_WAIT_MS : null);
    const answer = waitMs === null ? await decision : await within(decision, waitMs);
    if (answer !== null && answer.status !== 'accepted' && isOver(record)) {
      await this.#forget(transfer);
      return answer;
    }
    transfer.detach();
    if (answer?.status === 'accepted') await this.#endings.supersede(transfer);
    await this.#kept(transfer);
    return startedTransfer(transfer);
  }

  #startedBy(commandId: string): StartedTransfer | null {
    const transfer = this.#transfers.begunBy(commandId);
    return transfer === undefined ? null : startedTransfer(transfer);
  }

  #originOf({ commandId, user, correlationId }: CommandStamp): TransferOrigin {
    const { link, now } = this.#context;
    const startedAtMs = this.#transfers.nextStartMs(now());
    const origin = { commandId, logId: link.logId(), user: user ?? link.user() ?? '', startedAtMs };
    return correlationId === undefined ? origin : { ...origin, correlationId };
  }

  #addUpload(record: UploadRecord): UploadTransfer {
    const transfer = new UploadTransfer(record, this.#context);
    this.#transfers.add(transfer);
    this.#limits.followGroups();
    return transfer;
  }

  #addDownload(record: DownloadRecord): DownloadTransfer {
    const transfer = new DownloadTransfer(record, this.#context);
    this.#transfers.add(transfer);
    this.#limits.followGroups();
    return transfer;
  }

  async #with(
    transferId: string,
    act: (transfer: Transfer) => Refused | undefined | void | Promise<Refused | undefined | void>,
  ): Promise<TransferView | Refused> {
    const transfer = this.#transfers.get(transferId);
    if (transfer === undefined) return { status: 'failed', code: 'transfer_not_found' };
    const refused = await act(transfer);
    await this.#kept(transfer);
    return refused ?? transfer.view();
  }

  /** Resolves when a transfer is on disk as it is now: what is answered holds, even if the process is killed right after. */
  async #kept(transfer: Transfer): Promise<void> {
    const { record } = transfer;
    // One that was removed meanwhile must not come back.
    if (this.#transfers.has(transfer)) await this.#context.store.save(record);
  }

  async #forget({ record, contentId }: Transfer): Promise<void> {
    const { transferId } = record;
    this.#transfers.delete(transferId);
    this.#told.delete(transferId);
    this.#announcing.look();
    await this.#context.store.remove(transferId);
    if (record.direction === 'download' && record.temporary === true)
      await this.#context.store.removeStreamFolder(record.path);
    if (contentId !== null && !this.#transfers.isNeeded(contentId)) await this.#context.store.removeManifest(contentId);
    this.#changes.wake();
  }

  #changed(record: TransferRecord): void {
    const transfer = this.#transfers.get(record.transferId);
    if (transfer === undefined) return;
    noteReason(record, transfer.view().verifiedBytes, this.#context.now());
    void this.#context.store.save(record);
    this.#progress.touch(record.transferId);
    this.#limits.followGroups();
    this.#announcing.look();
    this.#changes.wake();
    this.#care.transferChanged();
    this.#streams.look();
    const transferNow = transfer.view();
    const { state, reason, sha1, sha1Matches, recheck, only, priorities } = transferNow;
    const wanted = [only, priorities];
    const told = JSON.stringify([state, reason?.detail, sha1, record.share?.shareId, sha1Matches, recheck, wanted]);
    if (this.#told.get(record.transferId) === told) return;
    this.#told.set(record.transferId, told);
    void this.#endings.endReplaced(transfer);
    this.#emit({ type: 'transfer_changed', transfer: transferNow });
  }

  #emit(event: TransferEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
