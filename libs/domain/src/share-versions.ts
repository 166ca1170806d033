// Owns how versions of a file stand in a state: the newest under the name, the older ones in its history, in the order of their
// numbers. When the newest goes, the one before it takes its place, and its number does not come again.
import type { Group, Share } from './state.ts';

/** All versions of a file that are there, the newest first; none when there is no such file. */
export function versionsOf({ shares }: Group, file: string): Share[] {
  const newest = shares.get(file);
  if (newest === undefined) return [];
  return newest.history === null ? [newest] : [newest, ...newest.history.older.toReversed()];
}

/** A version by its number, or undefined. */
export function versionOf({ shares }: Group, file: string, version: number): Share | undefined {
  const newest = shares.get(file);
  if (newest?.version === version) return newest;
  return newest?.history?.older.find((older) => older.version === version);
}

/** A version by the id of its share, or undefined. */
export function shareOfId({ shares }: Group, file: string, shareId: number): Share | undefined {
  const newest = shares.get(file);
  if (newest?.id === shareId) return newest;
  return newest?.history?.older.find(({ id }) => id === shareId);
}

/** Who may publish the next version beside the group's owner: who shared the first. */
export function sharerOf(newest: Share): string {
  return newest.history?.sharedFirstBy ?? newest.sharedBy;
}

/** The number that the next version gets. */
export function nextVersionOf(newest: Share): number {
  return (newest.history?.lastVersion ?? newest.version) + 1;
}

/** Puts the next version in the place of the newest. */
export function addVersion({ shares }: Group, next: Share): void {
  const before = shares.get(next.file)!;
  const history = { sharedFirstBy: sharerOf(before), lastVersion: next.version, older: before.history?.older ?? [] };
  history.older.push(before);
  before.history = null;
  next.history = history;
  shares.set(next.file, next);
}

/** Takes a version out; with the last one the name is free. */
export function removeVersion({ shares }: Group, share: Share): void {
  const newest = shares.get(share.file)!;
  const older = newest.history?.older ?? [];
  if (share !== newest) {
    older.splice(older.indexOf(share), 1);
    return;
  }
  const before = older.pop();
  if (before === undefined) {
    shares.delete(share.file);
    return;
  }
  before.history = newest.history;
  newest.history = null;
  shares.set(share.file, before);
}
