// Owns finding out whether trackers of a log run: each is greeted where it registered, by a stranger with a key of its own. One
// that is not reached from here may run all the same.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrackerEntry } from '#domain/state';
import { loadOrCreateIdentity } from '#identity/identity';
import { greet, type Greeted } from '../operator/tracker-greeting.ts';

/** What each was found to be. */
export async function greetedTrackers(trackers: readonly TrackerEntry[]): Promise<Greeted[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-copy-'));
  try {
    const identity = await loadOrCreateIdentity(folder);
    return await Promise.all(trackers.map((entry) => greet(entry, identity)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
