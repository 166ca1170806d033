// Owns the answer to "can others reach this peer?": one bounded TCP connect to the address that it gives, remembered for a
// while. Addresses that no peer has are never tried, nor loopback unless the peer itself comes from there.
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { isLoopback, mayDial } from '#identity/dialled-addresses';
import { parseHostPort } from '#wire/host-port';
import { REACHABILITY_KEPT_MAX, REACHABILITY_TIMEOUT_MS, REACHABILITY_TRIES_MAX } from '#wire/limits';

/** How long an answer counts: a peer that has just opened its firewall should not wait for long. */
const REACHABLE_FOR_MS = 60_000;
const UNREACHABLE_FOR_MS = 10_000;

interface Answer {
  readonly isReachable: boolean;
  readonly untilMs: number;
}

/** What to try, and where the request to try it came from. */
export interface ReachabilityQuestion {
  /** `host:port`. */
  readonly address: string;
  /** IP address of the peer's own connection. */
  readonly askedFrom: string;
}

/** What is known of the addresses that peers give. */
export class Reachability {
  readonly #answers = new Map<string, Answer>();
  readonly #underWay = new Set<string>();
  readonly #now: () => number;
  readonly #mayBegin: (askedFrom: string) => boolean;
  #isStopped = false;

  /** `mayBegin` limits how often one source can have addresses tried: a tracker is no port scanner. */
  constructor({ now, mayBegin }: { now: () => number; mayBegin: (askedFrom: string) => boolean }) {
    this.#now = now;
    this.#mayBegin = mayBegin;
  }

  /** The answer as far as it is known, null while it is not; begins to find out when nothing is known or it is old. */
  ask({ address, askedFrom }: ReachabilityQuestion): boolean | null {
    const answer = this.#answers.get(address);
    if (answer !== undefined && answer.untilMs > this.#now()) return answer.isReachable;
    const hasRoom = !this.#underWay.has(address) && this.#underWay.size < REACHABILITY_TRIES_MAX;
    if (!this.#isStopped && hasRoom && this.#mayBegin(askedFrom)) {
      this.#underWay.add(address);
      void this.#find({ address, askedFrom }).finally(() => this.#underWay.delete(address));
    }
    return answer?.isReachable ?? null;
  }

  /** Tries nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  async #find(question: ReachabilityQuestion): Promise<void> {
    const isReachable = await isReached(question);
    if (this.#answers.size >= REACHABILITY_KEPT_MAX) this.#answers.clear();
    const untilMs = this.#now() + (isReachable ? REACHABLE_FOR_MS : UNREACHABLE_FOR_MS);
    this.#answers.set(question.address, { isReachable, untilMs });
  }
}

/** Whether an IP address and port may be tried for a peer whose own connection comes from `askedFrom`. */
export function mayTry({ ip, port }: { ip: string; port: number }, askedFrom: string): boolean {
  if (!mayDial(ip, port)) return false;
  return !isLoopback(ip) || isLoopback(askedFrom);
}

async function isReached({ address, askedFrom }: ReachabilityQuestion): Promise<boolean> {
  const parsed = parseHostPort(address);
  if (!parsed.ok) return false;
  const { host, port } = parsed.address;
  try {
    const { address: ip } = await lookup(host);
    return mayTry({ ip, port }, askedFrom) && (await connects(ip, port));
  } catch {
    return false;
  }
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isConnected: boolean): void => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.setTimeout(REACHABILITY_TIMEOUT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
