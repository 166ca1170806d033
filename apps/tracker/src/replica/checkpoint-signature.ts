// Owns a tracker's signature on its checkpoints: a note names the key by the log's name and the first bytes of a hash, as
// C2SP's signed notes do. It is the tracker's one key, and the text begins as nothing else does that this key signs.
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Checkpoint } from '#domain/checkpoint';
import type { Identity } from '#identity/identity';
import {
  noteKeyBytes,
  noteOrigin,
  openCheckpointNote,
  sealCheckpointNote,
  type SnapshotClaim,
} from '#wire/checkpoint-note';

const KEY_ID_BYTES = 4;
const RAW_KEY_BYTES = 32;

/** The note of a checkpoint under this tracker's key, with its newest snapshot if it has one. */
export function signedCheckpointNote(
  { privateKey }: Pick<Identity, 'privateKey'>,
  checkpoint: Checkpoint,
  snapshot?: SnapshotClaim,
): string {
  const keyId = keyIdOf(checkpoint.logId, createPublicKey(privateKey));
  const signer = { keyId, sign: (text: Uint8Array) => sign(null, text, privateKey) };
  return sealCheckpointNote(checkpoint, signer, snapshot);
}

/** What a note says that this key signed, under the name of the log; null when it is no such note. */
export function checkpointSignedBy(
  key: KeyObject,
  { note, logId }: { note: string; logId: string },
): Checkpoint | null {
  const expectedId = keyIdOf(logId, key);
  return openCheckpointNote(
    note,
    ({ text, keyId, signature }) => expectedId.equals(keyId) && verify(null, text, key, signature),
  );
}

/** The first four bytes of the hash over the log's name and the key. */
function keyIdOf(logId: string, key: KeyObject): Buffer {
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY_BYTES);
  return hash('sha256', noteKeyBytes(noteOrigin({ logId }), raw), 'buffer').subarray(0, KEY_ID_BYTES);
}
