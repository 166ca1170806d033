// Owns reading a checkpoint that somebody kept, as a file with its signed note, and whose signature it carries.
import { readFile } from 'node:fs/promises';
import type { Checkpoint } from '#domain/checkpoint';
import type { State } from '#domain/state';
import { ed25519KeyOf } from '#identity/identity';
import { BadInput } from '#identity/start-input';
import { openCheckpointNote } from '#wire/checkpoint-note';
import { checkpointSignedBy } from '../replica/checkpoint-signature.ts';

/** A checkpoint as it was kept. Whose signature it carries is found out with the log's keys. */
export interface KeptCheckpoint extends Checkpoint {
  /** Path of its file, for messages. */
  readonly name: string;
  readonly note: string;
}

/** Reads a kept checkpoint. Rejects with BadInput when the file holds none. */
export async function readKeptCheckpoint(path: string): Promise<KeptCheckpoint> {
  const note = await readFile(path, 'utf8').catch(() => {
    throw new BadInput(`--checkpoint: cannot read ${path}; give a file with the note of a checkpoint`);
  });
  const checkpoint = openCheckpointNote(note, () => true);
  if (checkpoint === null) throw new BadInput(`--checkpoint: ${path} holds no note of a checkpoint`);
  return { ...checkpoint, name: path, note };
}

/** What a note says that the tracker signed with the key that the log has of it; null otherwise. */
export function checkpointIn(
  note: string,
  { trackerId, state }: { trackerId: string; state: State },
): Checkpoint | null {
  const entry = state.trackers.get(trackerId);
  if (entry === undefined || state.logId === null) return null;
  const key = ed25519KeyOf(Buffer.from(entry.publicKey, 'base64'));
  return key === null ? null : checkpointSignedBy(key, { note, logId: state.logId });
}
