// Owns comparing two running trackers by what they say at their HTTP ports: at the last offset that both have applied, and where
// they differ first. Digests are chained, so once two differ they differ from there on, and halving finds the place.
import { BadInput } from '#identity/start-input';
import { formatHostPort, parseHostPort } from '#wire/host-port';
import { LogFailure } from '../command-log/command-log.ts';

/** What one tracker has at an offset, hex. */
export interface DigestAt {
  readonly offset: number;
  readonly root: string;
  readonly digest: string;
}

/** What was found of two trackers. */
export interface Comparison {
  readonly verdict: 'equal' | 'different';
  /** The last offset that both have applied. */
  readonly offset: number;
  readonly left: DigestAt | null;
  readonly right: DigestAt | null;
  /** Where they differ first, as near as both still hold digests; null when they are equal, or of two logs. */
  readonly firstDifference: {
    /** `records`: they read different ones; `effects`: the same records came to something else. */
    readonly kind: 'records' | 'effects';
    /** The first difference is behind this offset, -1 for none that is known to be equal ... */
    readonly equalAt: number;
    /** ... and not behind this one. */
    readonly differentAt: number;
  } | null;
  readonly problem: string | null;
}

/** A tracker's HTTP port. */
export interface TrackerPort {
  readonly name: string;
  /** What it has applied: of which log, and up to where. Rejects with `log_unavailable` when it does not answer. */
  status(): Promise<{ logId: string | null; appliedOffset: number }>;
  /** Null when it does not hold the digest of that offset any more. */
  digestAt(offset: number): Promise<DigestAt | null>;
}

const TIMEOUT_MS = 5_000;
/** Beyond the last million offsets a tracker holds the digest of the last of every so many. */
const HELD_EVERY = 1_024;

/** Compares two trackers, in as many questions as the offset has binary digits. */
export async function compareTrackers(left: TrackerPort, right: TrackerPort): Promise<Comparison> {
  const [one, other] = await Promise.all([left.status(), right.status()]);
  const offset = Math.min(one.appliedOffset, other.appliedOffset);
  const nothing = { offset, left: null, right: null, firstDifference: null };
  if (offset < 0) throw unavailable('one of them has applied nothing yet: try again when both are ready');
  if (one.logId !== other.logId) {
    const problem = `they read two logs: ${left.name} ${one.logId}, ${right.name} ${other.logId}`;
    return { verdict: 'different', ...nothing, problem };
  }
  const pair = new TrackerPair(left, right);
  const [ofLeft, ofRight] = await pair.at(offset);
  if (ofLeft === null || ofRight === null) throw unavailable('they move on faster than they can be asked: try again');
  const found = { offset, left: ofLeft, right: ofRight };
  if (isEqual(ofLeft, ofRight)) return { verdict: 'equal', ...found, firstDifference: null, problem: null };
  const firstDifference = await pair.firstDifference(offset);
  return { verdict: 'different', ...found, firstDifference, problem: sentence(firstDifference) };
}

/** The HTTP port of a tracker, from `host:port` or an http address. Throws BadInput. */
export function trackerPortOf(text: string): TrackerPort {
  const parsed = parseHostPort(text.replace(/^http:\/\//, '').replace(/\/$/, ''));
  if (!parsed.ok) throw new BadInput(`"${text}" is no address of a tracker's HTTP port: ${parsed.message}`);
  const name = formatHostPort(parsed.address);
  return {
    name,
    status: async () => (await answerOf(name, '/status')) as { logId: string | null; appliedOffset: number },
    digestAt: async (offset) => (await answerOf(name, `/digest?at=${offset}`)) as DigestAt | null,
  };
}

/** Null for what is not there. */
async function answerOf(name: string, path: string): Promise<object | null> {
  let response: Response;
  try {
    response = await fetch(`http://${name}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  } catch (error) {
    throw unavailable(`${name} does not answer: give the --http address of a tracker that runs`, error);
  }
  if (response.status === 404) return null;
  if (!response.ok) throw unavailable(`${name} answers ${path} with ${response.status}`);
  return (await response.json()) as object;
}

function unavailable(message: string, cause?: unknown): LogFailure {
  return new LogFailure('log_unavailable', message, cause);
}

class TrackerPair {
  readonly #left: TrackerPort;
  readonly #right: TrackerPort;

  constructor(left: TrackerPort, right: TrackerPort) {
    this.#left = left;
    this.#right = right;
  }

  at(offset: number): Promise<[DigestAt | null, DigestAt | null]> {
    return Promise.all([this.#left.digestAt(offset), this.#right.digestAt(offset)]);
  }

  /** Halves what lies between the last equal offset and the first different one, while both hold something there. */
  async firstDifference(offset: number): Promise<NonNullable<Comparison['firstDifference']>> {
    let [equalAt, differentAt] = [-1, offset];
    while (differentAt - equalAt > 1) {
      const middle = await this.#heldBetween(equalAt, differentAt);
      if (middle === null) break;
      if (isEqual(...middle)) equalAt = middle[0].offset;
      else differentAt = middle[0].offset;
    }
    const [left, right] = await this.at(differentAt);
    return { kind: left?.root === right?.root ? 'effects' : 'records', equalAt, differentAt };
  }

  /** Digests of both near the middle; null when none is held strictly between the two. */
  async #heldBetween(equalAt: number, differentAt: number): Promise<[DigestAt, DigestAt] | null> {
    const middle = Math.floor((equalAt + differentAt) / 2);
    const below = middle - ((middle + 1) % HELD_EVERY);
    const candidates = [middle, below, below + HELD_EVERY];
    for (const offset of candidates.filter((candidate) => candidate > equalAt && candidate < differentAt)) {
      const [left, right] = await this.at(offset);
      if (left !== null && right !== null) return [left, right];
    }
    return null;
  }
}

function isEqual(left: DigestAt, right: DigestAt): boolean {
  return left.root === right.root && left.digest === right.digest;
}

function sentence({ kind, equalAt, differentAt }: NonNullable<Comparison['firstDifference']>): string {
  const where =
    equalAt + 1 === differentAt ? `at offset ${differentAt}` : `somewhere from offset ${equalAt + 1} to ${differentAt}`;
  return kind === 'records'
    ? `they have different records ${where}`
    : `the same records came to different effects ${where}`;
}
