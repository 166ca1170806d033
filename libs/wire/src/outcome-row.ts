// Owns the row of an outcome in the bytes of a state, see state-codec.ts.
import type { CommandResult, Outcome, SharedContent } from '#domain/outcome';
import { REJECTION_REASONS, type RejectionReason } from '#domain/rejection';
import type { RememberedOutcome } from '#domain/state';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { KeptBytes, KeptPart } from './kept-bytes.ts';
import { ID_BYTES, passContent, readContent, readIdIfAny, writeContent, writeIdIfAny } from './state-fields.ts';

const HAS = { sessionId: 1, groupId: 2, share: 4, version: 8 } as const;

/** What is remembered of a record beside its offset. */
type Remembered = Omit<RememberedOutcome, 'offset'>;

/**
 * An outcome that stays bytes. A tracker has a million of them, and few are asked for ever again: to make all of them takes half of
 * the time in which a snapshot is read.
 */
class UnreadOutcome implements RememberedOutcome {
  readonly offset: number;
  readonly #bytes: Uint8Array;
  readonly #begin: number;
  readonly #end: number;

  constructor(offset: number, { bytes, begin, end }: KeptPart) {
    this.offset = offset;
    this.#bytes = bytes;
    this.#begin = begin;
    this.#end = end;
  }

  get peerId(): string | null {
    return this.#read().peerId;
  }

  get content(): string {
    return this.#read().content;
  }

  get outcome(): Outcome {
    return this.#read().outcome;
  }

  /** What `writeOutcome` wrote behind the key. */
  get written(): Uint8Array {
    return this.#bytes.subarray(this.#begin, this.#end);
  }

  #read(): Remembered {
    return readRemembered(new ByteReader(this.written));
  }
}

/** Writes what comes behind the kind of the row. */
export function writeOutcome(to: ByteWriter, [key, remembered]: readonly [string, RememberedOutcome]): void {
  to.u64(remembered.offset).anyText(key);
  if (remembered instanceof UnreadOutcome) to.bytes(remembered.written);
  else writeRemembered(to, remembered);
}

function writeRemembered(to: ByteWriter, { peerId, content, outcome }: Remembered): void {
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
export function readOutcome(from: ByteReader, outcomes: Map<string, RememberedOutcome>, kept: KeptBytes): void {
  const offset = from.u64();
  const key = from.anyText();
  const begin = from.position;
  if (passRemembered(from)) {
    const part = kept.keep({ bytes: from.bytes, begin, end: from.position });
    outcomes.set(key, new UnreadOutcome(offset, part));
    return;
  }
  from.goBack(begin);
  outcomes.set(key, { offset, ...readRemembered(from) });
}

/** Passes over what would be written again as it is. False at anything else, and then it stands somewhere within. */
function passRemembered(from: ByteReader): boolean {
  const hasPeer = from.u8();
  if (hasPeer > 1) return false;
  from.pass(hasPeer * ID_BYTES);
  return from.passAnyText() && from.u8() === 1 && passResult(from) && from.problem === null;
}

function passResult(from: ByteReader): boolean {
  const flags = from.u8();
  if (flags >= 2 * HAS.version) return false;
  if ((flags & HAS.sessionId) !== 0) from.u64();
  if ((flags & HAS.groupId) !== 0) from.u64();
  if ((flags & HAS.share) === 0) return (flags & HAS.version) === 0;
  from.u64();
  from.u64();
  const isPlain = passContent(from);
  if ((flags & HAS.version) !== 0) from.u64();
  return isPlain;
}

function readRemembered(from: ByteReader): Remembered {
  const peerId = readIdIfAny(from);
  const content = from.anyText();
  const outcome: Outcome =
    from.u8() === 0
      ? { status: 'rejected', reason: readReason(from) }
      : { status: 'accepted', result: readResult(from) };
  return { peerId, content, outcome };
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
