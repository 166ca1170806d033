// Owns one client of a history: a peer's own tracker link, with its standing connections, its failover, its memory and its trust
// on disk, and nothing else of a peer. What it asks and is answered goes into the history, what each tracker replies too.
import { mkdir } from 'node:fs/promises';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { formatHostPort } from '#wire/host-port';
import type { PeerCommandBody, PeerCommandName } from '#wire/tracker-api';
import type { TrackerEntry } from '#wire/tracker-info';
import type { FailoverLink } from '../../apps/peer/src/tracker-link/failover-link.ts';
import { type OpenChannel, TrackerClient } from '../../apps/peer/src/tracker-link/tracker-client.ts';
import type { CommandAnswer, CommandStamp, ViewAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import type { TrackerReply } from '../simulation/log-check.ts';
import type { History } from './history.ts';
import { startLink } from './real-system.ts';

export interface HistoryClientOptions {
  /** Of its own; it is made when it is missing. */
  readonly folder: string;
  readonly trackers: readonly TrackerEntry[];
  readonly history: History;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class HistoryClient {
  readonly #options: HistoryClientOptions;
  readonly #identity: Identity;
  #link: FailoverLink;

  private constructor(options: HistoryClientOptions, identity: Identity, link: FailoverLink) {
    this.#options = options;
    this.#identity = identity;
    this.#link = link;
  }

  static async open(options: HistoryClientOptions): Promise<HistoryClient> {
    await mkdir(options.folder, { recursive: true });
    const identity = await loadOrCreateIdentity(options.folder);
    return new HistoryClient(options, identity, await startedLink(options, identity));
  }

  /** The id of its peer. */
  get id(): string {
    return this.#identity.id;
  }

  get link(): FailoverLink {
    return this.#link;
  }

  /** Ends the link as a peer that is stopped does, and begins anew with what is on its disk. */
  async restart(): Promise<void> {
    await this.#link.close();
    this.#link = await startedLink(this.#options, this.#identity);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Sends a command, and records it with its answer. */
  async command<Name extends PeerCommandName>(
    name: Name,
    body: PeerCommandBody<Name>,
    stamp: CommandStamp,
  ): Promise<CommandAnswer> {
    const { history } = this.#options;
    const call = history.nextCall();
    history.add({ type: 'command', call, peerId: this.id, name, ...stamp, body });
    const answer = await this.#link.command(name, body, stamp);
    history.add({ type: 'answer', call, answer });
    return answer;
  }

  /** Looks at a view, and records as of when it is; what it shows is in the trackers' replies. */
  async look(view: (link: FailoverLink) => Promise<ViewAnswer<unknown>>): Promise<void> {
    const { history } = this.#options;
    const call = history.nextCall();
    history.add({ type: 'look', call, peerId: this.id });
    const answer = await view(this.#link);
    const asOfOffset = answer.status === 'accepted' ? answer.asOfOffset : null;
    history.add({ type: 'shown', call, asOfOffset });
  }
}

function startedLink(options: HistoryClientOptions, identity: Identity): Promise<FailoverLink> {
  const { folder, trackers, random } = options;
  return startLink({ folder, identity, trackers, random, openChannel: recording(options, identity.id) });
}

/** Connections on which every reply is recorded, also those that the link passes over. */
function recording({ history }: HistoryClientOptions, peerId: string): OpenChannel {
  return (to) => {
    const client = new TrackerClient(to);
    const tracker = formatHostPort(to.address);
    return {
      get over() {
        return client.over;
      },
      connect: () => client.connect(),
      destroy: () => client.destroy(),
      stream: <Item>(pattern: string, payload: object) => client.stream<Item>(pattern, payload),
      call: async <Reply>(pattern: string, payload: object, timeoutMs: number) => {
        const reply = await client.call<Reply>(pattern, payload, timeoutMs);
        history.add({ type: 'reply', tracker, peerId, pattern, payload, reply: reply as unknown as TrackerReply });
        return reply;
      },
    };
  };
}
