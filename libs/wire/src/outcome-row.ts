// Owns the row of an outcome in the bytes of a state, see state-codec.ts.
import type { CommandResult, Outcome, SharedContent } from '#domain/outcome';
import { REJECTION_REASONS, type RejectionReason } from '#domain/rejection';
import type { RememberedOutcome } from '#domain/state';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readContent, readIdIfAny, writeContent, writeIdIfAny } from './state-fields.ts';

const HAS = { sessionId: 1, groupId: 2, share: 4, version: 8 } as const;

/** Writes what comes behind the kind of the row. */
export function writeOutcome(
  to: ByteWriter,
  [key, { offset, peerId, content, outcome }]: [string, RememberedOutcome],
): void {
  to.u64(offset).anyText(key);
  writeIdIfAny(to, peerId);
  to.anyText(content);
  if (outcome.status === 'rejected') to.u8(0).anyText(outcome.reason);
  else writeResult(to.u8(1), outcome.result);
}

function writeResult(to: ByteWriter, { sessionId, groupId, share }: CommandResult): void {
  const flag = (has: number, value: unknown): number => (value === undefined ? 0 : has);
  const flags = flag(HAS.sessionId, sessionId) + flag(HAS.groupId, groupId) + flag(HAS.share, share);
  to.u8(flags + flag(HAS.version, share?.version));
  if (sessionId !== undefined) to.u64(sessionId);
  if (groupId !== undefined) to.u64(groupId);
  if (share === undefined) return;
  to.u64(share.groupId).u64(share.shareId);
  writeContent(to, share);
  if (share.version !== undefined) to.u64(share.version);
}

/** Reads what `writeOutcome` wrote, into the outcomes. */
export function readOutcome(from: ByteReader, outcomes: Map<string, RememberedOutcome>): void {
  const offset = from.u64();
  const key = from.anyText();
  const peerId = readIdIfAny(from);
  const content = from.anyText();
  const outcome: Outcome =
    from.u8() === 0
      ? { status: 'rejected', reason: readReason(from) }
      : { status: 'accepted', result: readResult(from) };
  outcomes.set(key, { offset, peerId, content, outcome });
}

function readReason(from: ByteReader): RejectionReason {
  const text = from.anyText();
  const reason = REJECTION_REASONS.find((candidate) => candidate === text);
  if (reason === undefined) from.problem ??= `has the unknown reason "${text}"`;
  return reason ?? 'malformed_record';
}

/** There are a million of them: to spread what may be there would take longer than to add it. */
function readResult(from: ByteReader): CommandResult {
  const flags = from.u8();
  const result: { sessionId?: number; groupId?: number; share?: SharedContent } = {};
  if ((flags & HAS.sessionId) !== 0) result.sessionId = from.u64();
  if ((flags & HAS.groupId) !== 0) result.groupId = from.u64();
  if ((flags & HAS.share) !== 0) result.share = readSharedContent(from, flags);
  return result;
}

function readSharedContent(from: ByteReader, flags: number): SharedContent {
  const [groupId, shareId] = [from.u64(), from.u64()];
  const shared = { ...readContent(from), groupId, shareId };
  return (flags & HAS.version) === 0 ? shared : { ...shared, version: from.u64() };
}
