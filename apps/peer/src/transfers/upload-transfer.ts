// Owns one upload: hash what is on disk, write it into the log, serve it. The log decides whether it is shared; until then
// nothing is served, and after a refusal nothing ever is.
import { setTimeout as sleep } from 'node:timers/promises';
import { manifestGeometry } from '#domain/manifest';
import type { TransferReasonView, TransferState, TransferView } from '#wire/control-api';
import type { Refused } from '#wire/tracker-api';
import { type Digested, type ReadableCopy, TransferFailure } from '../swarm/transfer-engine.ts';
import type { CommandAnswer } from '../tracker-link/tracker-link.ts';
import { CopyRecheck, type RecheckedCopy, type RecheckOptions, type WholeCopy } from './copy-recheck.ts';
import { HashingProgress } from './hashing-progress.ts';
import { invalidField } from './requested-paths.ts';
import { CopyServing, singleFileSha1 } from './share-serving.ts';
import { RETRY_MS, type TransferContext } from './transfer-context.ts';
import type { PlaceTaker } from './transfer-places.ts';
import {
  isAboutCopy,
  NO_ROOM,
  reasonOfRefusal,
  reasonText,
  SOURCE_CHANGED,
  SOURCE_MISSING,
  TRACKERS_UNREACHABLE,
  UNSHAREABLE,
} from './transfer-reasons.ts';
import { noteWhole, shareRef, transferView, type UploadRecord, wholeBitfield } from './transfer-record.ts';

const RUNNING_STATES: ReadonlySet<TransferState> = new Set(['queued', 'hashing', 'stalled', 'seeding']);
/** States in which its command is still to be sent. */
const UNDECIDED_STATES: ReadonlySet<TransferState> = new Set(['queued', 'hashing', 'stalled']);
/** States in which it has a place among the active transfers, or waits for one. */
const PLACED_STATES: ReadonlySet<TransferState> = new Set(['queued', 'hashing']);

export class UploadTransfer implements PlaceTaker {
  readonly record: UploadRecord;
  readonly #context: TransferContext;
  readonly #serving: CopyServing;
  readonly #recheck: CopyRecheck;
  readonly #hashing: HashingProgress;
  readonly #decision = Promise.withResolvers<CommandAnswer>();
  /** What is under way, from the hashing until it is served; null while nothing is. */
  #work: AbortController | null = null;
  #digestedId: string | null = null;
  /** Somebody waits for the first answer of the trackers, and is told of a failure; otherwise it is retried here. */
  #isAwaited = false;
  /** Called when its place in the queue has come to the front. */
  #entered: () => void = () => {};

  constructor(record: UploadRecord, context: TransferContext) {
    this.record = record;
    this.#context = context;
    this.#serving = new CopyServing(context);
    this.#recheck = new CopyRecheck(context);
    this.#hashing = new HashingProgress(context.now);
  }

  /** What the log, or a failure on the way there, said to the command. */
  get decision(): Promise<CommandAnswer> {
    return this.#decision.promise;
  }

  /** Whose manifest it needs; null while it is being hashed. */
  get contentId(): string | null {
    return this.record.share?.contentId ?? this.#digestedId;
  }

  get isUndecided(): boolean {
    return this.record.offset === null && UNDECIDED_STATES.has(this.record.state);
  }

  /** Where its content can be read, as long as it is what was shared; null when it cannot. */
  get reading(): ReadableCopy | null {
    const { share, reason, path } = this.record;
    return share !== null && reason === null ? { roots: [path], identity: null, verified: null } : null;
  }

  /** Of its content, or null when that is lost. */
  async manifest(): Promise<Uint8Array | null> {
    return this.contentId === null ? null : this.#context.store.readManifest(this.contentId);
  }

  /** Whether waiting for it is over. */
  get end(): 'complete' | 'failed' | null {
    const { state } = this.record;
    if (state === 'seeding' || state === 'complete') return 'complete';
    return state === 'failed' || state === 'cancelled' ? 'failed' : null;
  }

  /** Whether there is a copy to recheck. */
  get isRecheckable(): boolean {
    return this.record.share !== null && this.record.state !== 'hashing';
  }

  /** Runs while whoever began it waits for the decision. */
  runAwaited(): void {
    this.#isAwaited = true;
    void this.run();
  }

  /** Whoever began it has gone on: from now on it looks after itself. */
  detach(): void {
    this.#isAwaited = false;
  }

  view(): TransferView {
    const { state, share } = this.record;
    const hashed = this.#hashing.view();
    const progress = {
      totalBytes: share?.totalBytes ?? hashed.totalBytes,
      wantedBytes: share?.totalBytes ?? hashed.totalBytes,
      verifiedBytes: share?.totalBytes ?? hashed.verifiedBytes,
      reusedBytes: 0,
      bytesPerSecond: state === 'hashing' ? hashed.bytesPerSecond : 0,
      etaSeconds: state === 'hashing' ? hashed.etaSeconds : null,
      bitfield: wholeBitfield(share?.pieceCount ?? 0),
      peers: [],
      completeCopies: this.#context.counts.of(this.record),
    };
    return transferView(this.record, progress, this.#recheck.view());
  }

  /** Hashes and publishes, or serves what is published already. */
  async run(): Promise<void> {
    if (this.#work !== null) return;
    const work = new AbortController();
    this.#work = work;
    try {
      if (this.record.share === null) await this.#publish(await this.#digest(work.signal), work.signal);
      else await this.#serve(work.signal);
    } catch (error) {
      this.#brokeOff(error, work.signal);
    } finally {
      if (this.#work === work) this.#work = null;
    }
  }

  /** Everything of it is here. */
  prioritize(): Refused {
    return invalidField('id', 'must be that of a download');
  }

  async resume(): Promise<void> {
    const { state } = this.record;
    if (state === 'seeding' || PLACED_STATES.has(state)) return;
    await this.run();
  }

  pause(reason: TransferReasonView | null): void {
    void this.#recheck.callOff();
    if (this.#work === null && !RUNNING_STATES.has(this.record.state)) return;
    this.#stop();
    this.#become('paused', reason);
  }

  /** Ends it, or only the recheck of it that runs. */
  async cancel(): Promise<void> {
    if (this.#recheck.isRunning) return this.#recheck.callOff();
    this.#stop();
    this.#become('cancelled', null);
  }

  /** It is to be forgotten; what is shared stays on disk. */
  async dispose(): Promise<void> {
    this.#stop();
    this.#context.places.leave(this);
    await this.#recheck.callOff();
  }

  get isRechecking(): boolean {
    return this.#recheck.isRunning;
  }

  /** Resolves when a recheck that was called off is over; null when none is on its way there. */
  get recheckCalledOff(): Promise<boolean> | null {
    return this.#recheck.calledOff;
  }

  /** Checks the copy on disk, and repairs it from others. False when it was called off. */
  recheck(options: RecheckOptions): Promise<boolean> {
    const { state, reason } = this.record;
    const isServed = state === 'seeding' || (state === 'failed' && isAboutCopy(reason));
    const copy: RecheckedCopy = {
      record: this.record,
      isPrivate: !isServed,
      damaged: (found) => this.#damaged(found),
      whole: (found) => this.#whole(found, isServed),
    };
    return this.#recheck.run(copy, options);
  }

  /** What is served is not what it was; the engine has stopped serving it. */
  sourceProblem(reason: TransferReasonView): void {
    this.#abortWork();
    this.#become('failed', reason);
  }

  enter(): void {
    this.#entered();
  }

  /** Half of a file hashed is nothing: it goes on. */
  stepBack(): boolean {
    return false;
  }

  /** Whether others are to know that a part of it is here: while a recheck fetches the rest. */
  get isAnnounced(): boolean {
    return this.#recheck.isOffering;
  }

  /** Whether the log sends others here for it, also while it is paused. */
  get isOffered(): boolean {
    return this.record.share !== null && this.record.state !== 'complete';
  }

  /** Whether all of its content is at its path. */
  get isInPlace(): boolean {
    return this.record.state === 'seeding';
  }

  /** The share is not this peer's to serve any more. */
  stopServing(reason: TransferReasonView | null): void {
    if (this.record.share === null) return;
    this.#stop();
    this.#become('complete', reason);
  }

  fail(reason: TransferReasonView): void {
    this.#stop();
    this.#become('failed', reason);
  }

  /** Ends what runs, without a change of state: the process ends, and goes on with it at the next start. */
  async halt(): Promise<void> {
    this.#abortWork();
    await this.#recheck.callOff();
  }

  #abortWork(): void {
    this.#work?.abort();
    this.#work = null;
  }

  #damaged(reason: TransferReasonView): void {
    this.#abortWork();
    this.#context.engine.withdraw(shareRef(this.record.share!));
    const { state } = this.record;
    this.#become(state === 'seeding' ? 'failed' : state, reason);
  }

  async #whole({ stamp, sha1Matches }: WholeCopy, isServed: boolean): Promise<void> {
    noteWhole(this.record, stamp);
    if (sha1Matches !== null) this.record.sha1Matches = sha1Matches;
    const { state, reason } = this.record;
    if (!isServed) return this.#become(state, isAboutCopy(reason) ? null : reason);
    this.#abortWork();
    await this.run();
  }

  async #waitForPlace(signal: AbortSignal): Promise<void> {
    if (this.#context.places.take(this)) return;
    const turn = Promise.withResolvers<void>();
    this.#entered = turn.resolve;
    signal.addEventListener('abort', () => turn.reject(signal.reason as Error), { once: true });
    this.#become('queued', null);
    await turn.promise;
  }

  /** Null when that is the end of it. */
  async #digest(signal: AbortSignal): Promise<Digested | null> {
    await this.#waitForPlace(signal);
    const { path, hash, pieceBytes, expectedContentId, exclude = [] } = this.record;
    const likelyContentId = expectedContentId ?? this.record.likelyContentId ?? null;
    this.#hashing.begin();
    this.#become('hashing', null);
    const digested = await this.#context.engine.digest({
      ...{ path, hash, signal, likelyContentId, exclude },
      ...(pieceBytes !== null && { pieceBytes }),
      onProgress: this.#hashing.follow,
    });
    const { contentId, manifestBytes, stamp } = digested;
    if (expectedContentId !== null && contentId !== expectedContentId) return this.#refuseOtherContent();
    this.#digestedId = contentId;
    const isKept = await this.#context.store.saveManifest(contentId, manifestBytes);
    signal.throwIfAborted();
    if (!isKept) return this.#refuseWithoutRoom();
    this.record.stamp = stamp;
    this.record.sha1 = singleFileSha1(manifestBytes);
    this.record.sha1Matches = true;
    this.#context.places.leave(this);
    return digested;
  }

  async #publish(digested: Digested | null, signal: AbortSignal): Promise<void> {
    if (digested === null) return;
    const { contentId, manifest } = digested;
    const { command, group, file, hash, commandId, correlationId, user, replaces, version } = this.record;
    const content = { group, file, contentId };
    const seeded = { ...content, ...(version !== undefined && { version }) };
    const geometry = manifestGeometry(manifest);
    const published = { ...content, ...geometry, hash, ...(replaces !== undefined && { replaces }) };
    for (;;) {
      const answer = await this.#context.link.command(command, command === 'seed_file' ? seeded : published, {
        ...{ commandId, correlationId, user },
      });
      if (answer.status === 'accepted') {
        this.record.offset = answer.offset;
        this.record.share = answer.result.share ?? null;
        this.record.completedAtMs = this.#context.now();
      }
      signal.throwIfAborted();
      if (answer.status === 'accepted') {
        // Its group is known from here on, and with it the group's limits.
        this.#context.changed(this.record);
        await this.#serve(signal);
        return this.#decision.resolve(answer);
      }
      if (answer.status === 'rejected' || this.#isAwaited) return this.#refused(answer);
      this.#become('stalled', TRACKERS_UNREACHABLE);
      await sleep(RETRY_MS, undefined, { signal });
    }
  }

  #refused(answer: Refused): void {
    this.#become('failed', reasonOfRefusal(answer));
    this.#decision.resolve(answer);
  }

  #refuseOtherContent(): null {
    this.#become('failed', SOURCE_CHANGED);
    this.#decision.resolve(wrongPath('does not hold the content of this file of the group'));
    return null;
  }

  #refuseWithoutRoom(): null {
    this.#become('failed', NO_ROOM);
    this.#decision.resolve({ status: 'failed', code: 'transfer_failed', detail: reasonText(NO_ROOM) });
    return null;
  }

  #brokeOff(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) {
      this.#decision.resolve({ status: 'failed', code: 'transfer_failed', detail: 'The upload was ended meanwhile.' });
      return;
    }
    if (!(error instanceof TransferFailure)) throw error;
    this.#become('failed', reasonOfSource(error));
    // What was named itself was readable when it was asked for.
    const isInside = error.code === 'source_unreadable' && !error.message.startsWith(`${this.record.path} `);
    const hint = isInside ? ': make it readable for the user that the peer runs as, or leave it out with exclude' : '';
    this.#decision.resolve(wrongPath(`cannot be shared: ${error.message}${hint}`));
  }

  async #serve(signal: AbortSignal): Promise<void> {
    await this.#recheck.calledOff;
    const { share, path, stamp, exclude = [] } = this.record;
    const served = await this.#serving.serve({ share: share!, path, stamp, exclude }, signal);
    if (served === null) return;
    if (!served.ok) return this.#become('failed', served.reason);
    noteWhole(this.record, served.stamp);
    this.#become('seeding', null);
  }

  /** Ends what runs, and that it is served. */
  #stop(): void {
    void this.halt();
    if (this.record.share !== null) this.#context.engine.withdraw(shareRef(this.record.share));
  }

  #become(state: TransferState, reason: TransferReasonView | null): void {
    this.record.state = state;
    this.record.reason = reason;
    this.#context.changed(this.record);
    if (!PLACED_STATES.has(state)) this.#context.places.leave(this);
  }
}

const UNSHAREABLE_CODES: ReadonlySet<TransferFailure['code']> = new Set([
  'source_unsupported',
  'source_unreadable',
  'manifest_refused',
]);

function reasonOfSource({ code, message: detail }: TransferFailure): TransferReasonView {
  if (UNSHAREABLE_CODES.has(code)) return { ...UNSHAREABLE, detail };
  return { ...(code === 'source_missing' ? SOURCE_MISSING : SOURCE_CHANGED), detail };
}

function wrongPath(message: string): Refused {
  return { status: 'failed', code: 'invalid_request', errors: [{ field: 'path', message }] };
}
