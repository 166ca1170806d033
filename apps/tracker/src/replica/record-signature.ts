// Owns who signed a tracker's record. The id of a tracker is the hash of its key, so a key that comes with the record
// (`genesis`, `register_tracker`) is believed when it hashes to the record's source; every other record's is in the state.
import { type KeyObject, sign, verify } from 'node:crypto';
import type { Checkpoint } from '#domain/checkpoint';
import { type Command, commandDataProblem } from '#domain/command';
import type { LogRecord } from '#domain/record';
import type { State } from '#domain/state';
import { ed25519KeyOf, type Identity, idOfPublicKey } from '#identity/identity';
import { signedBytes, type SignedLogRecord } from '#wire/log-record';
import { checkpointSignedBy } from './checkpoint-signature.ts';

const KEYS_REMEMBERED_MAX = 256;

/** What the signatures on a record prove. */
export interface Signed {
  /** The tracker whose signature on the record holds, or null. */
  readonly signer: string | null;
  /** What the note of a checkpoint says when its signature is that tracker's too, otherwise null. */
  readonly checkpoint: Checkpoint | null;
}

const UNSIGNED: Signed = { signer: null, checkpoint: null };

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

  /** Who signed a record, and what that tracker says in it when it is a checkpoint. */
  examine(record: SignedLogRecord | null, state: State): Signed {
    if (record?.actor.kind !== 'tracker') return UNSIGNED;
    // Refused whoever signed it, and what it holds may be nested deeper than it can be written again.
    if (commandDataProblem(record.command.name, record.command.data, state.rulesVersion) !== null) return UNSIGNED;
    const key = this.#signingKey(record, state);
    if (key === null) return UNSIGNED;
    return { signer: record.trackerId, checkpoint: checkpointIn(record.command, state, key) };
  }

  #signingKey(record: SignedLogRecord, state: State): KeyObject | null {
    const publicKey = record.signature === null ? null : publicKeyFor(record, state);
    const key = publicKey === null ? null : this.#keyOf(publicKey, record.trackerId);
    if (key === null) return null;
    return verify(null, signedBytes(record), key, Buffer.from(record.signature!, 'base64')) ? key : null;
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

function checkpointIn({ name, data }: Command, { logId }: State, key: KeyObject): Checkpoint | null {
  // The data is as it came: `apply` has not looked at it yet.
  const note: unknown = name === 'checkpoint' ? (data as { note?: unknown } | null)?.note : undefined;
  return typeof note === 'string' && logId !== null ? checkpointSignedBy(key, { note, logId }) : null;
}

function publicKeyFor(record: SignedLogRecord, state: State): string | null {
  const { name } = record.command;
  if (name !== 'genesis' && name !== 'register_tracker') return state.trackers.get(record.trackerId)?.publicKey ?? null;
  const data = record.command.data as { publicKey?: unknown } | null;
  return typeof data?.publicKey === 'string' ? data.publicKey : null;
}

function parsedKey(publicKey: string, trackerId: string): KeyObject | null {
  const der = Buffer.from(publicKey, 'base64');
  return idOfPublicKey(der) === trackerId ? ed25519KeyOf(der) : null;
}
