// Owns which of its own copies a peer looks through before it fetches something: those of the same user alone, so that nobody
// learns from a download what another user of the machine has; the likeliest first, and a bounded number of them.
import { REUSED_COPIES_MAX, REUSED_MANIFEST_BYTES_MAX } from '#wire/limits';
import type { LocalCopies, LocalCopy } from '../swarm/transfer-engine.ts';
import type { DownloadRecord, TransferRecord } from './transfer-record.ts';
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
    let manifest: Uint8Array | null = null;
    let bytesLeft = REUSED_MANIFEST_BYTES_MAX;
    for (const { path, share } of candidates) {
      const manifestBytes = await this.#parts.store.readManifest(share!.contentId);
      if (manifestBytes === null) continue;
      bytesLeft -= manifestBytes.length;
      if (bytesLeft < 0) break;
      if (share!.contentId === wanted.share!.contentId) manifest = manifestBytes;
      copies.push({ manifestBytes, path });
    }
    return { manifestBytes: manifest, copies };
  }
}

function candidatesFor(wanted: DownloadRecord, records: readonly TransferRecord[]): readonly TransferRecord[] {
  const own = records.filter(
    (record) => record !== wanted && record.user === wanted.user && record.share !== null && isWhole(record),
  );
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

/** What is found first of some bytes is where they are looked for: one that lacks them would hide another that has them. */
function isWhole(record: TransferRecord): boolean {
  return record.completedAtMs !== null && !(record.direction === 'download' && record.isPartial === true);
}

/** The content itself, then other versions of the file, then what is at its destination, then whatever came last. */
function rankOf({ share, group, file, path }: TransferRecord, wanted: DownloadRecord): number {
  if (share!.contentId === wanted.share!.contentId) return 0;
  if (group === wanted.group && file === wanted.file) return 1;
  return path === wanted.path ? 2 : 3;
}
