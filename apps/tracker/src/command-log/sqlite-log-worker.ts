// Owns the SQLite file of the log, in a worker of its own because the driver blocks its thread, for a flush or for another
// process's lock. WAL with synchronous=FULL: an answered append is on the disk. Offsets are given inside the transaction,
// under the write lock, so they are contiguous whichever process appends. Values are cast, never decoded: byte for byte.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { LogFailure, type LogFailureCode } from './command-log.ts';
import { type PackedRecords, packRecords, unpackRecords } from './record-pack.ts';
import type { LogPage, SqliteAnswer, SqliteExchange, SqliteRequest, SqliteWorkerData } from './sqlite-log-messages.ts';

interface OpenLog {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly end: StatementSync;
  readonly from: StatementSync;
}

interface Row {
  readonly offset: number;
  readonly value: Uint8Array;
  readonly sealed: string | null;
  readonly appendTimeMs: number;
}

/** Whose file it is, and of which kind. */
interface Marks {
  readonly application: number;
  readonly version: number;
  readonly tables: number;
}

/** How long to try while another process holds the lock; an append has to be answered within 5 s. */
const LOCK_WAIT_MS = 3_000;
const LOCK_RETRY_MS = 1;
/** Few enough for an append that waits behind a page: whoever reads a long log, for a snapshot too, asks for one after the other. */
const READ_RECORDS_MAX = 256;
const READ_BYTES_MAX = 1024 * 1024;
/** Marks the file as a Cohort log ("Coht"), with the version of its table. */
const APPLICATION_ID = 0x436f6874;
const TABLE_VERSION = 1;
/** What a file is, in one statement: another tracker may be making it meanwhile, and it is all there or not at all. */
const MARKS = `SELECT application_id AS application, user_version AS version,
  (SELECT count(*) FROM sqlite_schema) AS tables FROM pragma_application_id, pragma_user_version`;

/** SQLite's primary result codes (https://sqlite.org/rescode.html) by which a failure is told apart or advised on. */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

const NEEDS_WRITING = 'let this user write the file and its folder, and mount its disk for writing';
const NEEDS_ROOM = 'make room on its disk';
/** What helps, by SQLite's primary result code and by the system's error. */
const ADVICE: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [SQLITE_BUSY, 'another program holds its lock: let that finish, or end it'],
  [SQLITE_READONLY, NEEDS_WRITING],
  [SQLITE_IOERR, 'its disk fails: see the log of the system'],
  [SQLITE_FULL, NEEDS_ROOM],
  [SQLITE_CANTOPEN, `${NEEDS_WRITING}, with room on it`],
  ['EROFS', NEEDS_WRITING],
  ['EACCES', NEEDS_WRITING],
  ['EPERM', NEEDS_WRITING],
  ['ENOSPC', NEEDS_ROOM],
]);

const { file, fileIdentity: knownIdentity, readsOnly } = workerData as SqliteWorkerData;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let fileIdentity = knownIdentity;
/** How long the file has been: what records are appended to never gets shorter. */
let seenBytes = 0;
let isCut = false;
/** How the file was when it began to be read as it stands; null while SQLite keeps readers and writers apart. */
let stillness: string | null = null;
let log: OpenLog | null = null;

parentPort!.on('message', ({ id, request }: { id: number; request: SqliteRequest }) => {
  const answered = answer(id, request);
  const handedOver = 'result' in answered && 'records' in answered.result ? [answered.result.records.bytes.buffer] : [];
  parentPort!.postMessage(answered, handedOver);
});

function answer(id: number, request: SqliteRequest): SqliteAnswer {
  try {
    return { id, result: perform(request) };
  } catch (error) {
    closeLog();
    const failure = error instanceof LogFailure ? error : wrap(error);
    return { id, failure: { code: failure.code, message: failure.message, cause: failure.cause } };
  }
}

function perform(request: SqliteRequest): SqliteExchange[keyof SqliteExchange]['result'] {
  if (request.kind === 'close') {
    closeLog();
    return { closed: true };
  }
  log ??= openLog();
  refuseOtherFile();
  try {
    return resultOf(log, request);
  } finally {
    // Whatever was found: half of what somebody writes meanwhile would pass for a log that was tampered with.
    refuseChange();
  }
}

function resultOf(
  open: OpenLog,
  request: Exclude<SqliteRequest, { kind: 'close' }>,
): SqliteExchange[keyof SqliteExchange]['result'] {
  switch (request.kind) {
    case 'open':
      return { fileIdentity: fileIdentity! };
    case 'append':
      return { firstOffset: append(open, request.records) };
    case 'read':
      return read(open, request.fromOffset);
    case 'end':
      return { end: endOf(open) };
  }
}

function openLog(): OpenLog {
  if (fileIdentity !== null) refuseOtherFile();
  else if (!readsOnly) createFile();
  const database = readsOnly ? openToRead() : openToAppend();
  try {
    fileIdentity ??= identityOfFile();
    return {
      database,
      insert: database.prepare('INSERT INTO records VALUES (?, CAST(? AS TEXT), ?, ?)'),
      end: database.prepare('SELECT coalesce(max(offset) + 1, 0) AS "end" FROM records'),
      from: database.prepare(
        `SELECT offset, CAST(value AS BLOB) AS value, sealed, append_time_ms AS appendTimeMs
         FROM records WHERE offset >= ? ORDER BY offset LIMIT ${READ_RECORDS_MAX}`,
      ),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Password hashes travel in this file: only its owner may read it. SQLite gives its side files the same mode. */
function createFile(): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}

function openToAppend(): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    whileLocked(() => prepareFile(database));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes no log and changes no record. Beside a file to which others append SQLite has to write too, and takes that away again; where
 * nothing can be written, nobody appends either, and the file is read as it stands.
 */
function openToRead(): DatabaseSync {
  stillness = null;
  try {
    return onlyReading(new DatabaseSync(file));
  } catch (error) {
    const code = primaryCode(error);
    if (code !== SQLITE_CANTOPEN && code !== SQLITE_READONLY) throw error;
    stillness = stampOfFile();
    if (writtenAheadBytes() > 0) throw needsCopy();
  }
  const unchanging = pathToFileURL(file);
  unchanging.searchParams.set('immutable', '1');
  return onlyReading(new DatabaseSync(unchanging, { readOnly: true }));
}

function onlyReading(database: DatabaseSync): DatabaseSync {
  try {
    database.exec('PRAGMA query_only = ON');
    if (whileLocked(() => isLog(database))) return database;
    throw new LogFailure('log_misconfigured', `${file} is empty, and no log: say which one with --log.`);
  } catch (error) {
    database.close();
    throw error;
  }
}

function writtenAheadBytes(): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function refuseChange(): void {
  if (stillness === null || (stampOfFile() === stillness && writtenAheadBytes() === 0)) return;
  throw new LogFailure(
    'log_unavailable',
    `${file} is being written, and this user may not write beside it, as reading it then takes: ask again when that is over, or copy it with ${file}-wal to a folder of this user.`,
  );
}

function stampOfFile(): string {
  const { size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${size}:${mtimeNs}:${ctimeNs}`;
}

function needsCopy(): LogFailure {
  return new LogFailure(
    'log_misconfigured',
    `${file} cannot be read without writing beside it, because its last records are in ${file}-wal: copy both to a folder that this user may write to.`,
  );
}

/** Whether the file holds a log already; false for one without anything. */
function isLog(database: DatabaseSync): boolean {
  const { application, version, tables } = database.prepare(MARKS).get() as unknown as Marks;
  if (application === APPLICATION_ID && version === TABLE_VERSION) return true;
  if (tables === 0 && application === 0 && version === 0) return false;
  throw new LogFailure(
    'log_misconfigured',
    `${file} is a SQLite file of something else, or of a newer Cohort: give --log another file.`,
  );
}

function prepareFile(database: DatabaseSync): void {
  database.exec('PRAGMA synchronous = FULL');
  if (isLog(database)) return;
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS records (
      offset INTEGER PRIMARY KEY, value TEXT NOT NULL, sealed TEXT, append_time_ms INTEGER NOT NULL
    );
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${TABLE_VERSION};
    COMMIT`);
}

function append({ database, insert, end }: OpenLog, packed: PackedRecords): number {
  whileLocked(() => database.exec('BEGIN IMMEDIATE'));
  const { end: firstOffset } = end.get() as { end: number };
  const now = Date.now();
  for (const [index, { value, sealed }] of unpackRecords(packed).entries()) {
    insert.run(firstOffset + index, value, sealed, now);
  }
  database.exec('COMMIT');
  return firstOffset;
}

function read(open: OpenLog, fromOffset: number): LogPage {
  const rows: Row[] = [];
  let byteCount = 0;
  for (const row of open.from.iterate(fromOffset) as IterableIterator<unknown> as IterableIterator<Row>) {
    const expected = fromOffset + rows.length;
    if (row.offset !== expected) {
      // What stands before it can be read, and whoever reads on hears of it.
      if (rows.length > 0) break;
      throw new LogFailure('log_halted', `The log lacks the record at offset ${expected}.`);
    }
    rows.push(row);
    byteCount += row.value.byteLength;
    if (byteCount >= READ_BYTES_MAX) break;
  }
  return {
    records: packRecords(rows),
    appendTimesMs: rows.map(({ appendTimeMs }) => appendTimeMs),
    isFull: rows.length === READ_RECORDS_MAX || byteCount >= READ_BYTES_MAX,
    end: rows.length === 0 ? endOf(open) : null,
  };
}

function endOf({ end }: OpenLog): number {
  return (end.get() as { end: number }).end;
}

/** Closing rolls an open transaction back; the next request opens the file anew. */
function closeLog(): void {
  log?.database.close();
  log = null;
}

/** A log that was deleted, replaced or cut under us would take records that nobody reads ever again. */
function refuseOtherFile(): void {
  if (identityOfFile() !== fileIdentity) {
    throw new LogFailure(
      'log_halted',
      `${file} was deleted or replaced while it was in use: put the log back and restart.`,
    );
  }
  const { size } = statSync(file);
  // For good: SQLite fills the file up again from what it has written ahead, when it is closed.
  isCut ||= size < seenBytes;
  if (isCut) {
    throw new LogFailure('log_halted', `${file} was cut while it was in use: put a copy of the log back and restart.`);
  }
  seenBytes = size;
}

function identityOfFile(): string | null {
  const status = statSync(file, { throwIfNoEntry: false });
  return status === undefined ? null : `${status.dev}:${status.ino}:${status.birthtimeMs}`;
}

/**
 * Tries again while another connection has the lock. SQLite's own busy handler sleeps up to 100 ms between tries, which
 * lets one busy tracker starve another.
 */
function whileLocked<Result>(operation: () => Result): Result {
  const giveUpAt = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if (primaryCode(error) !== SQLITE_BUSY || performance.now() > giveUpAt) throw error;
      Atomics.wait(sleeper, 0, 0, LOCK_RETRY_MS);
    }
  }
}

function wrap(error: unknown): LogFailure {
  const detail = error instanceof Error ? error.message : String(error);
  const advice = ADVICE.get(primaryCode(error) ?? (error as { code?: unknown }).code);
  return new LogFailure(failureCode(error), `${file}: ${detail}${advice === undefined ? '' : `; ${advice}`}`, error);
}

function failureCode(error: unknown): LogFailureCode {
  const { code } = error as { code?: string };
  if (primaryCode(error) === SQLITE_CORRUPT) return 'log_halted';
  const isNoFile = code === 'ENOTDIR' || code === 'EISDIR' || code === 'EEXIST';
  return isNoFile || primaryCode(error) === SQLITE_NOTADB ? 'log_misconfigured' : 'log_unavailable';
}

function primaryCode(error: unknown): number | null {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? null : errcode & 0xff;
}
