// Owns which of its own copies a peer looks through before it fetches something: those of the same user alone, so that nobody
// learns from a download what another user of the machine has; the likeliest first, and a bounded number of them. A manifest can be
// shared anew by whoever knows it, so what comes of another group's copy is the very same content only, and goes to nobody.
import { REUSED_COPIES_MAX, REUSED_MANIFEST_BYTES_MAX } from '#wire/limits';
import type { LocalCopies, LocalCopy } from '../swarm/transfer-engine.ts';
import { type DownloadRecord, isPrivate, type TransferRecord } from './transfer-record.ts';
import type { TransferStore } from './transfer-store.ts';

interface Parts {
  readonly store: Pick<TransferStore, 'readManifest'>;
  readonly records: () => readonly TransferRecord[];
}

export class CopiesAtHand {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What there is that a download may share bytes with. */
  async of(wanted: DownloadRecord): Promise<LocalCopies> {
    const candidates = candidatesFor(wanted, this.#parts.records());
    const copies: LocalCopy[] = [];
    const elsewhere: LocalCopy[] = [];
    let manifest: Uint8Array | null = null;
    let bytesLeft = REUSED_MANIFEST_BYTES_MAX;
    for (const record of candidates) {
      const { path, share } = record;
      const manifestBytes = await this.#parts.store.readManifest(share!.contentId);
      if (manifestBytes === null) continue;
      bytesLeft -= manifestBytes.length;
      if (bytesLeft < 0) break;
      if (isSameContent(record, wanted)) manifest = manifestBytes;
      (isOfGroup(record, wanted) ? copies : elsewhere).push({ manifestBytes, path });
    }
    return { manifestBytes: manifest, copies, elsewhere };
  }
}

function candidatesFor(wanted: DownloadRecord, records: readonly TransferRecord[]): readonly TransferRecord[] {
  const whole = records.filter(
    (record) => record !== wanted && record.user === wanted.user && record.share !== null && isWhole(record),
  );
  const ofGroup = whole.filter((record) => isOfGroup(record, wanted));
  const isHere = ofGroup.some((record) => isSameContent(record, wanted));
  const others = isHere || !mayBePrivate(wanted) ? [] : whole.filter((record) => isElsewhere(record, wanted));
  const own = [...ofGroup, ...others];
  const ordered = own
    .map((record) => ({ record, rank: rankOf(record, wanted) }))
    .toSorted((left, right) => left.rank - right.rank || right.record.completedAtMs! - left.record.completedAtMs!);
  const seen = new Set<string>();
  const once = ordered.flatMap(({ record }) => {
    const place = `${record.share!.contentId} ${record.path}`;
    if (seen.has(place)) return [];
    seen.add(place);
    return [record];
  });
  return once.slice(0, REUSED_COPIES_MAX);
}

/** Its members have this content already, or could have it: served to them it opens no door. */
function isOfGroup(record: TransferRecord, wanted: DownloadRecord): boolean {
  const isGroups = record.logId === wanted.logId && record.share!.groupId === wanted.share!.groupId;
  return isGroups && !isPrivate(record);
}

function isElsewhere(record: TransferRecord, wanted: DownloadRecord): boolean {
  return isSameContent(record, wanted) && !isOfGroup(record, wanted);
}

function isSameContent({ share }: TransferRecord, wanted: DownloadRecord): boolean {
  return share!.contentId === wanted.share!.contentId;
}

/** One that others had a part of already, or that is there for the group's sake, goes on as it is. */
function mayBePrivate({ isPrivate: isSo, verifiedBytes, forGroup }: DownloadRecord): boolean {
  return forGroup !== true && (isSo === true || verifiedBytes === 0);
}

/** What is found first of some bytes is where they are looked for: one that lacks them would hide another that has them. */
function isWhole(record: TransferRecord): boolean {
  return record.completedAtMs !== null && !(record.direction === 'download' && record.isPartial === true);
}

/** The content itself, then other versions of the file, then what is at its destination, then whatever came last. */
function rankOf(record: TransferRecord, wanted: DownloadRecord): number {
  const { group, file, path } = record;
  if (isSameContent(record, wanted)) return 0;
  if (group === wanted.group && file === wanted.file) return 1;
  return path === wanted.path ? 2 : 3;
}
