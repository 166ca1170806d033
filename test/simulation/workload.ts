// Owns what people do with their peers: commands of every kind and views, drawn so that most of them make sense and enough do
// not. A command without an answer is sent again under its id, by the same peer and also by a peer that was killed
// meanwhile; some give up, and nobody ever knows.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DownloadPresence, PeerCommandBody } from '#wire/tracker-api';
import type { CommandAnswer, ViewAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import { type CommandBody, CommandDraws, type Person, type WorldSize } from './command-draws.ts';
import type { Invariants } from './invariants.ts';
import { drawnLook } from './look-draws.ts';
import type { Invocation } from './log-check.ts';
import type { SimulatedPeer } from './simulated-peer.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** How much goes on. */
export interface WorkloadSize extends WorldSize {
  /** Mean pause between two things that one person does. */
  readonly pauseMs: number;
}

/** A command on its way, kept over the death of its peer. */
interface Errand {
  readonly invocation: Invocation;
  readonly body: CommandBody;
  readonly user: string | null;
  attempts: number;
}

/** Failures that end a command: nobody repeats it. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'not_logged_in',
  'wrong_credentials',
  'rate_limited',
  'invalid_request',
]);
const DOWNLOADS_MAX = 4;

export class Workload {
  readonly #world: SimulatedWorld;
  readonly #invariants: Invariants;
  readonly #size: WorkloadSize;
  readonly #commands: CommandDraws;
  /** By peer id. */
  readonly #errands = new Map<string, Set<Errand>>();
  readonly #recent: Errand[] = [];
  /** By peer id, latest last. */
  readonly #downloading = new Map<string, DownloadPresence[]>();
  #isOver = false;
  #finished = 0;
  #retries = 0;

  constructor(world: SimulatedWorld, invariants: Invariants, size: WorkloadSize) {
    this.#world = world;
    this.#invariants = invariants;
    this.#size = size;
    this.#commands = new CommandDraws(world.draws, invariants.state, size);
  }

  /** Commands that have an answer, or were given up. */
  get finishedCount(): number {
    return this.#finished;
  }

  get retryCount(): number {
    return this.#retries;
  }

  /** Commands that somebody still waits for. */
  get openCount(): number {
    return [...this.#errands.values()].reduce((sum, errands) => sum + errands.size, 0);
  }

  /** Nothing new is begun; what is under way is brought to its end. */
  end(): void {
    this.#isOver = true;
  }

  /** A peer has started: somebody uses it, and takes up what its last run left open. */
  use(peer: SimulatedPeer, people: number): void {
    for (const errand of this.#errands.get(peer.id) ?? []) void this.#run(peer, errand);
    for (let person = 0; person < people; person++) void this.#live(peer);
    void this.#fetch(peer);
  }

  /** What a peer does by itself while it downloads: it asks for sources and a fresh grant, whatever people wait for. */
  async #fetch(peer: SimulatedPeer): Promise<void> {
    const { draws } = this.#world;
    while (!this.#isOver) {
      await sleep(draws.exponential(4 * this.#size.pauseMs));
      if (this.#downloading.has(peer.id))
        await this.#shown(peer, () => peer.link.findSources(this.#commands.download(this.#personOf(peer))));
    }
  }

  async #live(peer: SimulatedPeer): Promise<void> {
    const { draws } = this.#world;
    while (!this.#isOver) {
      await sleep(draws.exponential(this.#size.pauseMs));
      if (this.#isOver) return;
      if (draws.chance(0.3)) await this.#look(peer);
      else if (draws.chance(0.02)) await this.#repeatRecent(peer);
      else await this.#command(peer);
    }
  }

  async #command(peer: SimulatedPeer): Promise<void> {
    const { draws } = this.#world;
    const name = this.#commands.name(this.#personOf(peer));
    const body = this.#commands.body(this.#personOf(peer), name);
    const invocation = this.#invariants.begin({ commandId: draws.uuid(), name, peerId: peer.id });
    const errand = { invocation, body, user: peer.link.user(), attempts: 0 };
    const errands = this.#errands.get(peer.id) ?? new Set();
    this.#errands.set(peer.id, errands.add(errand));
    this.#recent.push(errand);
    if (this.#recent.length > 50) this.#recent.shift();
    await this.#run(peer, errand);
  }

  /** Sends a command until it has an answer. */
  async #run(peer: SimulatedPeer, errand: Errand): Promise<void> {
    const { draws } = this.#world;
    const { invocation, body, user } = errand;
    const { commandId, name } = invocation;
    let answer: CommandAnswer;
    do {
      if (errand.attempts > 0) await sleep(draws.between(50, 1_500));
      errand.attempts += 1;
      if (errand.attempts > 1) this.#retries += 1;
      const { process } = peer;
      const activeMs = (): number => this.#world.elapsedMs - process.pausedMs;
      const begunMs = activeMs();
      this.#invariants.sent(invocation);
      answer = await peer.link.command(name, body as never, { commandId, user });
      this.#invariants.took(`${process.name} ${name}`, activeMs() - begunMs);
      this.#world.trace(`${peer.process.name} ${name} ${commandId.slice(0, 8)} ${told(answer)}`);
      this.#invariants.answered(invocation, answer);
    } while (isOpen(answer) && (this.#isOver || !draws.chance(0.03)));
    if (answer.status === 'accepted' && name === 'download_file')
      this.#downloads(peer, body, answer.result.share!.shareId);
    if (answer.status !== 'failed' && answer.offset !== null)
      peer.seenOffset = Math.max(peer.seenOffset, answer.offset);
    this.#errands.get(peer.id)!.delete(errand);
    this.#finished += 1;
  }

  /** What a peer says that it downloads is told to the trackers, and asked for again and again. */
  #downloads(peer: SimulatedPeer, body: CommandBody, shareId: number): void {
    const { group, file } = body as PeerCommandBody<'download_file'>;
    const downloads = this.#downloading.get(peer.id) ?? [];
    downloads.push({ group, file, shareId });
    if (downloads.length > DOWNLOADS_MAX) downloads.shift();
    this.#downloading.set(peer.id, downloads);
    peer.link.announce(downloads);
  }

  /** A key that was used before: by the same peer it has its first outcome, and with another body it is refused. */
  async #repeatRecent(peer: SimulatedPeer): Promise<void> {
    const { draws } = this.#world;
    const own = this.#recent.filter(({ invocation }) => invocation.peerId === peer.id);
    if (own.length === 0) return;
    const { invocation, body, user } = draws.pick(own);
    const name = draws.chance(0.5) ? invocation.name : this.#commands.name(this.#personOf(peer));
    const again =
      name === invocation.name && draws.chance(0.6) ? body : this.#commands.body(this.#personOf(peer), name);
    const { commandId } = invocation;
    this.#invariants.sent(invocation);
    const answer = await peer.link.command(name, again as never, { commandId, user });
    this.#invariants.answered(invocation, answer);
  }

  async #look(peer: SimulatedPeer): Promise<void> {
    const parts = { draws: this.#world.draws, commands: this.#commands, stamp: () => this.#drawStamp(peer) };
    await this.#shown(peer, drawnLook(peer.link, this.#personOf(peer), parts));
  }

  async #shown(peer: SimulatedPeer, look: () => Promise<ViewAnswer<unknown>>): Promise<void> {
    const { seenOffset } = peer;
    const answer = await look();
    if (answer.status !== 'accepted') return;
    this.#invariants.shown(peer.id, { asOfOffset: answer.asOfOffset, seenOffset });
    peer.seenOffset = Math.max(peer.seenOffset, answer.asOfOffset);
  }

  #drawStamp(peer: SimulatedPeer): { commandId: string; user: string | null } {
    const own = this.#recent.filter(({ invocation }) => invocation.peerId === peer.id);
    const { draws } = this.#world;
    if (own.length === 0) return { commandId: draws.uuid(), user: null };
    const { invocation, user } = draws.pick(own);
    return { commandId: invocation.commandId, user };
  }

  #personOf(peer: SimulatedPeer): Person {
    return { id: peer.id, user: peer.link.user(), downloads: this.#downloading.get(peer.id) ?? [] };
  }
}

function isOpen(answer: CommandAnswer): boolean {
  return answer.status === 'failed' && !FINAL_CODES.has(answer.code);
}

function told(answer: CommandAnswer): string {
  if (answer.status === 'failed') return answer.code;
  return `${answer.status} ${answer.offset}`;
}
