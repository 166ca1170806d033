// Owns finding out whether trackers of a log run: each is greeted where it registered, by a stranger with a key of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrackerEntry } from '#domain/state';
import { loadOrCreateIdentity } from '#identity/identity';
import { greet } from '../operator/tracker-greeting.ts';

/** The addresses of those that answer from here. */
export async function runningTrackers(trackers: readonly TrackerEntry[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-copy-'));
  try {
    const identity = await loadOrCreateIdentity(folder);
    const greeted = await Promise.all(trackers.map((entry) => greet(entry, identity)));
    return greeted.filter(({ answers }) => answers).map(({ address }) => address);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
