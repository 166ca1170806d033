// Owns what a peer fetches by itself so that its groups have as many copies as they want: what is rarest first, nothing that
// others are fetching already, and not at the same moment as others who see the same shortage. Pure: time and chance come in.

/** Peers that see a shortage begin at different moments within this time, and each sees then what others have begun. */
export const SPREAD_MS = 10_000;
/** A moment that passed unused so long ago is drawn anew: peers that were busy may all be free again at once. */
const MISSED_MS = 2_000;
/** How long copies that are being fetched count as if they were there. */
export const TRUST_MS = 3_600_000;
/** What is left free of a disk. */
export const DISK_RESERVE_BYTES = 1024 * 1024 * 1024;

/** A file of a group, as far as its copies go: those online, and how many complete ones the group wants. */
export interface WantedFile {
  readonly group: string;
  readonly file: string;
  readonly contentId: string;
  readonly totalBytes: number;
  readonly wantedCopies: number;
  readonly completeCopies: number;
  readonly partialCopies: number;
}

/** A file with too few complete copies: since when, and from when on this peer may fetch it; null while others fetch enough. */
export interface Shortage {
  readonly sinceMs: number;
  readonly notBeforeMs: number | null;
}

/** What is known of shortages now, by `wantedKey`, from what was known before. `random` is uniform in [0, 1). */
export function shortagesOf(
  files: readonly WantedFile[],
  before: ReadonlyMap<string, Shortage>,
  { nowMs, random }: { readonly nowMs: number; readonly random: () => number },
): Map<string, Shortage> {
  const shortages = new Map<string, Shortage>();
  for (const file of files) {
    if (!isShort(file)) continue;
    const known = before.get(wantedKey(file));
    const sinceMs = known?.sinceMs ?? nowMs;
    const drawnMs = known?.notBeforeMs ?? -Infinity;
    const notBeforeMs = drawnMs >= nowMs - MISSED_MS ? drawnMs : nowMs + random() * SPREAD_MS;
    const isLacking = expectedCopies(file, nowMs - sinceMs) < file.wantedCopies;
    shortages.set(wantedKey(file), { sinceMs, notBeforeMs: isLacking ? notBeforeMs : null });
  }
  return shortages;
}

/** The file to fetch next and when at the soonest, or null: of the rarest that have room, the one whose time comes first. */
export function nextToKeep(
  files: readonly WantedFile[],
  { shortages, roomBytes }: { readonly shortages: ReadonlyMap<string, Shortage>; readonly roomBytes: number },
): { readonly file: WantedFile; readonly notBeforeMs: number } | null {
  const lacking = files.flatMap((file) => {
    const notBeforeMs = shortages.get(wantedKey(file))?.notBeforeMs ?? null;
    return notBeforeMs === null || file.totalBytes > roomBytes ? [] : [{ file, notBeforeMs }];
  });
  const rarestFirst = lacking.sort(
    (left, right) => rarity(left.file) - rarity(right.file) || left.notBeforeMs - right.notBeforeMs,
  );
  return rarestFirst[0] ?? null;
}

/** What may still be fetched, in bytes. `pendingBytes` are to come of what is being fetched, and are not on the disk yet. */
export function roomBytesOf(store: {
  readonly limitBytes: number;
  readonly keptBytes: number;
  readonly freeBytes: number;
  readonly pendingBytes: number;
}): number {
  const { limitBytes, keptBytes, freeBytes, pendingBytes } = store;
  return Math.max(0, Math.min(limitBytes - keptBytes, freeBytes - pendingBytes - DISK_RESERVE_BYTES));
}

/** What names a file in one of its versions. */
export function wantedKey({ group, file, contentId }: Pick<WantedFile, 'group' | 'file' | 'contentId'>): string {
  return `${contentId} ${group}/${file}`;
}

/** Whether it has fewer complete copies than are wanted, and one at least that can be fetched. */
function isShort({ completeCopies, wantedCopies }: WantedFile): boolean {
  return completeCopies > 0 && completeCopies < wantedCopies;
}

function expectedCopies({ completeCopies, partialCopies }: WantedFile, shortForMs: number): number {
  return completeCopies + (shortForMs < TRUST_MS ? partialCopies : 0);
}

function rarity({ completeCopies, partialCopies }: WantedFile): number {
  return completeCopies + partialCopies;
}
