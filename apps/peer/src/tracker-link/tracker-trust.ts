// Owns which key each tracker must show. What tracker_info.txt pins holds; what a trusted tracker reads from the log holds
// for the others; a file without any fingerprint means trust on first use, and then a changed key is refused as well.
import { type FileReports, hasFields, readJsonIfSound, ReplacedFile } from '#identity/durable-file';
import { idOfPublicKey } from '#identity/identity';
import { formatHostPort } from '#wire/host-port';
import type { KnownTracker } from '#wire/tracker-api';
import type { TrackerEntry } from '#wire/tracker-info';
import type { LinkTrust } from './tracker-link.ts';

/** What to do about a tracker that shows another key. */
export const KEY_ADVICE =
  'If its key was changed on purpose, correct its line in tracker_info.txt, or, when that names no key, stop this peer, ' +
  'remove known-trackers.json from its data directory, and start it again.';

/** known-trackers.json. */
interface Remembered {
  /** The log that the keys stand in; empty before the first hello. */
  logId: string;
  /** Tracker id by address of tracker_info.txt, for those that the file does not pin. */
  ids: Record<string, string>;
  /** Public key (base64 of SPKI DER) by tracker id, as they stand in the log. */
  keys: Record<string, string>;
}

export class TrackerTrust {
  readonly #pins: ReadonlyMap<string, string>;
  readonly #addresses: readonly string[];
  readonly #file: ReplacedFile;
  #remembered: Remembered;

  private constructor(entries: readonly TrackerEntry[], file: ReplacedFile, remembered: Remembered) {
    this.#addresses = entries.map(formatHostPort);
    this.#pins = new Map(
      entries.flatMap((entry) => (entry.trackerId === null ? [] : [[formatHostPort(entry), entry.trackerId]])),
    );
    this.#file = file;
    this.#remembered = remembered;
  }

  /** Reads what earlier runs learned from `path`. */
  static async open(
    entries: readonly TrackerEntry[],
    path: string,
    { writeFailed, damaged }: FileReports,
  ): Promise<TrackerTrust> {
    const remembered = await readJsonIfSound(path, { isSound: isRemembered, damaged });
    return new TrackerTrust(
      entries,
      new ReplacedFile(path, writeFailed),
      remembered ?? { logId: '', ids: {}, keys: {} },
    );
  }

  /** The id that the tracker at an address must have, or null while none is known. */
  expectedId(address: string): string | null {
    return this.#pins.get(address) ?? this.#remembered.ids[address] ?? null;
  }

  /** Whether the tracker at an address may show this key. */
  admits(address: string, shownId: string | null): boolean {
    if (shownId === null) return false;
    const expected = this.expectedId(address);
    // With a pin in the file, an address without one waits until a trusted tracker has named its key.
    return expected === null ? this.#pins.size === 0 : expected === shownId;
  }

  /** A tracker that was admitted says whose keys stand in the log. Returns whether anything is new. */
  learn(
    { address, shownId }: { address: string; shownId: string },
    logId: string,
    known: readonly KnownTracker[],
  ): boolean {
    const before = JSON.stringify(this.#remembered);
    // A tracker that has read less of the log knows fewer keys, not other ones.
    const keys = logId === this.#remembered.logId ? this.#remembered.keys : {};
    const next: Remembered = { logId, ids: { ...this.#remembered.ids }, keys: { ...keys } };
    if (!this.#pins.has(address)) next.ids[address] = shownId;
    for (const { trackerId, publicKey, address: itsAddress } of known) {
      if (!isKeyOf(publicKey, trackerId)) continue;
      next.keys[trackerId] = publicKey;
      const isOurs = this.#addresses.includes(itsAddress) && !this.#pins.has(itsAddress);
      if (isOurs && itsAddress !== address) next.ids[itsAddress] = trackerId;
    }
    if (JSON.stringify(next) === before) return false;
    this.#remembered = next;
    void this.#file.write(JSON.stringify(next, null, 2));
    return true;
  }

  /** What grants are checked with, or null before the first hello. */
  trust(): LinkTrust | null {
    const { logId, keys } = this.#remembered;
    if (logId === '') return null;
    const trackers = Object.entries(keys).map(([trackerId, key]) => ({
      trackerId,
      publicKeyDer: Buffer.from(key, 'base64'),
    }));
    return { logId, trackers };
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#file.settled();
  }
}

function isRemembered(value: unknown): value is Remembered {
  if (!hasFields(value, { logId: 'string', ids: 'object', keys: 'object' })) return false;
  return Object.entries((value as Remembered).keys).every(([trackerId, key]) => isKeyOf(key, trackerId));
}

function isKeyOf(publicKey: unknown, trackerId: string): boolean {
  return typeof publicKey === 'string' && idOfPublicKey(Buffer.from(publicKey, 'base64')) === trackerId;
}
