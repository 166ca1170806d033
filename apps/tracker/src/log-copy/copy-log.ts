// Owns copying a log, from wherever to wherever: records byte for byte at their offsets, with what stands beside them, and then the
// proof that both come to the same. Interrupted at any moment it can be run again.
import { createHash, type Hash } from 'node:crypto';
import type { TrackerEntry } from '#domain/state';
import { BadInput } from '#identity/start-input';
import { type SignedExtent, signedExtentOf } from '../audit/last-checkpoint.ts';
import { type AuditSource, replay } from '../audit/replay.ts';
import type { StoredRecord } from '../command-log/command-log.ts';
import type { DerivedState } from '../replica/derived-state.ts';
import type { CopySource, CopyTarget } from './copy-end.ts';

/** What a log has, as far as two of them can be compared by it. */
interface LogContent {
  readonly logId: string | null;
  readonly records: number;
  /** RFC 6962 Merkle root over the records, hex. */
  readonly root: string;
  /** Effect digest after the last one, hex. */
  readonly digest: string;
  /** SHA-256 of what stands beside the records, hex. */
  readonly beside: string;
}

/** What was copied. */
export interface Copied extends Omit<LogContent, 'beside'> {
  /** How many of the records were there before. */
  readonly heldCount: number;
  /** How many the last checkpoint that agrees is about. */
  readonly signedRecords: number;
  /** What a checkpoint has against the log, as a sentence, or null. */
  readonly dispute: string | null;
}

/**
 * Copies all that the source has when it is read. Nothing is made before the source is proven to be one. Rejects with BadInput,
 * `NewerRules` or LogFailure.
 */
export async function copyLog(
  source: CopySource,
  openTarget: () => Promise<CopyTarget>,
  onProgress?: (offset: number) => void,
): Promise<Copied> {
  await source.prove();
  const target = await openTarget();
  try {
    return await copyTo(target, source, onProgress);
  } finally {
    await target.close();
  }
}

async function copyTo(target: CopyTarget, source: CopySource, onProgress?: (offset: number) => void): Promise<Copied> {
  const { content, extent, trackers } = await copyRecords(source, target, onProgress);
  if (content.logId === null) throw new BadInput(`${source.name} has no genesis: there is no log to copy`);
  await target.finish(extent);
  const there = await contentOf(target.written());
  refuseDifference(content, there, target);
  if (target.isLog) await source.refuseUse({ ...content, trackers });
  await target.keep();
  const { beside: _beside, ...copied } = content;
  const { last, dispute } = extent;
  return { ...copied, heldCount: target.heldCount, signedRecords: last?.size ?? 0, dispute };
}

/** The state that the records came to is let go of before there is another one. */
async function copyRecords(
  source: CopySource,
  target: CopyTarget,
  onProgress?: (offset: number) => void,
): Promise<{ content: LogContent; extent: Omit<SignedExtent, 'derived'>; trackers: readonly TrackerEntry[] }> {
  const beside = createHash('sha256');
  const take = async (records: readonly StoredRecord[]): Promise<void> => {
    noteBeside(beside, records);
    await target.take(records);
  };
  const { derived, ...extent } = await signedExtentOf(readingThrough(source, take), { onProgress });
  return { content: contentIn(derived, beside), extent, trackers: [...derived.state.trackers.values()] };
}

async function contentOf(source: AuditSource): Promise<LogContent> {
  const beside = createHash('sha256');
  const derived = await replay(readingThrough(source, async (records) => noteBeside(beside, records)));
  return contentIn(derived, beside);
}

/** The same source, whose records are handed to somebody before they are applied. */
function readingThrough(source: AuditSource, take: (records: readonly StoredRecord[]) => Promise<void>): AuditSource {
  return {
    name: source.name,
    close: () => source.close(),
    async *records() {
      for await (const batch of source.records()) {
        await take(batch);
        yield batch;
      }
    },
  };
}

function noteBeside(hash: Hash, records: readonly StoredRecord[]): void {
  for (const { offset, sealed } of records) if (sealed !== null) hash.update(`${offset} ${sealed}\n`);
}

function contentIn({ state, root, digest }: DerivedState, beside: Hash): LogContent {
  const { logId, appliedOffset } = state;
  return { logId, records: appliedOffset + 1, root, digest, beside: beside.digest('hex') };
}

function refuseDifference(content: LogContent, there: LogContent, { name }: CopyTarget): void {
  for (const field of Object.keys(content) as (keyof LogContent)[]) {
    if (content[field] === there[field]) continue;
    const difference = `${field} is ${there[field]}, and not ${content[field]}`;
    throw new BadInput(`what stands in ${name} is not what was copied (its ${difference}): copy to another place`);
  }
}
