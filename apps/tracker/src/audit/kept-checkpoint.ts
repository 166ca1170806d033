// Owns reading a checkpoint that somebody kept, as a file with its signed note, or with those of several trackers one behind the
// other, and whose signatures it carries.
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
  /** The notes, one behind the other: of one checkpoint each tracker writes its own. */
  readonly note: string;
}

/** Reads a kept checkpoint. Rejects with BadInput when the file holds none. */
export async function readKeptCheckpoint(path: string): Promise<KeptCheckpoint> {
  const note = await readFile(path, 'utf8').catch(() => {
    throw new BadInput(`--checkpoint: cannot read ${path}; give a file with the note of a checkpoint`);
  });
  const [first = null, ...others] = notesIn(note).map((each) => openCheckpointNote(each, () => true));
  if (first === null || others.includes(null)) {
    throw new BadInput(`--checkpoint: ${path} holds no note of a checkpoint, or something beside one`);
  }
  if (!others.every((other) => isSame(first, other!))) {
    throw new BadInput(`--checkpoint: ${path} holds notes about different records: keep them in files of their own`);
  }
  if (first.size === 0) throw new BadInput(`--checkpoint: ${path} is about no records: it would fit every log`);
  return { ...first, name: path, note };
}

/** Who signed each of its notes, by the keys that the log has; null for a note that none of those trackers signed. */
export function signersOf({ note }: KeptCheckpoint, state: State): (string | null)[] {
  const trackerIds = [...state.trackers.keys()];
  return notesIn(note).map(
    (each) => trackerIds.find((trackerId) => checkpointIn(each, { trackerId, state }) !== null) ?? null,
  );
}

/** A note ends with the line of its signature. */
function notesIn(text: string): string[] {
  return text.split(/(?<=\n— [^\n]*\n)/);
}

function isSame(one: Checkpoint, other: Checkpoint): boolean {
  const fields = ['logId', 'size', 'root', 'digest'] as const;
  return fields.every((field) => one[field] === other[field]);
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
