// Owns fuzzing proofs, which an auditor is handed by somebody: whatever is in one, it is refused with a sentence or proves what is
// so, which is that this record of the log is at that offset, after that beginning.
import assert from 'node:assert/strict';
import { idOfPublicKey } from '#identity/identity';
import { BadInput } from '#identity/start-input';
import { judgedProof, type Proof, proofOf, type Proved } from '../../../apps/tracker/src/audit/proof.ts';
import { derivedOf, randomRecords } from '../../unit/tracker/random-log.ts';
import { sourceOf } from '../../unit/tracker/audit/sources.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const records = randomRecords(7, 120, { isTruthful: true });
const whole = derivedOf(records);
const proofs = await Promise.all([0, 7, 32].map((offset) => provedAt(offset)));

export const auditProof: FuzzTarget = {
  name: 'audit-proof',
  sources: ['apps/tracker/src/audit/proof.ts', 'apps/tracker/src/audit/merkle-proof.ts'],
  shape: 'json',
  seeds: () => proofs.flat(),
  repair: withTrueId,
  run: (input) => {
    const proved = provedBy(Buffer.from(input).toString());
    // A key of somebody else can sign what it likes.
    if (proved === null || !whole.state.trackers.has(proved.trackerId)) return;
    const { offset, size, record, olderSize } = proved;
    assert.ok(offset < size && size <= records.length, `offset ${offset} of ${size}`);
    assertSameBytes(record, records[offset]!.value, 'what is proved stands there');
    assert.ok(olderSize === null || (olderSize >= 1 && olderSize <= size), `after ${olderSize} of ${size}`);
  },
};

function provedBy(text: string): Proved | null {
  try {
    return judgedProof(text, { trusted: undefined, kept: null }).proved;
  } catch (error) {
    if (error instanceof BadInput) return null;
    throw error;
  }
}

/** A proof by itself, and one that goes on from a checkpoint that was kept. */
async function provedAt(offset: number): Promise<Uint8Array[]> {
  const [size, logId] = [33, whole.state.logId!];
  const root = whole.rootAt(size - 1)!;
  const kept = { ...{ logId, size, root, digest: '', rulesVersion: 1, build: '' }, ...{ name: 'kept', note: '' } };
  const both = await Promise.all([null, kept].map((beginning) => proofOf(sourceOf(records), offset, beginning)));
  return both.map((proof) => Buffer.from(JSON.stringify(proof)));
}

/** The tracker is the one of the key that is shown, whatever key that is. */
function withTrueId(input: Uint8Array): Uint8Array {
  try {
    const proof = JSON.parse(Buffer.from(input).toString()) as Proof;
    const trackerId = idOfPublicKey(Buffer.from(proof.checkpoint.publicKey, 'base64'));
    return Buffer.from(JSON.stringify({ ...proof, checkpoint: { ...proof.checkpoint, trackerId } }));
  } catch {
    return input;
  }
}
