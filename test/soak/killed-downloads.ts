// Owns proving that a download outlives its peer: it kills the peer's process again and again, at moments drawn from a seed, and
// looks at the journal after each. A piece counts as fetched twice when it is journalled twice, or delivered although it was
// journalled; bytes that a seeder sent and nobody journalled were in flight.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { countBits, hasBit } from '#domain/bitfield';
import { PIECE_BYTES_DEFAULT, PIECE_COUNT_MAX } from '#domain/piece-geometry';
import type { TransferView } from '#wire/control-api';
import { OUTSTANDING_BYTES_MAX } from '#wire/limits';
import { journalPath } from '../../apps/peer/src/storage/content-layout.ts';
import { journalHead, readJournal } from '../../apps/peer/src/storage/part-journal.ts';
import { sha1Of } from '../../infra/demo/files.ts';
import { type Cluster, type TestPeer, until } from '../e2e/cluster.ts';

const GROUP = 'soak';
const ENTRY_BYTES = 8;
const DELAY_MS_MAX = 400;
const END_MS = 120_000;
/** What a download may have asked for and not got yet, and what was asked of two connections at the end. */
const IN_FLIGHT_BYTES_MAX = OUTSTANDING_BYTES_MAX + 8 * 2 ** 20;
/** Frames' headers, handshakes and the manifest. */
const OVERHEAD_PART = 0.01;

/** When a peer is killed: while bytes come, at any moment from its start on, or when the last piece has come. */
const MOMENTS = ['moving', 'moving', 'moving', 'any', 'end'] as const;
type Moment = (typeof MOMENTS)[number];

export interface KillOptions {
  readonly cluster: Cluster;
  readonly count: number;
  /** Whole pieces of the length that is the default. */
  readonly totalBytes: number;
  readonly random: () => number;
  readonly say: (line: string) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly downloads: number;
  /** Of all kills, what was sent and not journalled at most. */
  readonly inFlightBytesMax: number;
}

/** What is on disk after a kill: the pieces that the journal lists, or the finished file. */
interface Journalled {
  readonly bitfield: Uint8Array;
  readonly bytes: number;
  readonly isComplete: boolean;
}

const NOTHING: Journalled = { bitfield: new Uint8Array(PIECE_COUNT_MAX / 8), bytes: 0, isComplete: false };

/** Throws at the first thing that is not as it should be. */
export async function killDownloads(options: KillOptions): Promise<KillReport> {
  const { cluster, count, totalBytes } = options;
  const flags = ['--workers', '2'];
  const [seeder, downloader] = [await cluster.user('seeder', { flags }), await cluster.user('downloader', { flags })];
  await cluster.group(GROUP, seeder, downloader);
  const path = await cluster.file('film.bin', totalBytes);
  await seeder.upload(GROUP, path);
  const [sha1, folder] = [await sha1Of(path), cluster.path('fetched')];
  await mkdir(folder);
  const story = new KillStory({ seeder, downloader, destination: join(folder, 'film.bin'), options });
  while (story.kills < count) await story.download(sha1);
  return { kills: story.kills, downloads: story.downloads, inFlightBytesMax: story.inFlightBytesMax };
}

class KillStory {
  kills = 0;
  downloads = 0;
  inFlightBytesMax = 0;
  readonly #seeder: TestPeer;
  readonly #downloader: TestPeer;
  readonly #destination: string;
  readonly #options: KillOptions;

  constructor(cast: {
    readonly seeder: TestPeer;
    readonly downloader: TestPeer;
    readonly destination: string;
    readonly options: KillOptions;
  }) {
    this.#seeder = cast.seeder;
    this.#downloader = cast.downloader;
    this.#destination = cast.destination;
    this.#options = cast.options;
  }

  /** One download from its begin to the finished file, killed until it is over, or often enough. */
  async download(sha1: string): Promise<void> {
    let journalled = NOTHING;
    let sentBytes = await this.#sentBytesAtRest();
    const transferId = await this.#downloader.begin(GROUP, 'film.bin', this.#destination);
    while (!journalled.isComplete && this.kills < this.#options.count) {
      const moment = MOMENTS[Math.floor(this.#options.random() * MOMENTS.length)] ?? 'any';
      await this.#killAt(moment, transferId);
      const [before, sentBefore] = [journalled, sentBytes];
      journalled = this.#readJournalled();
      // Before the new start: that asks for more as soon as it can.
      sentBytes = await this.#sentBytesAtRest();
      await this.#downloader.restart();
      expectKept(before, journalled);
      this.#noteKill(moment, journalled, sentBytes - sentBefore - (journalled.bytes - before.bytes));
    }
    await this.#expectFinished({ transferId, sha1, journalled, sentBytes });
    this.downloads++;
    await this.#downloader.control.delete(`/transfers/${transferId}?data=delete`);
  }

  async #killAt(moment: Moment, transferId: string): Promise<void> {
    const waitMs = this.#options.random() * DELAY_MS_MAX;
    const view = (): Promise<TransferView> => this.#downloader.transfer(transferId);
    if (moment === 'moving') {
      const isMoving = ({ peers, verifiedBytes }: TransferView): boolean =>
        verifiedBytes === this.#options.totalBytes || peers.some(({ deliveredBytes }) => deliveredBytes > 0);
      await until('bytes come', async () => isMoving(await view()), END_MS);
    } else if (moment === 'end') {
      await until('all is there', async () => (await view()).verifiedBytes === this.#options.totalBytes, END_MS);
    }
    await delay(moment === 'end' ? waitMs / 20 : waitMs);
    await this.#downloader.process.kill();
    this.kills++;
  }

  #noteKill(moment: Moment, { bytes, isComplete }: Journalled, inFlightBytes: number): void {
    const { say, totalBytes } = this.#options;
    const where = isComplete ? 'complete' : `${mib(bytes)} of ${mib(totalBytes)} MiB journalled`;
    say(`kill ${this.kills}, ${moment}: ${where}, ${mib(inFlightBytes)} MiB sent and not journalled`);
    this.inFlightBytesMax = Math.max(this.inFlightBytesMax, inFlightBytes);
    if (inFlightBytes <= IN_FLIGHT_BYTES_MAX + OVERHEAD_PART * totalBytes) return;
    throw new Error(`${inFlightBytes} bytes were sent and not journalled at a kill, more than can be in flight`);
  }

  async #expectFinished(last: {
    readonly transferId: string;
    readonly sha1: string;
    readonly journalled: Journalled;
    readonly sentBytes: number;
  }): Promise<void> {
    const isOver = ({ state }: TransferView): boolean =>
      state === 'complete' || state === 'seeding' || state === 'failed';
    const done = await this.#downloader.untilTransfer(last.transferId, 'complete', isOver, END_MS);
    if (done.state === 'failed') throw new Error(`the download failed: ${JSON.stringify(done.reason)}`);
    if ((await sha1Of(this.#destination)) !== last.sha1) throw new Error('the finished file differs');
    const { totalBytes } = this.#options;
    const missingBytes = totalBytes - last.journalled.bytes;
    const deliveredBytes = done.peers.reduce((sum, peer) => sum + peer.deliveredBytes, 0);
    // A complete one remembers who delivered it before.
    if (deliveredBytes > missingBytes && !last.journalled.isComplete) {
      throw new Error(`${deliveredBytes} bytes were delivered after the last kill, ${missingBytes} were missing`);
    }
    const sentBytes = (await this.#sentBytes()) - last.sentBytes;
    if (sentBytes > missingBytes + OVERHEAD_PART * totalBytes) {
      throw new Error(`${sentBytes} bytes were sent after the last kill, ${missingBytes} were missing`);
    }
  }

  #readJournalled(): Journalled {
    if (existsSync(this.#destination)) return { ...NOTHING, bytes: this.#options.totalBytes, isComplete: true };
    const journal = readJournal(journalPath(this.#destination));
    if (journal === null) return NOTHING;
    const headBytes = journalHead(journal.contentId, journal.manifestBytes).length;
    const bitfield = journal.listed(PIECE_COUNT_MAX);
    if (countBits(bitfield) * ENTRY_BYTES !== journal.soundBytes - headBytes) {
      throw new Error('a piece was journalled twice');
    }
    return { bitfield, bytes: countBits(bitfield) * PIECE_BYTES_DEFAULT, isComplete: false };
  }

  /** When the seeder has noticed that the other one is gone: from then on it sends nothing. */
  async #sentBytesAtRest(): Promise<number> {
    const isAlone = async (): Promise<boolean> => (await this.#ofSeeder('cohort_worker_connections')) === 0;
    await until('the seeder has no connection', isAlone, END_MS);
    return this.#sentBytes();
  }

  #sentBytes(): Promise<number> {
    return this.#ofSeeder('cohort_worker_sent_bytes_total');
  }

  /** A figure of all workers of the seeder. */
  async #ofSeeder(name: string): Promise<number> {
    const { url, token } = this.#seeder.control;
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
    const samples = [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'))];
    return samples.reduce((sum, [, value]) => sum + Number(value), 0);
  }
}

/** Pieces stay in the journal over a restart. */
function expectKept(before: Journalled, after: Journalled): void {
  for (let piece = 0; piece < PIECE_COUNT_MAX && !after.isComplete; piece++) {
    if (hasBit(before.bitfield, piece) && !hasBit(after.bitfield, piece))
      throw new Error(`piece ${piece} was forgotten`);
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
