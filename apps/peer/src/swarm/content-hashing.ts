// Owns hashing jobs on the main thread: which runs of pieces and files go to which worker, at most one per worker at a time so
// that each runs at a core's full speed, and what comes of them. It reads no file itself.
import { createHash } from 'node:crypto';
import { bitfieldBytes, countBits, hasBit, setBit } from '#domain/bitfield';
import { damagedFiles } from '#domain/content-damage';
import { digestBytesOf, inOrder, inVersion1, type Manifest, manifestGeometry, manifestVersion } from '#domain/manifest';
import { utf8Bytes } from '#domain/names';
import { choosePieceBytes, geometryOf, type PieceGeometry } from '#domain/piece-geometry';
import { MANIFEST_BYTES_MAX } from '#wire/limits';
import { decodeManifest, encodeManifest } from '#wire/manifest-codec';
import { openManifest } from '#wire/manifest-table';
import { isPlainPath, type PathClash, pathClash } from '#wire/path-clash';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import type { FileStamp } from '../storage/content-files.ts';
import { filesIn, type ListedFile, type PlacedApart, fileTable } from '../storage/content-layout.ts';
import type { ScrubTask } from '../storage/scrub-reading.ts';
import type { ScannedFile, ScannedSource } from '../storage/source-scan.ts';
import type { Outcome } from '../storage/storage-problem.ts';
import {
  type Digested,
  type DigestRequest,
  type HashProgress,
  type Inspected,
  TransferFailure,
  type Verified,
  type VerifyRequest,
} from './transfer-engine.ts';

const CLASH = 'are one name on disks that do not tell upper from lower case, or the forms of a character apart';
/** What a file takes in a manifest beside its path. */
const LISTED_FILE_BYTES = 30;
const FILES_AT_ONCE = 1000;
const TASK_BYTES = 32 * 1024 * 1024;
const PROGRESS_MS = 100;
const HASHED_CHARACTERS = 16 * 1024;

/** The value of an outcome; throws TransferFailure with the problem's code. */
export function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw new TransferFailure(outcome.problem.code, outcome.problem.detail);
}

/** The content id of a manifest's canonical bytes. */
export function contentIdOf(manifestBytes: Uint8Array): string {
  return createHash('sha256').update(manifestBytes).digest('hex');
}

/** One text that differs whenever any of the stamps does; null stands for a file that is not there. */
export function stampText(stamps: Iterable<FileStamp | null>): string {
  const hash = createHash('sha256');
  let lines = '';
  for (const stamp of stamps) {
    lines += stamp === null ? '\n' : `${stamp.bytes} ${stamp.modifiedMs} ${stamp.inode}\n`;
    // Each of many calls for one line would cost more than the hash of it.
    if (lines.length < HASHED_CHARACTERS) continue;
    hash.update(lines);
    lines = '';
  }
  return hash.update(lines).digest('hex');
}

/** The manifest of a share that is to be downloaded; what is wrong with it, or unlike the share, as the end of a sentence about it. */
export function acceptContent(
  manifestBytes: Uint8Array,
  share: Pick<PieceGeometry, 'totalBytes' | 'pieceBytes' | 'pieceCount'>,
): Manifest | string {
  const decoded = decodeManifest(manifestBytes);
  if (!decoded.ok) return `has a wrong field: ${decoded.field} ${decoded.message}`;
  const { manifest } = decoded;
  const geometry = manifestGeometry(manifest);
  const unlike = (['totalBytes', 'pieceBytes', 'pieceCount'] as const).find(
    (field) => geometry[field] !== share[field],
  );
  if (unlike !== undefined)
    return `has a wrong field: ${unlike} is ${geometry[unlike]}, and ${share[unlike]} in the share`;
  const clash = clashIn(manifest);
  return clash === null ? manifest : `has ${clash.path} and ${clash.other}, which ${CLASH}`;
}

function clashIn({
  files,
  emptyFolders = [],
}: Pick<Manifest, 'emptyFolders'> & { readonly files: readonly { readonly path: string }[] }): PathClash | null {
  // Seen in a tenth of the time that it takes to look at each folder.
  if (files.every(({ path }) => isPlainPath(path)) && emptyFolders.every(isPlainPath)) return null;
  return pathClash(inOrder(files, emptyFolders));
}

/** A manifest that came from outside. Throws TransferFailure manifest_refused. */
export function acceptManifest(manifestBytes: Uint8Array): Manifest {
  const decoded = decodeManifest(manifestBytes);
  if (decoded.ok) return decoded.manifest;
  throw new TransferFailure('manifest_refused', `the manifest's ${decoded.field} ${decoded.message}`);
}

/** The manifest that content gets: in version 1 when that is the content that is meant, otherwise with everything it has. */
function encodedAs(manifest: Manifest, likelyContentId: string | null): Omit<Digested, 'stamp'> {
  const whole = encodedOrRefused(manifest);
  if (manifest.version === 1 || likelyContentId === null || whole.contentId === likelyContentId) return whole;
  if (manifest.files.length === 0) return whole;
  const plain = encodedOrRefused(inVersion1(manifest));
  return plain.contentId === likelyContentId ? plain : whole;
}

function encodedOrRefused(manifest: Manifest): Omit<Digested, 'stamp'> {
  const encoded = encodeManifest(manifest);
  if (!encoded.ok) throw new TransferFailure('manifest_refused', `${encoded.field} ${encoded.message}`);
  return { contentId: contentIdOf(encoded.bytes), manifestBytes: encoded.bytes, manifest };
}

/** What is told to a worker at once, so that neither it nor a message gets long. */
function inParts<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  for (let from = 0; from < items.length; from += FILES_AT_ONCE) parts.push(items.slice(from, from + FILES_AT_ONCE));
  return parts;
}

/** Before anything is read: a tree that others could not have. */
function refuseTree({ root, files, emptyFolders }: ScannedSource & { readonly root: string }): void {
  const clash = clashIn({ files, emptyFolders });
  if (clash !== null) {
    const text = `${clash.path} and ${clash.other} in ${root} ${CLASH}: rename one, or leave it out with exclude`;
    throw new TransferFailure('source_unsupported', text);
  }
  const listBytes = files.reduce((sum, { path }) => sum + utf8Bytes(path) + LISTED_FILE_BYTES, 0);
  if (listBytes <= MANIFEST_BYTES_MAX) return;
  const most = `the list of files of ${root} is longer than ${MANIFEST_BYTES_MAX / 2 ** 20} MiB`;
  throw new TransferFailure('source_unsupported', `${most}: share parts of it, or leave some out with exclude`);
}

/** Content on disk, and which of its pieces are looked at; all of them when nothing is listed. */
interface ListedPieces {
  readonly root: string;
  readonly manifest: Manifest;
  readonly listed?: Uint8Array;
  readonly placed?: PlacedApart | null;
}

interface Job {
  readonly counters: BigInt64Array;
  /** Bytes of the content, and how often each of them is read. */
  readonly totalBytes: number;
  readonly readings: number;
}

type Work<Value> = () => Promise<Outcome<Value>>;

export class ContentHashing {
  readonly #pool: WorkerPool;
  readonly #slots: number;
  readonly #waiting: (() => void)[] = [];
  readonly #jobs = new Set<Job>();
  #running = 0;

  constructor(pool: WorkerPool, workers: number) {
    this.#pool = pool;
    this.#slots = workers;
  }

  /** Calls off whatever is being hashed. */
  close(): void {
    for (const job of this.#jobs) callOff(job);
  }

  /** See TransferEngine.digest. */
  async digest(request: DigestRequest): Promise<Digested> {
    const root = request.path;
    const { exclude = [] } = request;
    const { files, emptyFolders } = valueOf(await this.#pool.run('scanSource', { path: root, exclude }));
    refuseTree({ root, files, emptyFolders });
    const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const sizes = { totalBytes, pieceBytes: request.pieceBytes ?? choosePieceBytes(totalBytes) };
    const job = newJob(totalBytes, 2);
    const [sha1s, pieceDigests] = await this.#watch(job, request, () =>
      Promise.all([
        this.#hashWholeFiles(root, files, { job }),
        this.#hashPieces({ root, files, ...sizes, hash: request.hash }, job),
      ]),
    );
    for (const part of inParts(files)) valueOf(await this.#pool.run('checkUnchanged', { root, files: part }));
    const tree = {
      files: files.map(({ path, bytes, executable }, position) => ({
        ...{ path, bytes, sha1: sha1s[position] ?? '' },
        ...(executable && { executable }),
      })),
      ...(emptyFolders.length > 0 && { emptyFolders }),
    };
    const manifest = { version: manifestVersion(tree), ...sizes, hash: request.hash, ...tree, pieceDigests };
    const stamp = stampText(files.map((file) => file.stamp));
    return { ...encodedAs(manifest, request.likelyContentId ?? null), stamp };
  }

  /** See TransferEngine.verify. */
  async verify(request: VerifyRequest): Promise<Verified> {
    const root = request.path;
    const manifest = acceptManifest(request.manifestBytes);
    const before = await this.stampsOf(root, manifest.files);
    const job = newJob(manifest.totalBytes);
    return this.#watch(job, request, async () => {
      const bitfield = await this.#checkPieces({ root, manifest }, job);
      const hasLengths = before.every((stamp, position) => stamp.bytes === manifest.files[position]?.bytes);
      const complete = hasLengths && countBits(bitfield) === manifestGeometry(manifest).pieceCount;
      const after = await this.stampsOf(root, manifest.files);
      if (stampText(before) !== stampText(after)) {
        throw new TransferFailure('source_changed', `${root} was changed while it was read`);
      }
      return { bitfield, complete, stamp: stampText(after) };
    });
  }

  /** See TransferEngine.inspect. */
  async inspect(request: VerifyRequest): Promise<Inspected> {
    const root = request.path;
    const manifest = acceptManifest(request.manifestBytes);
    const before = valueOf(await this.#pool.run('findFiles', { root, files: manifest.files }));
    const job = newJob(manifest.totalBytes, 2);
    return this.#watch(job, request, async () => {
      const [sha1s, bitfield] = await Promise.all([
        this.#hashFound({ root, manifest, stamps: before.stamps }, job),
        this.#checkPieces({ root, manifest }, job),
      ]);
      const after = valueOf(await this.#pool.run('findFiles', { root, files: manifest.files }));
      if (stampText(before.stamps) !== stampText(after.stamps)) {
        throw new TransferFailure('source_changed', `${root} was changed while it was read`);
      }
      return { isThere: after.rootIsThere, ...findings(manifest, { bitfield, sha1s, stamps: after.stamps }) };
    });
  }

  /** See TransferEngine.checkSha1. Takes no turn: it goes on beside whatever is asked for, and gives way by itself. */
  async checkSha1(request: VerifyRequest): Promise<boolean> {
    const root = request.path;
    const { totalBytes, files: table } = openManifest(request.manifestBytes);
    const job = newJob(totalBytes);
    return this.#watch(job, request, async () => {
      for (let first = 0; first < table.count; first += FILES_AT_ONCE) {
        const positions = Array.from({ length: Math.min(FILES_AT_ONCE, table.count - first) }, (_, at) => first + at);
        const paths = positions.map((position) => ({ path: table.fileOf(position).path }));
        const stamps = await this.stampsOf(root, paths);
        const files = paths.map(({ path }, at) => ({ path, bytes: table.bytesOf(first + at), stamp: stamps[at]! }));
        const sha1s = valueOf(await this.#pool.run('hashWholeFilesQuietly', { root, files, job }).catch(workerDied));
        if (!positions.every((position, at) => table.sha1Of(position) === sha1s[at])) return false;
      }
      return true;
    });
  }

  /** The stamps of files below a root, in their order. Throws TransferFailure source_missing, source_unreadable. */
  async stampsOf(root: string, files: readonly { readonly path: string }[]): Promise<FileStamp[]> {
    const stamps: FileStamp[] = [];
    for (const part of inParts(files)) {
      const paths = part.map(({ path }) => ({ path }));
      for (const stamp of valueOf(await this.#pool.run('stampSource', { root, files: paths }))) stamps.push(stamp);
    }
    return stamps;
  }

  /** Digests of a run of pieces that is read slowly; zeros for one that cannot be read. Takes no turn: mostly it waits. */
  hashSlowly(run: Omit<ScrubTask, 'job'>, signal: AbortSignal): Promise<Uint8Array> {
    const job = newJob(run.totalBytes);
    return this.#watch(job, { signal }, async () =>
      valueOf(await this.#pool.run('scrubPieces', { ...run, job }).catch(workerDied)),
    );
  }

  /** SHA-1 of the files that are there with their lengths: empty for one that cannot be read, null for each other one. */
  async #hashFound(
    found: { readonly root: string; readonly manifest: Manifest; readonly stamps: readonly (FileStamp | null)[] },
    job: Job,
  ): Promise<(string | null)[]> {
    const { root, manifest, stamps } = found;
    const fitting = manifest.files.flatMap(({ path, bytes }, position) => {
      const stamp = stamps[position] ?? null;
      return stamp === null || stamp.bytes !== bytes ? [] : [{ position, file: { path, bytes, stamp } }];
    });
    const files = fitting.map(({ file }) => file);
    const digests = await this.#hashWholeFiles(root, files, { job, skipUnreadable: true });
    const sha1s: (string | null)[] = manifest.files.map(() => null);
    for (const [number, { position }] of fitting.entries()) sha1s[position] = digests[number] ?? null;
    return sha1s;
  }

  /** Which of the files that have a stamp are not, as a whole, what a manifest says. Throws TransferFailure aborted. */
  changedFiles(
    found: { readonly root: string; readonly manifest: Manifest; readonly stamps: readonly (FileStamp | null)[] },
    signal: AbortSignal,
  ): Promise<number[]> {
    const { manifest, stamps } = found;
    const job = newJob(manifest.totalBytes);
    return this.#watch(job, { signal }, async () => {
      const sha1s = await this.#hashFound(found, job);
      return [...stamps.keys()].filter((at) => stamps[at] !== null && sha1s[at] !== manifest.files[at]?.sha1);
    });
  }

  /** Which of the listed pieces on disk have the digests of a manifest. Throws TransferFailure aborted. */
  checkListed(pieces: ListedPieces & { readonly listed: Uint8Array }, signal: AbortSignal): Promise<Uint8Array> {
    const job = newJob(pieces.manifest.totalBytes);
    return this.#watch(job, { signal }, () => this.#checkPieces(pieces, job));
  }

  async #checkPieces({ root, manifest, listed, placed = null }: ListedPieces, job: Job): Promise<Uint8Array> {
    const { pieceCount } = manifestGeometry(manifest);
    const digestBytes = digestBytesOf(manifest.hash);
    const about = { root, placed, skipUnreadable: true, ...(listed && { listed }) };
    const digests = await this.#hashPieces({ ...manifest, ...about }, job);
    const bitfield = new Uint8Array(bitfieldBytes(pieceCount));
    for (let piece = 0; piece < pieceCount; piece++) {
      const [from, to] = [piece * digestBytes, (piece + 1) * digestBytes];
      const fits = Buffer.from(digests.subarray(from, to)).equals(manifest.pieceDigests.subarray(from, to));
      if (fits) setBit(bitfield, piece);
    }
    return bitfield;
  }

  async #hashPieces(
    content: {
      readonly root: string;
      readonly files: readonly ListedFile[];
      readonly totalBytes: number;
      readonly pieceBytes: number;
      readonly hash: Manifest['hash'];
      readonly listed?: Uint8Array;
      readonly placed?: PlacedApart | null;
      readonly skipUnreadable?: boolean;
    },
    job: Job,
  ): Promise<Uint8Array> {
    const { root, totalBytes, pieceBytes, hash, listed, placed = null, skipUnreadable = false } = content;
    const { pieceCount } = geometryOf(content);
    const table = fileTable({ begin: 0, files: content.files });
    const piecesPerTask = Math.max(1, Math.floor(TASK_BYTES / pieceBytes));
    const digests = new Uint8Array(pieceCount * digestBytesOf(hash));
    const works: Promise<void>[] = [];
    for (let firstPiece = 0; firstPiece < pieceCount; firstPiece += piecesPerTask) {
      const pieces = { firstPiece, pieceCount: Math.min(piecesPerTask, pieceCount - firstPiece) };
      const wanted = listed === undefined ? {} : { wanted: wantedOf(listed, pieces) };
      const bytes = { begin: firstPiece * pieceBytes, length: pieces.pieceCount * pieceBytes };
      // Only what the run lies in: a share of many files has many runs.
      const run = filesIn(table, bytes);
      const sizes = { pieceBytes, totalBytes };
      const request = { root, run, placed, hash, ...sizes, ...pieces, ...wanted, skipUnreadable, job };
      const work = this.#inTurn(() => this.#pool.run('hashPieces', request), job);
      works.push(work.then((part) => digests.set(part, firstPiece * digestBytesOf(hash))));
    }
    await Promise.all(works);
    return digests;
  }

  async #hashWholeFiles(
    root: string,
    files: readonly ScannedFile[],
    { job, skipUnreadable = false }: { readonly job: Job; readonly skipUnreadable?: boolean },
  ): Promise<string[]> {
    const batches: ScannedFile[][] = [];
    let batchBytes = Infinity;
    for (const file of files) {
      if (batchBytes >= TASK_BYTES) {
        batches.push([]);
        batchBytes = 0;
      }
      batches.at(-1)?.push(file);
      batchBytes += file.bytes + 64 * 1024;
    }
    const works = batches.map((batch) =>
      this.#inTurn(() => this.#pool.run('hashWholeFiles', { root, files: batch, skipUnreadable, job }), job),
    );
    return (await Promise.all(works)).flat();
  }

  /** Runs work when a worker is free for it. A problem calls the rest of its job off. */
  async #inTurn<Value>(work: Work<Value>, job: Job): Promise<Value> {
    if (this.#running >= this.#slots) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      if (isCalledOff(job)) throw new TransferFailure('aborted', 'hashing was called off');
      return valueOf(await work());
    } catch (error) {
      callOff(job);
      return workerDied(error);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Reports progress and hears of an abort while a job runs. */
  async #watch<Value>(
    job: Job,
    { onProgress, signal }: { readonly onProgress?: HashProgress; readonly signal?: AbortSignal },
    run: () => Promise<Value>,
  ): Promise<Value> {
    const report = (): void => onProgress?.(doneBytesOf(job), job.totalBytes);
    const timer = onProgress === undefined ? undefined : setInterval(report, PROGRESS_MS);
    const abort = (): void => callOff(job);
    signal?.addEventListener('abort', abort, { once: true });
    this.#jobs.add(job);
    try {
      if (signal?.aborted === true) callOff(job);
      const value = await run();
      onProgress?.(job.totalBytes, job.totalBytes);
      return value;
    } finally {
      this.#jobs.delete(job);
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}

function workerDied(error: unknown): never {
  if (error instanceof TransferFailure) throw error;
  throw new TransferFailure('worker_died', 'a worker died while it was hashing', { cause: error });
}

/** What is wrong with content whose pieces, files and SHA-1s were found like this. */
function findings(
  manifest: Manifest,
  found: {
    readonly bitfield: Uint8Array;
    readonly sha1s: readonly (string | null)[];
    readonly stamps: readonly (FileStamp | null)[];
  },
): Omit<Inspected, 'isThere'> {
  const { bitfield, sha1s, stamps } = found;
  const damaged = new Set(damagedFiles(manifest, bitfield));
  const absent = new Set<number>();
  const misfit = new Set<number>();
  const mismatches: string[] = [];
  for (const [position, { path, bytes, sha1 }] of manifest.files.entries()) {
    const stamp = stamps[position] ?? null;
    if (stamp === null || sha1s[position] === '') absent.add(position);
    else if (stamp.bytes !== bytes) misfit.add(position);
    else if (!damaged.has(position) && sha1s[position] !== sha1) mismatches.push(path);
  }
  const wrong = new Set([...damaged, ...absent, ...misfit]);
  const pathsOf = (positions: ReadonlySet<number>): string[] =>
    [...positions].map((position) => manifest.files[position]?.path ?? '');
  return {
    bitfield,
    complete: wrong.size === 0,
    absentFiles: pathsOf(absent),
    misfitFiles: pathsOf(misfit),
    wrongFiles: [...wrong].sort((left, right) => left - right),
    sha1Mismatches: mismatches,
    stamp: stampText(stamps),
  };
}

function newJob(totalBytes: number, readings = 1): Job {
  return { counters: new BigInt64Array(new SharedArrayBuffer(16)), totalBytes, readings };
}

function doneBytesOf({ counters, readings }: Job): number {
  return Math.floor(Number(Atomics.load(counters, 0)) / readings);
}

function callOff(job: Job): void {
  Atomics.store(job.counters, 1, 1n);
}

function isCalledOff(job: Job): boolean {
  return Atomics.load(job.counters, 1) !== 0n;
}

function wantedOf(listed: Uint8Array, run: { readonly firstPiece: number; readonly pieceCount: number }): Uint8Array {
  return Uint8Array.from({ length: run.pieceCount }, (_, number) => (hasBit(listed, run.firstPiece + number) ? 1 : 0));
}
