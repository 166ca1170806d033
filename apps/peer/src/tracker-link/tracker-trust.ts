// Owns which key each tracker must show. What tracker_info.txt pins holds; the key that was trusted once holds for the others, also
// when the file named it then and does not any more; for a tracker that is new, what a trusted one reads from the log, or
// without any fingerprint in the file the first key that is shown. A changed key is refused, whoever has it in the log.
import { type FileReports, hasFields, readJsonIfSound, ReplacedFile } from '#identity/durable-file';
import { ed25519KeyOf, idOfPublicKey } from '#identity/identity';
import { formatHostPort } from '#wire/host-port';
import type { KnownTracker } from '#wire/tracker-api';
import { formatFingerprint, type TrackerEntry } from '#wire/tracker-info';
import type { LinkTrust } from './tracker-link.ts';

const KEY_ADVICE =
  'If its key was changed on purpose, correct its line in tracker_info.txt, or, when that names no key, stop this peer, ' +
  'remove known-trackers.json from its data directory, and start it again.';

/** A tracker that shows another key (64 hex characters, or null for none) than it must. */
export interface ChangedKey {
  readonly address: string;
  readonly expected: string;
  readonly shown: string | null;
}

/** What that is, and what to do about it. */
export function changedKeyInWords({ address, expected, shown }: ChangedKey): string {
  const key = shown === null ? 'no key' : `the key ${formatFingerprint(shown)}`;
  return `The tracker at ${address} shows ${key}, not ${formatFingerprint(expected)}: it is not trusted. ${KEY_ADVICE}`;
}

/** known-trackers.json. */
interface Remembered {
  /** The log that the keys stand in; empty before the first hello. */
  logId: string;
  /** Tracker id by address, of those that were trusted. */
  ids: Record<string, string>;
  /** Public key (base64 of SPKI DER) by tracker id, as they stand in the log. */
  keys: Record<string, string>;
}

export class TrackerTrust {
  readonly #pins: ReadonlyMap<string, string>;
  readonly #file: ReplacedFile;
  #remembered: Remembered;
  /** By address: ids that a trusted tracker has read in the log, several when a key was changed. */
  #named = new Map<string, Set<string>>();

  private constructor(entries: readonly TrackerEntry[], file: ReplacedFile, remembered: Remembered) {
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
    const [named, ...more] = this.#named.get(address) ?? [];
    const onlyNamed = more.length === 0 ? named : undefined;
    return this.#pins.get(address) ?? this.#remembered.ids[address] ?? onlyNamed ?? null;
  }

  /** What the file pins otherwise than it was trusted before: the file counts. */
  overruled(): readonly { readonly address: string; readonly remembered: string; readonly pinned: string }[] {
    return [...this.#pins].flatMap(([address, pinned]) => {
      const remembered = this.#remembered.ids[address] ?? pinned;
      return remembered === pinned ? [] : [{ address, remembered, pinned }];
    });
  }

  /** Whether the tracker at an address may show this key. */
  admits(address: string, shownId: string | null): boolean {
    if (shownId === null) return false;
    const expected = this.expectedId(address);
    if (expected !== null) return expected === shownId;
    // With a pin in the file, an address without one waits until a trusted tracker has named its key.
    return this.#named.get(address)?.has(shownId) ?? this.#pins.size === 0;
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
    next.ids[address] = shownId;
    // Every tracker names the same keys with each hello: what was looked at before is as it was.
    const genuine = known.filter(
      ({ trackerId, publicKey }) => this.#remembered.keys[trackerId] === publicKey || isKeyOf(publicKey, trackerId),
    );
    for (const { trackerId, publicKey } of genuine) next.keys[trackerId] = publicKey;
    this.#named = new Map();
    for (const { trackerId, address: itsAddress } of genuine) {
      this.#named.set(itsAddress, (this.#named.get(itsAddress) ?? new Set()).add(trackerId));
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

/** Also what a trusted tracker names can be no key at all: workers check grants with it, and stop at one that they cannot read. */
function isKeyOf(publicKey: unknown, trackerId: string): boolean {
  if (typeof publicKey !== 'string') return false;
  const der = Buffer.from(publicKey, 'base64');
  return idOfPublicKey(der) === trackerId && ed25519KeyOf(der) !== null;
}
