// Owns what people do with the clients of a history: commands of every kind and views, one after the other, each person on one
// client. A command without an answer is sent again under its id until there is one, or is given up, and nobody ever knows.
import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from '#domain/state';
import type { DownloadPresence, PeerCommandBody, PeerCommandName } from '#wire/tracker-api';
import type { FailoverLink } from '../../apps/peer/src/tracker-link/failover-link.ts';
import type { CommandAnswer, ViewAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import { type CommandBody, CommandDraws, type Person, type WorldSize } from '../simulation/command-draws.ts';
import type { Draws } from '../simulation/draws.ts';
import { drawnLook } from '../simulation/look-draws.ts';
import type { HistoryClient } from './history-client.ts';

export interface PeopleOptions {
  readonly draws: Draws;
  /** As far as it is known; commands are drawn from it. */
  readonly state: State;
  readonly size: WorldSize;
  /** Mean pause between two things that one person does. */
  readonly pauseMs: number;
}

/** A command that was sent. */
interface Sent {
  readonly client: HistoryClient;
  readonly name: PeerCommandName;
  readonly body: CommandBody;
  readonly commandId: string;
  readonly user: string | null;
}

/** Failures that end a command: nobody repeats it. */
const FINAL_CODES: ReadonlySet<string> = new Set(['not_logged_in', 'wrong_credentials', 'rate_limited']);
const RECENT_MAX = 200;
const DOWNLOADS_MAX = 4;
const LOOK_CHANCE = 0.3;
const REPEAT_CHANCE = 0.03;
const GIVE_UP_CHANCE = 0.03;
const AGAIN_MS_MAX = 1_000;
const CROWD_CHANCE = 0.1;

export class People {
  readonly #options: PeopleOptions;
  readonly #commands: CommandDraws;
  readonly #recent: Sent[] = [];
  /** By peer id, latest last. */
  readonly #downloading = new Map<string, DownloadPresence[]>();
  readonly #entering = new Set<HistoryClient>();
  #isOver = false;
  #attemptCount = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#commands = new CommandDraws(options.draws, options.state, options.size);
  }

  /** Commands as they were sent, again included. */
  get attemptCount(): number {
    return this.#attemptCount;
  }

  /** Nothing new is begun; whoever waits for an answer goes on until there is one. */
  end(): void {
    this.#isOver = true;
  }

  /** One person, until the end. */
  async live(client: HistoryClient): Promise<void> {
    const { draws, pauseMs } = this.#options;
    while (!this.#isOver) {
      await sleep(draws.exponential(pauseMs));
      if (this.#isOver) return;
      if (draws.chance(LOOK_CHANCE)) await client.look((link) => this.#view(client, link));
      else if (draws.chance(REPEAT_CHANCE)) await this.#repeat(client);
      else await this.#command(client);
    }
  }

  /** Passwords cost much to hash: where nobody is logged in, mostly one person tries and the others wait. */
  async #command(client: HistoryClient): Promise<void> {
    if (client.link.user() !== null) return this.#draw(client);
    if (this.#entering.has(client) && !this.#options.draws.chance(CROWD_CHANCE)) return;
    this.#entering.add(client);
    await this.#draw(client).finally(() => this.#entering.delete(client));
  }

  async #draw(client: HistoryClient): Promise<void> {
    const person = this.#personOf(client);
    const name = this.#commands.name(person);
    const commandId = this.#options.draws.uuid();
    const sent = { client, name, body: this.#commands.body(person, name), commandId, user: person.user };
    this.#recent.push(sent);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    await this.#send(sent);
  }

  /** Sends a command until it has an answer. */
  async #send(sent: Sent): Promise<void> {
    const { draws } = this.#options;
    const { client, name, body, commandId, user } = sent;
    for (;;) {
      this.#attemptCount += 1;
      const answer = await client.command(name, body as never, { commandId, user });
      if (answer.status === 'accepted' && name === 'download_file')
        this.#downloads(client, body as PeerCommandBody<'download_file'>, answer.result.share!.shareId);
      if (!isOpen(answer) || (!this.#isOver && draws.chance(GIVE_UP_CHANCE))) return;
      await sleep(draws.between(0, AGAIN_MS_MAX));
    }
  }

  /** An id that was used before: it has its first outcome, and with another body it is refused. */
  async #repeat(client: HistoryClient): Promise<void> {
    const { draws } = this.#options;
    const own = this.#recent.filter((sent) => sent.client === client);
    if (own.length === 0) return;
    const sent = draws.pick(own);
    const isSame = draws.chance(0.6);
    await this.#send(isSame ? sent : { ...sent, body: this.#commands.body(this.#personOf(client), sent.name) });
  }

  /** What a peer says that it downloads is told to the trackers. */
  #downloads(client: HistoryClient, { group, file }: PeerCommandBody<'download_file'>, shareId: number): void {
    const downloads = [...(this.#downloading.get(client.id) ?? []), { group, file, shareId }].slice(-DOWNLOADS_MAX);
    this.#downloading.set(client.id, downloads);
    client.link.announce(downloads);
  }

  #view(client: HistoryClient, link: FailoverLink): Promise<ViewAnswer<unknown>> {
    const parts = { draws: this.#options.draws, commands: this.#commands, stamp: () => this.#stamp(client) };
    return drawnLook(link, this.#personOf(client), parts)();
  }

  #stamp(client: HistoryClient): { commandId: string; user: string | null } {
    const { draws } = this.#options;
    const own = this.#recent.filter((sent) => sent.client === client);
    return own.length === 0 ? { commandId: draws.uuid(), user: null } : draws.pick(own);
  }

  #personOf(client: HistoryClient): Person {
    return { id: client.id, user: client.link.user(), downloads: this.#downloading.get(client.id) ?? [] };
  }
}

function isOpen(answer: CommandAnswer): boolean {
  return answer.status === 'failed' && !FINAL_CODES.has(answer.code);
}
