// Owns links for tests, against trackers that the tests play over real connections; each test begins with two of them, and with
// nothing remembered. What has to happen is waited for, not slept for.
import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { FileReports } from '#identity/durable-file';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import type { TrackerEntry } from '#wire/tracker-info';
import { FailoverLink } from '../../../../apps/peer/src/tracker-link/failover-link.ts';
import { LinkMemory } from '../../../../apps/peer/src/tracker-link/link-memory.ts';
import type { LinkEvent } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TrackerTrust } from '../../../../apps/peer/src/tracker-link/tracker-trust.ts';
import { PlayedTracker } from './played-tracker.ts';

/** Where the peer of these tests keeps what it remembers. */
export const directory = mkdtempSync(join(tmpdir(), 'cohort-link-'));
const identity: Identity = await loadOrCreateIdentity(directory);
const links: FailoverLink[] = [];
export let trackers: PlayedTracker[] = [];

beforeEach(async () => {
  for (const file of ['link.json', 'known-trackers.json']) rmSync(join(directory, file), { force: true });
  trackers = [await PlayedTracker.start(), await PlayedTracker.start()];
});
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
  await Promise.all(trackers.map((tracker) => tracker.kill()));
});

/** A link that runs. */
export interface Started {
  readonly link: FailoverLink;
  readonly events: LinkEvent[];
  /** Resolves with the first event that fits, past or to come. */
  seen(fits: (event: LinkEvent) => boolean): Promise<LinkEvent>;
}

/** Starts a link to these trackers, on what the last one has left. */
export async function start(entries: readonly TrackerEntry[]): Promise<Started> {
  const link = new FailoverLink({
    identity,
    trackers: entries,
    trust: await TrackerTrust.open(entries, join(directory, 'known-trackers.json'), reports),
    memory: await LinkMemory.open(join(directory, 'link.json'), reports),
    addresses: ['127.0.0.1:9'],
    transport: 'tls',
    random: () => 0,
  });
  links.push(link);
  const events: LinkEvent[] = [];
  const waiting: (() => void)[] = [];
  link.onEvent((event) => {
    events.push(event);
    for (const look of waiting.splice(0)) look();
  });
  const seen = async (fits: (event: LinkEvent) => boolean): Promise<LinkEvent> => {
    for (;;) {
      const found = events.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  link.start();
  return { link, events, seen };
}

export const reports: FileReports = {
  writeFailed: (_path, error) => {
    throw error;
  },
  damaged: (path) => {
    throw new Error(path);
  },
};
/** The trackers with their keys. */
export const pinned = (): TrackerEntry[] => trackers.map((tracker) => tracker.entry());
/** The event that a tracker is in a state now. */
export const becomes = (tracker: PlayedTracker, state: string) => (event: LinkEvent) =>
  event.type === 'tracker_changed' &&
  event.tracker.address === tracker.asKnown().address &&
  event.tracker.state === state;

export async function allReady(started: Started): Promise<void> {
  await Promise.all(trackers.map((tracker) => started.seen(becomes(tracker, 'ready'))));
}

/** Answers of a tracker. */
export const accepts = (offset: number) => () => ({ status: 'accepted', offset, result: {} });
export const groups = { status: 'accepted', view: { items: [], next: null } };
