// Owns which trackers are looked at, and which key each must show: those of a tracker_info.txt when one is at hand, otherwise
// those that the running peer names, or that the last one remembered.
import { join } from 'node:path';
import { readTextIfThere } from '#identity/durable-file';
import { BadInput, readTrackers } from '#identity/start-input';
import type { TrackerView } from '#wire/control-status';
import { formatHostPort, type HostPort, parseHostPort } from '#wire/host-port';
import { type Finding, Findings } from './finding.ts';

/** A tracker to look at. */
export interface ListedTracker {
  readonly address: HostPort;
  /** Id of the key that tracker_info.txt gives; null when it gives none, or is not at hand. */
  readonly pinnedId: string | null;
  /** Id of the key that this peer has trusted before. */
  readonly rememberedId: string | null;
}

/** Where trackers are known from. */
export interface TrackerSources {
  readonly dataDirectory: string;
  /** Path of a tracker_info.txt, or null. */
  readonly trackerInfo: string | null;
  /** As the running peer names them; null when none runs. */
  readonly trackers: readonly TrackerView[] | null;
}

/** The trackers, and what is to be said of the list itself. */
export interface TrackerList {
  readonly finding: Finding;
  readonly trackers: readonly ListedTracker[];
}

/** Finds the trackers. */
export async function listTrackers({ dataDirectory, trackerInfo, trackers }: TrackerSources): Promise<TrackerList> {
  const findings = new Findings('tracker_info.txt');
  const remembered = await rememberedIds(dataDirectory);
  if (trackerInfo !== null) return listedIn(trackerInfo, { findings, remembered, running: trackers });
  const named = trackers?.map(({ address }) => address) ?? [...remembered.keys()];
  const list = named.flatMap((text) => {
    const parsed = parseHostPort(text);
    return parsed.ok ? [{ address: parsed.address, pinnedId: null, rememberedId: remembered.get(text) ?? null }] : [];
  });
  const from = trackers === null ? 'this peer has known' : 'the running peer was given';
  const detail =
    list.length === 0
      ? 'No tracker is known here.'
      : `It is not at hand; those that ${from} are looked at: ${list.length}.`;
  return { finding: findings.unknown(detail, 'Name it as well: cohort doctor <tracker_info.txt>'), trackers: list };
}

interface ListContext {
  readonly findings: Findings;
  readonly remembered: ReadonlyMap<string, string>;
  /** What the peer that runs was given; null when none runs. */
  readonly running: readonly TrackerView[] | null;
}

async function listedIn(trackerInfo: string, { findings, remembered, running }: ListContext): Promise<TrackerList> {
  try {
    const entries = await readTrackers(trackerInfo);
    const trackers = entries.map(({ trackerId, ...address }) => ({
      address,
      pinnedId: trackerId,
      rememberedId: remembered.get(formatHostPort(address)) ?? null,
    }));
    const listed = new Set(trackers.map(({ address }) => formatHostPort(address)));
    const isOther = running !== null && !isSame(listed, new Set(running.map(({ address }) => address)));
    const detail = `${trackerInfo} lists other trackers than the running peer was given.`;
    const finding = isOther
      ? findings.warning(detail, 'Restart the peer with this file, or name the right one.')
      : aboutList(trackerInfo, findings, trackers);
    return { finding, trackers };
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return { finding: findings.problem(error.message, 'Correct the file.'), trackers: [] };
  }
}

function isSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((each) => right.has(each));
}

function aboutList(trackerInfo: string, findings: Findings, trackers: readonly ListedTracker[]): Finding {
  const [first, ...others] = trackers;
  const count = `${trackerInfo} lists ${others.length + 1}`;
  if (first !== undefined && others.length === 0) {
    return findings.warning(
      `${count}: nothing goes on without it.`,
      'Run a second tracker on the same log, and list it too.',
    );
  }
  return findings.ok(`${count}.`);
}

/** Ids by address, as the peer of a data directory keeps them. */
async function rememberedIds(dataDirectory: string): Promise<ReadonlyMap<string, string>> {
  try {
    const text = await readTextIfThere(join(dataDirectory, 'known-trackers.json'));
    const { ids } = JSON.parse(text ?? '{"ids":{}}') as { ids: Record<string, string> };
    return new Map(Object.entries(ids));
  } catch {
    // The peer puts a damaged one aside when it starts, and says so.
    return new Map();
  }
}
