// Owns one download: permission and sources from the trackers, bytes through the engine, and at the end the record that
// this peer has it too. What stands in its way for a while is waited out; what does not pass ends it with a reason.
import type { SharedContent } from '#domain/outcome';
import type { TransferReasonView, TransferState, TransferView } from '#wire/control-api';
import type { Refused } from '#wire/tracker-api';
import type { Download, LocalCopies, ReadableCopy } from '../swarm/transfer-engine.ts';
import { CopyRecheck, type RecheckedCopy, type RecheckOptions } from './copy-recheck.ts';
import { noteSha1, recordCopy } from './copy-recording.ts';
import { downloadProgress, keepPrivacy, keepProgress, notePieces, readingOf } from './download-progress.ts';
import { DownloadSelection } from './download-selection.ts';
import { invalidField } from './requested-paths.ts';
import { CopyServing, serveRest, singleFileSha1 } from './share-serving.ts';
import { type FetchPermission, renewedPermission } from './share-sources.ts';
import { SourceRefreshing } from './source-refreshing.ts';
import type { TransferContext } from './transfer-context.ts';
import type { PlaceTaker } from './transfer-places.ts';
import { BEGUN_ANEW_MAX, isAboutCopy, reasonOfRefusal, reasonView, restReason } from './transfer-reasons.ts';
import {
  type DownloadRecord,
  endOf,
  goesOnNow,
  isPrivate,
  isResting,
  isServedPart,
  notePart,
  noteWhole,
  shareRef,
  transferView,
} from './transfer-record.ts';
import type { SelectionChange } from './wanted-files.ts';

export class DownloadTransfer implements PlaceTaker {
  readonly record: DownloadRecord;
  readonly #context: TransferContext;
  readonly #serving: CopyServing;
  readonly #recheck: CopyRecheck;
  #download: Download | null = null;
  /** The engine lets go of an earlier download: until then its place on disk is not free. */
  #letGo: Promise<void> = Promise.resolve();
  /** Aborted when what is under way is of no interest any more: an answer, a copy that is read, the record of it. */
  #work = new AbortController();
  #grantExpiresAtMs = 0;
  #begunAnewCount = 0;
  readonly #refreshing: SourceRefreshing;
  #hasManifest = false;
  /** Whether its manifest has come to the disk. */
  #isManifestKept = Promise.resolve(false);
  readonly selection: DownloadSelection;
  #resting: ReadableCopy | null = null;

  constructor(record: DownloadRecord, context: TransferContext) {
    this.record = record;
    this.#context = context;
    this.#serving = new CopyServing(context);
    this.#recheck = new CopyRecheck(context);
    this.#refreshing = new SourceRefreshing({
      ask: (signal) => this.#refresh(signal),
      signal: () => this.#work.signal,
      state: () => this.record.state,
      isRunning: () => this.isRunning,
      isWaiting: () => context.places.isWaiting(this),
    });
    this.selection = new DownloadSelection(record, {
      cannotBe: (reason) => this.fail(reason),
      download: () => this.#download,
    });
  }

  get contentId(): string {
    return this.#share.contentId;
  }

  /** Whether it goes on by itself, with or without bytes that move. */
  get isRunning(): boolean {
    return goesOnNow(this.record);
  }

  /** Whether there is a copy to recheck. */
  get isRecheckable(): boolean {
    return this.record.state === 'complete' && !isResting(this.record);
  }

  /** Whether the copy is being fetched. */
  get isActive(): boolean {
    return this.#download !== null && this.isRunning;
  }

  /** Where its content can be read as far as it is there; `soon` while that is not known yet, null when it never will be. */
  get reading(): ReadableCopy | 'soon' | null {
    return readingOf(this.record, { download: this.#download, resting: this.#resting });
  }

  /** Of its content, or null while it is not there. */
  async manifest(): Promise<Uint8Array | null> {
    const { store } = this.#context;
    return this.#download?.manifestBytes() ?? (this.isRunning ? null : store.readManifest(this.contentId));
  }

  /** One that was there for readers alone is like any other from now on. */
  keep(): void {
    if (this.record.temporary !== true) return;
    delete this.record.temporary;
    this.record.isRecorded = isPrivate(this.record);
    this.selection.wantAll();
    this.#context.changed(this.record);
    if (this.record.state === 'complete') void this.run();
  }

  /** Whether others are to know that a part of it is here. */
  get isAnnounced(): boolean {
    if (isServedPart(this.record)) return this.record.reason === null;
    return (this.isActive && !isPrivate(this.record)) || this.#recheck.isOffering;
  }

  /** Whether waiting for it is over. */
  get end(): 'complete' | 'failed' | null {
    return endOf(this.record);
  }

  view(): TransferView {
    const progress = downloadProgress(this.record, this.#download?.view() ?? null, this.isActive);
    const completeCopies = this.#context.counts.of(this.record);
    return transferView(this.record, { ...progress, completeCopies }, this.#recheck.view());
  }

  /** Begins or goes on; what is finished is served. */
  async run(): Promise<void> {
    if (this.record.state === 'complete') {
      this.#callOff();
      if (this.record.isServed) await this.#serveAgain();
      return;
    }
    if (this.#download !== null && this.isRunning) return this.refresh();
    this.#become('queued', null);
    if (this.#context.places.take(this)) await this.#goOn();
  }

  /** Its place in the queue has come to the front. */
  enter(): void {
    void this.#goOn();
  }

  /** Goes back to the queue; what came so far stays. */
  stepBack(): boolean {
    this.#download?.pause();
    this.#become('queued', null);
    return true;
  }

  async resume(): Promise<void> {
    if (this.isRunning) return;
    this.#begunAnewCount = 0;
    if (isResting(this.record) && this.record.reason !== null) this.#wakeUp();
    await this.run();
  }

  /** Changes what is wanted of it, and fetches what is not there yet, for nobody but its user; or what cannot be. */
  async prioritize(change: SelectionChange): Promise<Refused | undefined> {
    const { store, link } = this.#context;
    if (isResting(this.record) && link.user() !== this.record.user) return { status: 'failed', code: 'not_logged_in' };
    const kept = await store.readManifest(this.contentId);
    const manifestBytes = this.#download?.manifestBytes() ?? kept;
    const changed = this.selection.change(change, manifestBytes);
    if (changed !== null && 'field' in changed) return invalidField(changed.field, changed.message);
    this.#context.changed(this.record);
    if (changed !== null && (this.#download?.manifestBytes() ?? null) !== null) this.#download?.prioritize(changed);
    else if (isResting(this.record)) {
      this.#wakeUp();
      void this.run();
    }
    return undefined;
  }

  #wakeUp(): void {
    this.#callOff();
    this.#withdraw();
    this.record.state = 'queued';
  }

  /** Asks the trackers who has it, and for a fresh grant. */
  refresh(): Promise<void> {
    return this.#refreshing.now();
  }

  pause(reason: TransferReasonView | null): void {
    this.#callOff();
    void this.#recheck.callOff();
    if (this.record.state === 'complete') return this.#withdraw();
    if (this.isRunning) this.#become('paused', reason);
    this.#download?.pause();
    // Without a session nothing is served either, and what was learned of others has to be asked for anew.
    if (reason !== null) void this.#drop();
  }

  /** Ends it; what came so far stays on disk. A finished one stays as it is, only the recheck of it ends. */
  async cancel(): Promise<void> {
    if (this.record.state === 'complete') return this.#recheck.callOff();
    this.#become('cancelled', null);
    await this.#drop();
  }

  /** It is to be forgotten, with what it wrote or without. Throws TransferFailure when that cannot be removed. */
  async dispose({ keepData }: { readonly keepData: boolean }): Promise<void> {
    const download = this.#download;
    const wasComplete = this.record.state === 'complete';
    await this.#recheck.callOff();
    if (wasComplete) this.#withdraw();
    else this.#become('cancelled', null);
    await this.#drop();
    if (keepData) return;
    // What is at the destination of one that is not finished was there before.
    const hasPlaced = wasComplete || this.record.isPartial === true;
    const isFinished = hasPlaced || download?.view().state === 'complete';
    await this.#context.engine.removeData({ destination: this.record.path, isFinished });
  }

  /** The finished copy is not this peer's to serve any more. */
  stopServing(reason: TransferReasonView | null): void {
    if (this.record.state !== 'complete') return;
    this.#callOff();
    void this.#recheck.callOff();
    this.#withdraw();
    this.record.isServed = false;
    this.record.isRecorded = true;
    this.#become('complete', reason);
  }

  fail(reason: TransferReasonView): void {
    if (this.record.state === 'complete') return this.stopServing(reason);
    this.#become('failed', reason);
    void this.#drop();
  }

  /** The served copy on disk is not what it was; the engine has stopped serving it. */
  sourceProblem(reason: TransferReasonView): void {
    if (isResting(this.record)) this.#become('complete', restReason(reason.code, reason.detail));
    else if (this.record.state === 'complete') this.#become('complete', reason);
  }

  /** Ends what runs, without a change of state: the process ends, and goes on with it at the next start. */
  async halt(): Promise<void> {
    await Promise.all([this.#drop(), this.#recheck.callOff()]);
  }

  get isRechecking(): boolean {
    return this.#recheck.isRunning;
  }

  /** Resolves when a recheck that was called off is over; null when none is on its way there. */
  get recheckCalledOff(): Promise<boolean> | null {
    return this.#recheck.calledOff;
  }

  /** Checks the finished copy on disk, and repairs it from others. False when it was called off. */
  recheck(options: RecheckOptions): Promise<boolean> {
    const { isServed } = this.record;
    const copy: RecheckedCopy = {
      record: this.record,
      isPrivate: !isServed,
      damaged: (reason) => {
        this.#callOff();
        this.#withdraw();
        this.#become('complete', reason);
      },
      whole: async ({ stamp, sha1Matches }) => {
        this.#callOff();
        noteWhole(this.record, stamp);
        if (sha1Matches !== null) this.record.sha1Matches = sha1Matches;
        if (isServed) await this.#serveAgain();
        else if (isAboutCopy(this.record.reason)) this.#become('complete', null);
      },
    };
    return this.#recheck.run(copy, options);
  }

  /** Whether the log sends others here for the finished copy. */
  get isOffered(): boolean {
    const { state, isServed, temporary } = this.record;
    return state === 'complete' && isServed && temporary !== true && !isResting(this.record);
  }

  /** Whether all of its content is at its path, for others or for this disk alone. */
  get isInPlace(): boolean {
    const isKept = this.record.state === 'complete' && isPrivate(this.record) && !isResting(this.record);
    return (this.isOffered || isKept) && this.record.reason === null;
  }

  async #goOn(): Promise<void> {
    this.#download?.resume();
    await this.refresh();
  }

  get #share(): SharedContent {
    return this.record.share!;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const permission = await renewedPermission(this.#context, this.record, this.#grantExpiresAtMs);
    await this.#letGo;
    if (signal.aborted || permission === null) return;
    if ('code' in permission) return this.#refused(permission);
    this.#grantExpiresAtMs = permission.grantExpiresAtMs;
    if (this.#download !== null) return this.#update(this.#download, permission);
    // Only now that it may be had: nothing tells before what this peer has.
    const reuse = await this.#context.copies.of(this.record);
    if (signal.aborted) return;
    if (this.#context.places.take(this)) await this.#start(permission, reuse, signal);
    else this.#become('queued', null);
  }

  #update(download: Download, { grant, sources }: FetchPermission): void {
    download.updateGrant(grant);
    download.updateSources(sources);
    const { state, reason } = download.view();
    const isBack = this.record.reason?.code === 'trackers_unreachable' || this.record.state === 'queued';
    if (isBack && (state === 'downloading' || state === 'stalled')) this.#become(state, reason);
  }

  #refused(reason: TransferReasonView): void {
    // Refused before the user logged in again: it is asked anew.
    const isLoggedIn = this.#context.link.user() === this.record.user;
    if (reason.code === 'logged_out') return isLoggedIn ? undefined : this.pause(reason);
    if (reason.code !== 'trackers_unreachable') return this.fail(reason);
    // What runs goes on while its grant lasts.
    const isStill = this.#download === null || this.#download.view().state === 'stalled';
    if (isStill && this.record.reason?.code !== reason.code) this.#become('stalled', reason);
  }

  async #start({ grant, sources }: FetchPermission, reuse: LocalCopies, signal: AbortSignal): Promise<void> {
    const { path, strategy, overwrite, selection, isPrivate: wasPrivate = false } = this.record;
    if (reuse.elsewhere.length > 0 && !wasPrivate) {
      // Before anything is taken: whatever happens then, nobody is served what came of another group's copy.
      this.record.isPrivate = true;
      await this.#context.store.save(this.record);
      if (signal.aborted) return void delete this.record.isPrivate;
    }
    const { contentId, totalBytes, pieceBytes, pieceCount } = this.#share;
    const download = this.#context.engine.download({
      share: shareRef(this.#share),
      ...{ contentId, totalBytes, pieceBytes, pieceCount, strategy, overwrite, sources, grant },
      destination: path,
      ...{ reuse, isPrivate: wasPrivate, isForReaders: () => this.record.temporary === true },
      ...(selection !== undefined && { priorities: (manifest) => this.selection.priorities(manifest) }),
    });
    this.#download = download;
    this.selection.tellReaders(download);
    this.#hasManifest = false;
    const stop = download.onChange(() => this.#follow(download));
    void download.done.then(async (end) => {
      stop();
      if (this.#download !== download) return;
      if (end.state === 'complete') await this.#completed(download, end.stamp);
      else if (end.state === 'failed') await this.#failed(download, end.reason);
    });
    this.#follow(download);
  }

  /** Takes over what the engine says, while the transfer runs. */
  #follow(download: Download): void {
    if (this.#download !== download || !this.isRunning) return;
    this.#keepManifest(download);
    const { state, reason } = download.view();
    if (state !== 'downloading' && state !== 'stalled') return;
    // One that stood still had given its place away.
    if (state === 'downloading' && !this.#context.places.take(this)) return void this.stepBack();
    // Without trackers nobody can tell who is online.
    const isUnknown = reason?.code === 'no_seeder_online' && this.record.reason?.code === 'trackers_unreachable';
    if (state !== this.record.state || (reason?.detail !== this.record.reason?.detail && !isUnknown)) {
      this.#become(state, reason);
      this.#refreshing.later();
    }
  }

  #keepManifest(download: Download): void {
    const manifestBytes = this.#hasManifest ? null : download.manifestBytes();
    if (manifestBytes === null) return;
    this.#hasManifest = true;
    if (keepPrivacy(this.record, download.view())) this.#context.changed(this.record);
    this.record.sha1 = singleFileSha1(manifestBytes);
    this.#isManifestKept = this.#context.store.saveManifest(this.#share.contentId, manifestBytes);
    // What is wanted may have changed since the engine began.
    const priorities = this.selection.prioritiesIn(manifestBytes);
    if (priorities !== null) download.prioritize(priorities);
    this.#context.changed(this.record);
  }

  async #completed(download: Download, stamp: string | null): Promise<void> {
    const manifestBytes = download.manifestBytes();
    if (manifestBytes === null) throw new Error('a complete download has a manifest');
    if (!(await this.#isManifestKept)) await this.#context.store.saveManifest(this.#share.contentId, manifestBytes);
    if (this.#download !== download) return;
    // The engine goes on serving it by itself.
    keepProgress(this.record, download.view());
    this.#download = null;
    if (stamp !== null) return this.#finished(manifestBytes, stamp);
    this.#callOff();
    const copy = download.readable();
    notePart(this.record, this.#context.now());
    // While files were put in place more of them may have come to be wanted.
    if (this.selection.lacks(manifestBytes, copy?.placed?.files)) {
      this.#withdraw();
      return this.isRunning ? this.run() : this.#context.changed(this.record);
    }
    this.#resting = copy;
    this.#become('complete', null);
  }

  async #finished(manifestBytes: Uint8Array, stamp: string): Promise<void> {
    this.#callOff();
    this.record.sha1 = singleFileSha1(manifestBytes);
    noteWhole(this.record, stamp);
    this.record.completedAtMs = this.#context.now();
    this.record.isServed = !isPrivate(this.record);
    this.record.isRecorded ||= isPrivate(this.record);
    this.#become('complete', null);
    void noteSha1(this.#context, this.record, this.#work.signal);
    await this.#recordCopy(this.#work.signal);
  }

  async #failed(download: Download, reason: Awaited<Download['done']>['reason']): Promise<void> {
    keepProgress(this.record, download.view());
    this.#download = null;
    this.#callOff();
    if (reason?.goesOnAnew === true && this.#begunAnewCount++ < BEGUN_ANEW_MAX) return this.run();
    const { signal } = this.#work;
    const copy = { share: this.#share, path: this.record.path, isPrivate: isPrivate(this.record) };
    const found = reason?.code === 'destination_exists' ? await this.#serving.takePutInPlace(copy, signal) : null;
    if (found !== null && signal.aborted) this.#withdraw();
    else if (found !== null) await this.#finished(found.manifestBytes, found.stamp);
    else if (!signal.aborted) this.#become('failed', reason && reasonView(reason));
  }

  async #serveAgain(): Promise<void> {
    const { signal } = this.#work;
    if (isResting(this.record)) {
      const rest = await serveRest(this.#context, this.record, signal);
      if (signal.aborted) return;
      this.#resting = 'code' in rest ? null : rest;
      return this.#become('complete', 'code' in rest ? rest : null);
    }
    await this.#recheck.calledOff;
    const { path, stamp } = this.record;
    const served = await this.#serving.serve({ share: this.#share, path, stamp }, signal);
    if (served === null) return;
    if (!served.ok) return this.#become('complete', served.reason);
    noteWhole(this.record, served.stamp);
    this.#become('complete', null);
    void noteSha1(this.#context, this.record, signal);
    // Nobody waits for trackers that are away: the copy is served already.
    void this.#recordCopy(signal);
  }

  async #recordCopy(signal: AbortSignal): Promise<void> {
    if (this.record.isRecorded) return;
    const answer = await recordCopy(this.#context.link, this.record, signal);
    if (answer?.status === 'rejected') return this.stopServing(reasonOfRefusal(answer));
    if (answer === null) return;
    this.record.isRecorded = true;
    this.#become('complete', null);
  }

  /** Lets go of the engine's download; its data stays. */
  async #drop(): Promise<void> {
    this.#callOff();
    const download = this.#download;
    this.#download = null;
    if (download !== null) {
      keepProgress(this.record, download.view());
      this.#letGo = this.#cancelled(download);
    }
    await this.#letGo;
  }

  async #cancelled(download: Download): Promise<void> {
    await download.cancel();
    // It was being put in place, and is served.
    if (download.view().state === 'complete') this.#withdraw();
    this.#context.changed(this.record);
  }

  #withdraw(): void {
    this.#context.engine.withdraw(shareRef(this.#share));
  }

  #callOff(): void {
    this.#work.abort();
    this.#work = new AbortController();
    this.#refreshing.callOff();
  }

  #become(state: TransferState, reason: TransferReasonView | null): void {
    this.record.state = state;
    this.record.reason = reason;
    if (this.#download !== null) notePieces(this.record, this.#download.view());
    this.#context.changed(this.record);
    // Otherwise it has a place among the active transfers, or waits for one.
    if (state !== 'queued' && state !== 'downloading') this.#context.places.leave(this);
  }
}
