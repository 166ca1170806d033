// Owns fuzzing the notes of checkpoints, behind a signature that always holds: one that is taken has exactly this text.
import assert from 'node:assert/strict';
import { openCheckpointNote, sealCheckpointNote, snapshotInNote } from '#wire/checkpoint-note';
import { CHECKPOINT } from '../../signed-samples.ts';
import type { FuzzTarget } from '../fuzz-target.ts';

const SIGNER = { keyId: new Uint8Array(4).fill(1), sign: () => new Uint8Array(64).fill(2) };

export const checkpointNote: FuzzTarget = {
  name: 'checkpoint-note',
  sources: ['libs/wire/src/checkpoint-note.ts'],
  shape: 'text',
  seeds: () => [
    Buffer.from(sealCheckpointNote(CHECKPOINT, SIGNER)),
    Buffer.from(sealCheckpointNote(CHECKPOINT, SIGNER, { offset: 7, hash: '44'.repeat(32) })),
  ],
  run: (input) => {
    const note = Buffer.from(input).toString();
    let [keyId, signature] = [new Uint8Array(0), new Uint8Array(0)];
    const checkpoint = openCheckpointNote(note, (signed) => {
      [keyId, signature] = [signed.keyId.slice(), signed.signature.slice()];
      return true;
    });
    if (checkpoint === null) return;
    const again = sealCheckpointNote(checkpoint, { keyId, sign: () => signature }, snapshotInNote(note));
    assert.equal(again, note, 'a checkpoint has one text');
  },
};
