// Owns the recheck of one copy that this peer has: every piece on disk against what was shared, and what is damaged fetched
// again from others. From the moment damage is known the copy is not served as whole; it is known over restarts too. A repair
// that finds nobody to fetch from ends soon: the damage stays, and the next recheck tries again.
import { type DamageCount, damagedPieces, recheckVerdict, soundBytes } from '#domain/content-damage';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import type { SharedContent } from '#domain/outcome';
import type { RecheckView, TransferReasonView } from '#wire/control-api';
import { decodeManifest } from '#wire/manifest-codec';
import { type Download, type DownloadRequest, type Inspected, TransferFailure } from '../swarm/transfer-engine.ts';
import { HashingProgress } from './hashing-progress.ts';
import { manifestOf } from './share-serving.ts';
import { askPermission, type FetchPermission } from './share-sources.ts';
import type { TransferContext } from './transfer-context.ts';
import { damageReason, SOURCE_CHANGED } from './transfer-reasons.ts';
import { type LiveRecheck, shareRef, type TransferRecord } from './transfer-record.ts';

/** How long a repair waits for somebody from whom nothing comes. */
const PATIENCE_MS = 5_000;
/** How often sources and grant are asked for meanwhile. */
const REFRESH_MS = 10_000;
/** Files that a result names. */
const NAMED_FILES_MAX = 100;

const NOBODY_ELSE: TransferReasonView = {
  code: 'no_seeder_online',
  detail: 'No other peer that has it is online.',
  action: 'Recheck it when one is.',
};

/** What a copy needs that only has files too long, or empty ones that are gone. */
const NOTHING_TO_FETCH: FetchPermission = { grant: new Uint8Array(), grantExpiresAtMs: 0, sources: [] };

const NO_DAMAGE: DamageCount = { damagedPieces: 0, misfitFiles: 0, absentFiles: 0, treeDifferences: 0 };

/** What a recheck needs of the transfer whose copy it is. */
export interface RecheckedCopy {
  readonly record: TransferRecord;
  /** Nobody else may have anything of it. */
  readonly isPrivate: boolean;
  /** It is damaged, as far as is known now. */
  damaged(reason: TransferReasonView): void;
  /** It is whole. */
  whole(found: WholeCopy): Promise<void>;
}

/** A copy that is as it was shared; `sha1Matches` is null where that was not looked at. */
export interface WholeCopy {
  readonly stamp: string;
  readonly sha1Matches: boolean | null;
}

/** What a manifest is read into, and what was found on disk. */
interface Findings {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly found: Inspected;
  /** Absent when all were. */
  readonly checkedPieces?: number;
}

/** Damage that was found before: the copy is not read again for it. */
export type KnownDamage = Required<Findings>;

export interface RecheckOptions {
  readonly repair: boolean;
  readonly known?: KnownDamage;
}

export class CopyRecheck {
  readonly #context: TransferContext;
  readonly #hashing: HashingProgress;
  #running: Promise<boolean> | null = null;
  /** What was called off and is on its way to its end. */
  #calledOff: Promise<boolean> | null = null;
  #isRepairWanted = false;
  #work = new AbortController();
  #result: RecheckView | null = null;
  #download: Download | null = null;
  /** Nobody else gets anything of the copy. */
  #isPrivate = false;

  constructor(context: TransferContext) {
    this.#context = context;
    this.#hashing = new HashingProgress(context.now);
  }

  get isRunning(): boolean {
    return this.#running !== null && this.#running !== this.#calledOff;
  }

  /** Whether it fetches what is damaged, and others get the rest meanwhile. */
  get isOffering(): boolean {
    return this.#download !== null && !this.#isPrivate;
  }

  /** Resolves when one that was called off is over: until then a repair may still be put in place. Null when none is. */
  get calledOff(): Promise<boolean> | null {
    return this.#calledOff;
  }

  /** Checks, and repairs if this or one that it joins is told to. False when it was called off. */
  run(copy: RecheckedCopy, { repair, known }: RecheckOptions): Promise<boolean> {
    this.#isRepairWanted ||= repair;
    this.#running ??= this.#run(copy, this.#work.signal, known ?? null);
    return this.#running;
  }

  /** Ends what runs, without a result. Resolves when nothing is read or written any more. */
  async callOff(): Promise<void> {
    this.#work.abort();
    this.#work = new AbortController();
    this.#calledOff = this.#running;
    await this.#calledOff;
  }

  /** What is shown while it runs; null when none does. */
  view(): LiveRecheck | null {
    const recheck = this.#result;
    if (recheck === null) return null;
    const repairing = this.#download?.view() ?? null;
    if (repairing === null) {
      const { verifiedBytes, bytesPerSecond, etaSeconds } = this.#hashing.view();
      return { state: 'hashing', reason: null, recheck, verifiedBytes, bytesPerSecond, etaSeconds };
    }
    const { state, reason, verifiedBytes, bytesPerSecond, etaSeconds, bitfield, peers } = repairing;
    return {
      ...{ state: state === 'stalled' ? 'stalled' : 'downloading', reason, recheck },
      ...{ verifiedBytes, bytesPerSecond, etaSeconds, peers: [...peers] },
      bitfield: Buffer.from(bitfield).toString('base64'),
    };
  }

  async #run(copy: RecheckedCopy, signal: AbortSignal, known: KnownDamage | null): Promise<boolean> {
    const { record } = copy;
    this.#result = newResult(this.#context.now());
    this.#hashing.begin();
    this.#context.changed(record);
    try {
      await this.#check(copy, signal, known);
    } finally {
      this.#running = null;
      this.#calledOff = null;
      this.#isRepairWanted = false;
      this.#result = null;
      this.#download = null;
    }
    this.#context.changed(record);
    return !signal.aborted;
  }

  async #check(copy: RecheckedCopy, signal: AbortSignal, known: KnownDamage | null): Promise<void> {
    try {
      const findings = known ?? (await this.#look(copy.record, signal));
      if ('code' in findings) this.#cannotTell(copy, findings);
      else if (findings.found.complete) await this.#endSound(copy, findings, signal);
      else await this.#endDamaged(copy, findings, signal);
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error;
      if (!signal.aborted) this.#cannotTell(copy, { ...SOURCE_CHANGED, detail: `${error.message}.` });
    }
  }

  /** Reads the copy; a reason when its manifest was lost and cannot be made from it. */
  async #look(record: TransferRecord, signal: AbortSignal): Promise<Findings | TransferReasonView> {
    const { path } = record;
    const share = record.share as SharedContent;
    const exclude = record.direction === 'upload' ? (record.exclude ?? []) : [];
    const manifestBytes = await manifestOf(this.#context, { share, path, stamp: null, exclude }, signal);
    if ('code' in manifestBytes) return manifestBytes;
    const decoded = decodeManifest(manifestBytes);
    if (!decoded.ok) return SOURCE_CHANGED;
    const onProgress = this.#hashing.follow;
    const found = await this.#context.engine.inspect({ path, manifestBytes, signal, onProgress });
    if (signal.aborted) throw new TransferFailure('aborted', 'the recheck was called off');
    return { manifest: decoded.manifest, manifestBytes, found };
  }

  /** Nothing can be said of the pieces. */
  #cannotTell(copy: RecheckedCopy, reason: TransferReasonView): void {
    copy.damaged(reason);
    this.#end(copy, { verdict: 'incomplete' });
  }

  async #endSound(copy: RecheckedCopy, findings: Findings, signal: AbortSignal): Promise<void> {
    const { record } = copy;
    const { found } = findings;
    const sha1Mismatches = namesOf(found.sha1Mismatches, record);
    await dropRepair(this.#context, record);
    const tree = await this.#checkTree(copy, findings);
    if (signal.aborted) return;
    await copy.whole({ stamp: found.stamp, sha1Matches: sha1Mismatches.length === 0 });
    const facts = { ...countsOf(copy.record, findings), sha1Mismatches };
    this.#end(copy, { ...facts, ...tree.facts, verdict: recheckVerdict(...tree.counts) });
  }

  /** What a tree whose bytes are sound differs in beside them, before and after it was put right. */
  async #checkTree({ record }: RecheckedCopy, { manifestBytes }: Findings) {
    const restores = this.#isRepairWanted;
    const { differing, leftCount } = await this.#context.engine.checkTree({
      path: record.path,
      manifestBytes,
      restores,
    });
    const counts: [DamageCount, DamageCount] = [
      { ...NO_DAMAGE, treeDifferences: differing.length },
      { ...NO_DAMAGE, treeDifferences: leftCount },
    ];
    return { facts: { treeDifferences: namesOf(differing, record) }, counts };
  }

  async #endDamaged(copy: RecheckedCopy, findings: Findings, signal: AbortSignal): Promise<void> {
    const { record } = copy;
    const { manifest, found } = findings;
    const about = { manifest, path: record.path };
    this.#noteDamage(record, findings);
    copy.damaged(damageReason(found, about, null));
    const end = this.#isRepairWanted ? await this.#repair(copy, findings, signal) : null;
    if (signal.aborted) return;
    const facts = {
      ...countsOf(copy.record, findings),
      sha1Mismatches: namesOf(found.sha1Mismatches, record),
    };
    const before = damageOf(facts);
    if (end !== null && 'stamp' in end) {
      const tree = await this.#checkTree(copy, findings);
      if (signal.aborted) return;
      await copy.whole({ stamp: end.stamp, sha1Matches: null });
      const verdict = recheckVerdict(before, tree.counts[1]);
      return this.#end(copy, { ...facts, ...tree.facts, repairedPieces: before.damagedPieces, verdict });
    }
    copy.damaged(damageReason(found, about, end));
    this.#end(copy, { ...facts, verdict: recheckVerdict(before, before) });
  }

  #noteDamage(record: TransferRecord, findings: Findings): void {
    const { manifest, found } = findings;
    const bitfield = Buffer.from(found.bitfield).toString('base64');
    record.damage = { soundBytes: soundBytes(manifest, found.bitfield), bitfield };
    record.stamp = null;
    this.#result = { ...(this.#result as RecheckView), ...countsOf(record, findings) };
  }

  /** The stamp of the copy that is whole again, or why it is not. */
  async #repair(
    copy: RecheckedCopy,
    findings: Findings,
    signal: AbortSignal,
  ): Promise<{ readonly stamp: string } | TransferReasonView> {
    const isFetching = damagedPieces(findings.manifest, findings.found.bitfield).length > 0;
    const permission = isFetching ? await askPermission(this.#context, copy.record) : NOTHING_TO_FETCH;
    if ('code' in permission) return permission;
    if (signal.aborted || (isFetching && permission.sources.length === 0)) return NOBODY_ELSE;
    const download = this.#context.engine.download(requestOf(copy, findings, permission));
    this.#isPrivate = copy.isPrivate;
    return this.#follow(download, copy.record, signal);
  }

  async #follow(
    download: Download,
    record: TransferRecord,
    signal: AbortSignal,
  ): Promise<{ readonly stamp: string } | TransferReasonView> {
    this.#download = download;
    let stalledFor: TransferReasonView | null = null;
    let patience: NodeJS.Timeout | undefined;
    let shownState = '';
    const cancel = (): void => void download.cancel();
    const look = (): void => {
      const { state, reason } = download.view();
      if (state !== 'stalled') {
        clearTimeout(patience);
        patience = undefined;
      } else patience ??= setTimeout(cancel, PATIENCE_MS);
      stalledFor = reason ?? stalledFor;
      if (state !== shownState) this.#context.changed(record);
      shownState = state;
    };
    const stop = download.onChange(look);
    const refresh = setInterval(() => void this.#refresh(download, record), REFRESH_MS);
    signal.addEventListener('abort', cancel, { once: true });
    look();
    const { state, stamp, reason } = await download.done;
    stop();
    clearTimeout(patience);
    clearInterval(refresh);
    signal.removeEventListener('abort', cancel);
    // It was being put in place when it was called off, and is served.
    if (signal.aborted && state === 'complete') this.#context.engine.withdraw(shareRef(record.share as SharedContent));
    return state === 'complete' && stamp !== null ? { stamp } : (reason ?? stalledFor ?? NOBODY_ELSE);
  }

  /** Without an answer it goes on with what it has. */
  async #refresh(download: Download, record: TransferRecord): Promise<void> {
    const permission = await askPermission(this.#context, record);
    if ('code' in permission || this.#download !== download) return;
    download.updateGrant(permission.grant);
    download.updateSources(permission.sources);
  }

  #end({ record }: RecheckedCopy, facts: Partial<RecheckView> & Pick<RecheckView, 'verdict'>): void {
    const endedAt = new Date(this.#context.now()).toISOString();
    record.recheck = { ...(this.#result as RecheckView), ...facts, endedAt };
  }
}

/** What an interrupted repair left is of no use to a copy that is whole, or that is forgotten. */
export async function dropRepair(
  { engine }: Pick<TransferContext, 'engine'>,
  { path: destination, share }: TransferRecord,
): Promise<void> {
  const { contentId } = share as SharedContent;
  await engine.dropRepair({ destination, contentId }).catch((error: unknown) => {
    if (!(error instanceof TransferFailure)) throw error;
  });
}

function newResult(nowMs: number): RecheckView {
  return {
    ...{ startedAt: new Date(nowMs).toISOString(), endedAt: null, verdict: null },
    ...{ checkedPieces: 0, damagedPieces: 0, repairedPieces: 0 },
    ...{ absentFiles: [], misfitFiles: [], treeDifferences: [], sha1Mismatches: [] },
  };
}

function countsOf(record: TransferRecord, { manifest, found, checkedPieces }: Omit<Findings, 'manifestBytes'>) {
  return {
    checkedPieces: checkedPieces ?? manifestGeometry(manifest).pieceCount,
    damagedPieces: damagedPieces(manifest, found.bitfield).length,
    absentFiles: namesOf(found.absentFiles, record),
    misfitFiles: namesOf(found.misfitFiles, record),
  };
}

function damageOf(facts: Pick<RecheckView, 'damagedPieces' | 'absentFiles' | 'misfitFiles'>) {
  const { damagedPieces: count, absentFiles, misfitFiles } = facts;
  return { damagedPieces: count, absentFiles: absentFiles.length, misfitFiles: misfitFiles.length, treeDifferences: 0 };
}

/** The files' names within the share; the only file of one that is no folder has the share's name. */
function namesOf(paths: readonly string[], { file }: TransferRecord): string[] {
  return paths.slice(0, NAMED_FILES_MAX).map((path) => (path === '' ? file : path));
}

/** A copy that is gone is fetched like any download, and one that is damaged, or has nothing to fetch, where it is. */
function requestOf(
  { record, isPrivate }: RecheckedCopy,
  { manifest, manifestBytes, found }: Findings,
  { grant, sources }: FetchPermission,
): DownloadRequest {
  const isInPlace = found.isThere || damagedPieces(manifest, found.bitfield).length === 0;
  // What was shared may have been named by a link; a download never is one.
  const throughLink = record.direction === 'upload';
  const share = record.share as SharedContent;
  const { contentId, totalBytes, pieceBytes, pieceCount } = share;
  return {
    share: shareRef(share),
    ...{ contentId, totalBytes, pieceBytes, pieceCount, grant, sources, isPrivate },
    destination: record.path,
    strategy: record.direction === 'download' ? record.strategy : 'random',
    overwrite: false,
    ...(isInPlace && { repairs: { manifestBytes, found, throughLink } }),
  };
}
