// Owns a log as an end of a copy. One that is written to may hold the beginning of what is copied, as a copy that was interrupted
// leaves it: that is compared byte for byte, with what stands beside records, before anything is appended behind it.
import { BadInput } from '#identity/start-input';
import type { AuditSource } from '../audit/replay.ts';
import { type LogSource, logSourceOf, openLogSource } from '../audit/log-source.ts';
import type { CommandLog, StoredRecord } from '../command-log/command-log.ts';
import { openCommandLog } from '../command-log/open-command-log.ts';
import type { CopiedUse, CopySource, CopyTarget } from './copy-end.ts';
import { type LogPlace, placeOf } from './log-place.ts';

/** Which log, and how its brokers are spoken to. */
export interface LogEnd {
  /** As `--log` takes it. */
  readonly url: string;
  readonly kafkaClientFile: string | null;
}

/** Together less than one append may have. */
const APPENDED_BYTES_MAX = 512 * 1024;
const APPENDED_RECORDS_MAX = 256;

/** A log that is read. Who copies it hears of trackers that may add to it, as far as can be told. */
export async function openCopySource(
  { url, kafkaClientFile }: LogEnd,
  warn: (words: string) => void = () => {},
): Promise<CopySource> {
  const log = await openLogSource(url, kafkaClientFile);
  return {
    name: url,
    records: () => log.records(),
    // What else is wrong with a log is for its trackers and auditors to find: a copy is as it is.
    prove: async () => {
      if ((await log.end()) === 0) throw new BadInput(`${url} has no records: there is no log to copy`);
    },
    refuseUse: (copied) => refuseUse(log, copied, warn),
    close: () => log.close(),
  };
}

async function refuseUse(
  log: LogSource,
  { records, trackers }: CopiedUse,
  warn: (words: string) => void,
): Promise<void> {
  const end = await log.end();
  const remedy = 'stop every tracker, and copy once more, which goes on from there';
  if (end > records) {
    throw new BadInput(`${log.name} grew to ${end} records while ${records} were copied: ${remedy}`);
  }
  // Loaded when asked for: no other word of this program but an operator's speaks with trackers.
  const { greetedTrackers } = await import('./running-trackers.ts');
  const running: string[] = [];
  for (const { trackerId, address, runs } of await greetedTrackers(trackers)) {
    if (runs) running.push(address);
    else
      warn(`tracker ${trackerId.slice(0, 12)} at ${address} does not answer: if it runs, stop it, and copy once more`);
  }
  if (running.length === 0) return;
  throw new BadInput(`${log.name} may grow, because trackers of it run (${running.join(', ')}): ${remedy}`);
}

/** A log that is written to; it is made when it is not there, and one in a file has its name when it is proven. */
export class LogTarget implements CopyTarget {
  readonly name: string;
  readonly isLog = true;
  readonly heldCount: number;
  readonly #log: CommandLog;
  readonly #place: LogPlace;
  readonly #held: AsyncIterator<StoredRecord>;
  #takenCount = 0;

  private constructor(
    name: string,
    { log, place, heldCount }: { log: CommandLog; place: LogPlace; heldCount: number },
  ) {
    this.name = name;
    this.#log = log;
    this.#place = place;
    this.heldCount = heldCount;
    this.#held = eachOf(this.written());
  }

  static async open({ url, kafkaClientFile }: LogEnd): Promise<LogTarget> {
    const place = await placeOf(url);
    const { isWhole: readsOnly } = place;
    const log = await openCommandLog({ url: place.url, trackerInfoPath: null, kafkaClientFile, readsOnly });
    try {
      return new LogTarget(url, { log, place, heldCount: await log.end() });
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  async take(records: readonly StoredRecord[]): Promise<void> {
    const missing: StoredRecord[] = [];
    for (const stored of records) {
      if (stored.offset < this.heldCount) await this.#refuseOther(stored);
      else missing.push(stored);
    }
    if (missing.length > 0 && this.#place.isWhole) {
      throw new BadInput(
        `${this.name} ends at ${this.heldCount}, and there are more records to copy: name an empty log`,
      );
    }
    for (const some of inAppends(missing)) await this.#append(some);
    this.#takenCount += records.length;
  }

  async finish(): Promise<void> {
    await this.#held.return?.();
    if (this.heldCount <= this.#takenCount) return;
    throw new BadInput(
      `${this.#place.url} holds ${this.heldCount} records, and there are ${this.#takenCount} to copy: ${this.#place.remedy}`,
    );
  }

  written(): AuditSource {
    return logSourceOf(this.#log, this.name);
  }

  async keep(): Promise<void> {
    await this.#log.close();
    await this.#place.keep();
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #refuseOther({ offset, value, sealed }: StoredRecord): Promise<void> {
    const { value: held } = (await this.#held.next()) as IteratorYieldResult<StoredRecord>;
    const isSame = Buffer.from(held.value).equals(value) && held.sealed === sealed;
    if (isSame) return;
    const { url, remedy } = this.#place;
    throw new BadInput(`${url} holds another record at offset ${offset}: ${remedy}`);
  }

  async #append(records: readonly StoredRecord[]): Promise<void> {
    const [first] = await this.#log.append(records.map(({ value, sealed }) => ({ value, sealed })));
    if (first === records[0]!.offset) return;
    throw new BadInput(
      `somebody else writes to ${this.name}, which is spoilt now: copy to a new log, and start nothing on it`,
    );
  }
}

async function* eachOf(source: AuditSource): AsyncGenerator<StoredRecord> {
  for await (const batch of source.records()) yield* batch;
}

/** In parts that an append takes. */
function* inAppends(records: readonly StoredRecord[]): Generator<readonly StoredRecord[]> {
  let some: StoredRecord[] = [];
  let byteCount = 0;
  for (const stored of records) {
    some.push(stored);
    byteCount += stored.value.byteLength + (stored.sealed?.length ?? 0);
    if (byteCount < APPENDED_BYTES_MAX && some.length < APPENDED_RECORDS_MAX) continue;
    yield some;
    some = [];
    byteCount = 0;
  }
  if (some.length > 0) yield some;
}
