// Owns the load on a tracker that is measured: peers of one user in one group, each on a connection of its own, that publish
// files and download them, and look up who has one, with so many requests under way at a time.
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateIdentity } from '#identity/identity';
import { hostPortOf } from '#identity/start-input';
import { CrowdPeer, type Reply } from './crowd-peer.ts';

const USER = 'crowd';
const PASSWORD = 'bench password';
const GROUP = 'room';
const PRESENCE = { addresses: ['127.0.0.1:9'], downloading: [], transport: 'tls' };
const CONTENT = { totalBytes: 1, pieceBytes: 524_288, pieceCount: 1, hash: 'sha1' };
const LOGINS_AT_ONCE = 4;
/** What everybody downloads, which gives each a grant with every look-up from then on, and what nobody does at first. */
const PUBLISHED = 'published.bin';
const SOUGHT = 'sought.bin';

/** What was answered in a while. */
export interface Answered {
  readonly perSecond: number;
  /** Of each answer, in milliseconds. */
  readonly latenciesMs: readonly number[];
}

/** How much is asked for. */
export interface Load {
  readonly inFlight: number;
  readonly seconds: number;
}

/** Peers that are connected and logged in. */
export class CommandLoad {
  readonly #peers: readonly CrowdPeer[];
  #acceptedCount = 0;
  #fileCount = 0;

  private constructor(peers: readonly CrowdPeer[]) {
    this.#peers = peers;
  }

  /** Connects so many peers to the tracker at a `host:port`, logs them in, and has one publish two files; their keys stay in the folder. */
  static async gather(address: string, { folder, count }: { folder: string; count: number }): Promise<CommandLoad> {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const identities = await Promise.all(numbers.map((number) => loadOrCreateIdentity(join(folder, `peer-${number}`))));
    const tracker = hostPortOf('the tracker', address);
    const load = new CommandLoad(identities.map((identity) => new CrowdPeer(identity, tracker)));
    await Promise.all(load.#peers.map((peer) => peer.connect()));
    await load.#begin();
    return load;
  }

  /** Commands that were accepted so far. */
  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** Commands in turn: a new file is published, and the first one of all is downloaded. */
  commands(load: Load): Promise<Answered> {
    return this.#keepAsking(load, (peer) => this.#nextCommand(peer));
  }

  /** Who has a file; with the grant that a peer gets after `download_file` once that was accepted. */
  lookups(load: Load): Promise<Answered> {
    return this.#keepAsking(load, async (peer) => {
      expectAccepted(await peer.ask('find_sources', { seenOffset: -1, group: GROUP, file: SOUGHT }));
    });
  }

  /** From now on every peer may download what look-ups are about. */
  async allowDownloads(): Promise<void> {
    for (const peer of this.#peers) await this.#accepted(peer, 'download_file', { group: GROUP, file: SOUGHT });
  }

  disconnect(): void {
    for (const peer of this.#peers) peer.disconnect();
  }

  async #begin(): Promise<void> {
    const [first] = this.#peers;
    await this.#accepted(first!, 'create_user', { user: USER, password: PASSWORD }, null);
    const waiting = [...this.#peers];
    const logIn = async (): Promise<void> => {
      for (let peer = waiting.pop(); peer !== undefined; peer = waiting.pop()) {
        await this.#accepted(peer, 'login', { user: USER, password: PASSWORD }, null);
        expectAccepted(await peer.ask('presence', PRESENCE));
      }
    };
    await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, logIn));
    await this.#accepted(first!, 'create_group', { group: GROUP });
    for (const file of [PUBLISHED, SOUGHT]) await this.#publish(first!, file);
  }

  async #nextCommand(peer: CrowdPeer): Promise<void> {
    const file = `file-${(this.#fileCount += 1)}.bin`;
    if (this.#fileCount % 2 === 1) await this.#publish(peer, file);
    else await this.#accepted(peer, 'download_file', { group: GROUP, file: PUBLISHED });
  }

  #publish(peer: CrowdPeer, file: string): Promise<void> {
    const contentId = createHash('sha256').update(file).digest('hex');
    return this.#accepted(peer, 'upload_file', { group: GROUP, file, contentId, ...CONTENT });
  }

  async #accepted(peer: CrowdPeer, name: string, body: object, user: string | null = USER): Promise<void> {
    const envelope = { commandId: randomUUID(), correlationId: 'bench', seenOffset: peer.seenOffset, user, body };
    expectAccepted(await peer.ask(name, envelope));
    this.#acceptedCount += 1;
  }

  async #keepAsking({ inFlight, seconds }: Load, ask: (peer: CrowdPeer) => Promise<void>): Promise<Answered> {
    const latenciesMs: number[] = [];
    const begin = performance.now();
    const end = begin + seconds * 1000;
    const lane = async (number: number): Promise<void> => {
      const peer = this.#peers[number % this.#peers.length]!;
      for (let asked = performance.now(); asked < end; asked = performance.now()) {
        await ask(peer);
        latenciesMs.push(performance.now() - asked);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)));
    return { perSecond: latenciesMs.length / ((performance.now() - begin) / 1000), latenciesMs };
  }
}

function expectAccepted({ status, reason, code }: Reply): void {
  if (status !== 'accepted') throw new Error(`a tracker under load answered ${reason ?? code}`);
}
