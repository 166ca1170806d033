// Owns who signed a tracker's record. The id of a tracker is the hash of its key, so a key that comes with the record
// (`genesis`, `register_tracker`) is believed when it hashes to the record's source; every other record's is in the state.
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Command } from '#domain/command';
import type { LogRecord } from '#domain/record';
import type { State } from '#domain/state';
import { type Identity, idOfPublicKey } from '#identity/identity';
import { signedBytes, type SignedLogRecord } from '#wire/log-record';

const KEYS_REMEMBERED_MAX = 256;

/** A record of this tracker's own, before its signature. */
export interface TrackerRecordDraft {
  readonly id: string;
  readonly timeMs: number;
  readonly seenOffset: number;
  readonly command: Command;
}

/** A record that a tracker signs: registration, operator commands. */
export function signedTrackerRecord(identity: Identity, draft: TrackerRecordDraft): SignedLogRecord {
  const trackerId = identity.id;
  const record: LogRecord = {
    ...draft,
    trackerId,
    actor: { kind: 'tracker', trackerId },
    correlationId: draft.id,
    schemaVersion: 1,
  };
  return { ...record, signature: sign(null, signedBytes(record), identity.privateKey).toString('base64') };
}

/** Checks signatures of trackers' records; remembers the keys it has parsed. */
export class SignatureCheck {
  readonly #keys = new Map<string, KeyObject | null>();

  /** The tracker whose signature on the record holds, or null. */
  signerOf(record: SignedLogRecord, state: State): string | null {
    if (record.signature === null || record.actor.kind !== 'tracker') return null;
    const publicKey = publicKeyFor(record, state);
    const key = publicKey === null ? null : this.#keyOf(publicKey, record.trackerId);
    if (key === null) return null;
    const holds = verify(null, signedBytes(record), key, Buffer.from(record.signature, 'base64'));
    return holds ? record.trackerId : null;
  }

  #keyOf(publicKey: string, trackerId: string): KeyObject | null {
    const memoKey = `${trackerId} ${publicKey}`;
    let key = this.#keys.get(memoKey);
    if (key === undefined) {
      if (this.#keys.size >= KEYS_REMEMBERED_MAX) this.#keys.clear();
      key = parsedKey(publicKey, trackerId);
      this.#keys.set(memoKey, key);
    }
    return key;
  }
}

function publicKeyFor(record: SignedLogRecord, state: State): string | null {
  const { name } = record.command;
  if (name !== 'genesis' && name !== 'register_tracker') return state.trackers.get(record.trackerId)?.publicKey ?? null;
  const data = record.command.data as { publicKey?: unknown } | null;
  return typeof data?.publicKey === 'string' ? data.publicKey : null;
}

function parsedKey(publicKey: string, trackerId: string): KeyObject | null {
  const der = Buffer.from(publicKey, 'base64');
  if (idOfPublicKey(der) !== trackerId) return null;
  try {
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
