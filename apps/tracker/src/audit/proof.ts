// Owns proofs that need no log: that a record is at its offset of what a tracker signed, and that what somebody kept a checkpoint
// of is the beginning of it. Whoever has the tracker's fingerprint needs nothing else.
import { hasFields } from '#identity/durable-file';
import { ed25519KeyOf, idOfPublicKey } from '#identity/identity';
import { BadInput } from '#identity/start-input';
import { checkpointSignedBy } from '../replica/checkpoint-signature.ts';
import { leafHash } from '../replica/merkle-frontier.ts';
import type { KeptCheckpoint } from './kept-checkpoint.ts';
import { signedExtentOf } from './last-checkpoint.ts';
import { consistencyPath, inclusionPath, isConsistent, LeafHashes, rootOfPath } from './merkle-proof.ts';
import type { AuditSource } from './replay.ts';
import type { Verification } from './verification.ts';

/** A proof as it is written and read: hashes in hex, bytes in base64. */
export interface Proof {
  readonly offset: number;
  /** The exact bytes of the record. */
  readonly record: string;
  /** From the record's neighbour up to the root of the checkpoint. */
  readonly path: readonly string[];
  readonly checkpoint: { readonly trackerId: string; readonly publicKey: string; readonly note: string };
  /** That a checkpoint that was kept is about the beginning of what this one is about; null when none was given. */
  readonly consistency: { readonly size: number; readonly root: string; readonly path: readonly string[] } | null;
}

/** What a proof proves: a record, at an offset of so many, signed by a tracker. */
export interface Proved {
  readonly logId: string;
  readonly offset: number;
  readonly size: number;
  readonly trackerId: string;
  readonly record: Buffer;
  /** Size of the kept checkpoint that it goes on from, or null. */
  readonly olderSize: number | null;
}

/** Proves a record of a source under its last checkpoint that agrees. Throws BadInput when none is about it. */
export async function proofOf(source: AuditSource, offset: number, kept: KeptCheckpoint | null): Promise<Proof> {
  const { last } = await signedExtentOf(source);
  if (last === null || offset >= last.size) {
    const signed = last === null ? 'no checkpoint is in it' : `the last checkpoint is about ${last.size} records`;
    throw new BadInput(
      `nobody has signed the record at offset ${offset} yet: ${signed}; trackers write one a minute after a command`,
    );
  }
  const { leaves, record } = await leavesOf(source, { size: last.size, offset });
  const { trackerId, publicKey, note } = last;
  return {
    offset,
    record: Buffer.from(record).toString('base64'),
    path: inclusionPath(leaves, { index: offset, size: last.size }).map((hash) => hash.toString('hex')),
    checkpoint: { trackerId, publicKey, note },
    consistency: kept === null ? null : consistencyOf(leaves, kept, last.size),
  };
}

function consistencyOf(leaves: LeafHashes, { name, size, root }: KeptCheckpoint, newer: number): Proof['consistency'] {
  if (size > newer)
    throw new BadInput(
      `--checkpoint: ${name} is about ${size} records, more than the log's last checkpoint (${newer}); give an older one`,
    );
  if (leaves.rootOf(size).toString('hex') !== root)
    throw new BadInput(
      `--checkpoint: ${name} is about other records than the first ${size} here; give one of this log`,
    );
  return { size, root, path: consistencyPath(leaves, { older: size, newer }).map((hash) => hash.toString('hex')) };
}

async function leavesOf(
  source: AuditSource,
  { size, offset }: { size: number; offset: number },
): Promise<{ leaves: LeafHashes; record: Uint8Array }> {
  const leaves = new LeafHashes();
  let record: Uint8Array = new Uint8Array(0);
  for await (const batch of source.records()) {
    for (const { offset: at, value } of batch.slice(0, size - leaves.count)) {
      leaves.append(leafHash(value));
      if (at === offset) record = value;
    }
    if (leaves.count === size) break;
  }
  return { leaves, record };
}

/** What whoever reads a proof knows from elsewhere. */
export interface KnownFromElsewhere {
  /** Ids of trackers to be trusted; undefined when none were named. */
  readonly trusted: ReadonlySet<string> | undefined;
  /** The checkpoint that was kept, or null. */
  readonly kept: KeptCheckpoint | null;
}

/** The verdict on a proof. */
export interface JudgedProof {
  readonly verdict: Verification['verdict'];
  readonly problem: string | null;
  readonly trust: Verification['trust'];
  /** Null when it proves nothing. */
  readonly proved: Proved | null;
}

/** Judges a proof by itself and by what is known from elsewhere. Throws BadInput for what is no proof at all. */
export function judgedProof(text: string, { trusted, kept }: KnownFromElsewhere): JudgedProof {
  const proof = parsedProof(text);
  const proved = checkedProof(proof);
  const judged = (verdict: Verification['verdict'], problem: string | null): JudgedProof => {
    const isTrusted = verdict === 'sound' && trusted !== undefined;
    return {
      verdict,
      problem,
      trust: isTrusted ? 'signed' : 'consistent',
      proved: typeof proved === 'string' ? null : proved,
    };
  };
  if (typeof proved === 'string') return judged('tampered', proved);
  if (trusted !== undefined && !trusted.has(proved.trackerId)) {
    return judged('incomplete', `${proved.trackerId}, who signed it, is no tracker that you trust`);
  }
  return kept === null ? judged('sound', null) : judgedBy(kept, { proof, proved, judged });
}

/** What is proved has to go on from what was kept, and not from what the proof says was. */
function judgedBy(
  kept: KeptCheckpoint,
  {
    proof,
    proved,
    judged,
  }: {
    proof: Proof;
    proved: Proved;
    judged: (verdict: Verification['verdict'], problem: string | null) => JudgedProof;
  },
): JudgedProof {
  if (kept.logId !== proved.logId) return judged('tampered', `${kept.name} is the checkpoint of another log`);
  const { consistency } = proof;
  if (consistency?.size === kept.size && consistency.root === kept.root) return judged('sound', null);
  return judged('incomplete', `it does not show that it goes on from ${kept.name}: have it made with --checkpoint`);
}

function checkedProof({ offset, record: base64, path, checkpoint, consistency }: Proof): Proved | string {
  const logId = /^cohort\/([0-9a-f]{64})\n/.exec(checkpoint.note)?.[1] ?? '';
  const der = Buffer.from(checkpoint.publicKey, 'base64');
  const key = ed25519KeyOf(der);
  if (key === null || idOfPublicKey(der) !== checkpoint.trackerId)
    return 'the key is not that of the tracker that it names';
  const signed = checkpointSignedBy(key, { note: checkpoint.note, logId });
  if (signed === null) return 'the signature on the checkpoint does not hold';
  const record = Buffer.from(base64, 'base64');
  const root = rootOfPath(leafHash(record), hashesOf(path), { index: offset, size: signed.size });
  if (root?.toString('hex') !== signed.root) return 'the record is not at that offset of what the checkpoint is about';
  if (consistency !== null) {
    const older = { size: consistency.size, root: Buffer.from(consistency.root, 'hex') };
    const newer = { size: signed.size, root };
    if (!isConsistent(hashesOf(consistency.path), older, newer))
      return 'the older checkpoint is about another beginning';
  }
  const { trackerId } = checkpoint;
  return { logId, offset, size: signed.size, trackerId, record, olderSize: consistency?.size ?? null };
}

function hashesOf(path: readonly string[]): Buffer[] {
  return path.map((hash) => Buffer.from(hash, 'hex'));
}

function parsedProof(text: string): Proof {
  try {
    const proof: unknown = JSON.parse(text);
    if (isProof(proof)) return proof;
  } catch {
    // Told below.
  }
  throw new BadInput('--proof: that is no proof; give a file with what cohort audit prove has printed');
}

/** Whether it has the form of a proof: whoever hands one out can write what they like. */
function isProof(value: unknown): value is Proof {
  const fields = {
    offset: 'number',
    record: 'string',
    path: 'object',
    checkpoint: 'object',
    consistency: 'object?',
  } as const;
  if (!hasFields(value, fields)) return false;
  const { offset, path, checkpoint, consistency } = value as Proof;
  const isNote = hasFields(checkpoint, { trackerId: 'string', publicKey: 'string', note: 'string' });
  return Number.isSafeInteger(offset) && isPath(path) && isNote && (consistency === null || isConsistency(consistency));
}

function isConsistency(value: NonNullable<Proof['consistency']>): boolean {
  const { size, path } = value;
  return hasFields(value, { size: 'number', root: 'string' }) && Number.isSafeInteger(size) && isPath(path);
}

function isPath(value: unknown): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === 'string' && /^[0-9a-f]{64}$/.test(part));
}
