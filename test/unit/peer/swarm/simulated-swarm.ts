// Owns a download in simulated time: the real run, ledger and source table, and connections that behave as the workers' do, at
// sources with a rate and a fault each. Everything follows from a seed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { geometryOf, type PieceIndex } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';
import { PiecePriorities } from '#domain/piece-priorities';
import { type PieceStrategy, requestWindowBytes } from '#domain/source-choice';
import type { LaneCommand } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import { DownloadRun } from '../../../../apps/peer/src/swarm/download-run.ts';
import { type Connection, SourceTable } from '../../../../apps/peer/src/swarm/source-table.ts';
import { seeded } from '../../../seeded-random.ts';

const PIECE_BYTES = 512 * 1024;
const WORKERS = 2;
const TICK_MS = 200;
/** What a command needs to the worker and its event back. */
const MESSAGE_MS = 0.2;
const END_MS = 60_000;
/** More of them in one download and somebody goes round in circles. */
const STEPS_MAX = 50_000;

/** A seeder of everything. */
export interface SimulatedSource {
  readonly bytesPerSecond: number;
  /** When it comes; 0 by default. */
  readonly fromMs?: number;
  /** When it stops to answer, for good. */
  readonly stallsAtMs?: number;
  /** How often it closes all connections. */
  readonly closesEveryMs?: number;
}

export interface SimulatedDownload {
  /** When the last piece was verified; Infinity when it never was. */
  readonly endMs: number;
  /** Pieces in the order in which they were first asked for on the wire. */
  readonly firstRequests: readonly number[];
  /** By source. */
  readonly deliveredBytes: readonly number[];
  /** Of the pieces that were hurried: how long each took from then on. */
  readonly hurriedMs: readonly number[];
  /** Bytes that sources sent altogether. */
  readonly sentBytes: number;
}

interface WireRequest {
  readonly piece: PieceIndex;
  isHedge: boolean;
  isCancelled: boolean;
}

/** One connection as the worker sees it: a reserve, a window on the wire, answers in order. */
class SimulatedLane {
  reserve: { piece: PieceIndex; isHedge: boolean }[] = [];
  wire: WireRequest[] = [];
  readonly held = new Set<PieceIndex>();
  bytesPerSecond = 0;
  sampleBytes = 0;
  sampleStartMs = 0;
  isClosed = false;
  ranks: readonly number[] = [];

  /** What is hurried comes first. */
  rank(): void {
    const first = this.ranks.flatMap((piece) => this.reserve.filter((each) => each.piece === piece));
    this.reserve = [...first, ...this.reserve.filter((each) => !first.includes(each))];
  }
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

class SimulatedSwarm {
  nowMs = 0;
  endMs = Infinity;
  sentBytes = 0;
  readonly firstRequests: number[] = [];
  readonly hurriedMs: number[] = [];
  readonly table: SourceTable;
  readonly #sources: readonly SimulatedSource[];
  readonly #ledger: PieceLedger;
  readonly #run: DownloadRun;
  readonly #priorities: PiecePriorities;
  readonly #lanes = new Map<number, SimulatedLane>();
  readonly #asked = new Set<number>();
  /** When each source has sent what it was asked for so far. */
  readonly #freeAtMs: number[];
  #due: Due[] = [];
  #order = 0;
  #lastConnection = 0;

  constructor(sources: readonly SimulatedSource[], options: SimulationOptions) {
    const { pieceCount, seed, strategy = 'random' } = options;
    const random = seeded(seed);
    this.#sources = sources;
    this.#freeAtMs = sources.map(() => 0);
    this.#ledger = new PieceLedger(
      geometryOf({ totalBytes: pieceCount * PIECE_BYTES, pieceBytes: PIECE_BYTES }),
      () => false,
    );
    this.#priorities = new PiecePriorities(pieceCount);
    this.table = new SourceTable({ pieceCount, workers: WORKERS, random });
    this.#run = new DownloadRun({
      ledger: this.#ledger,
      priorities: this.#priorities,
      sources: this.table,
      strategy,
      random,
      now: () => this.nowMs,
      later: (waitMs, act) => this.#at(waitMs, act),
      say: (_lane, command) => this.#at(MESSAGE_MS, () => this.#obey(command)),
      isRateLimited: () => false,
      onVerified: () => {
        if (this.#ledger.isComplete) this.endMs = this.nowMs;
      },
      onCorrupt: () => {},
    });
    for (const { fromMs = 0 } of sources) this.#at(fromMs, () => this.#list());
    for (const [number, { closesEveryMs }] of sources.entries()) {
      if (closesEveryMs !== undefined) this.#at(closesEveryMs, () => this.#closeAll(number, closesEveryMs));
    }
    if (options.hurries !== undefined) this.#at(options.hurries.atMs, () => this.#hurry(options.hurries!.pieces));
    this.#tick();
  }

  async run(): Promise<void> {
    for (let step = 0; this.endMs === Infinity && this.nowMs < END_MS; step++) {
      if (step === STEPS_MAX) throw new Error(`nothing comes of it after ${STEPS_MAX} steps, ${this.nowMs} ms`);
      // What the run has put off to the next turn comes before time goes on.
      await nextTurn();
      const next = this.#due.reduce((first, due) => (isSooner(due, first) ? due : first));
      this.#due.splice(this.#due.indexOf(next), 1);
      this.nowMs = next.atMs;
      next.act();
    }
    this.#run.stop();
  }

  #at(inMs: number, act: () => void): void {
    this.#due.push({ atMs: this.nowMs + inMs, order: this.#order++, act });
  }

  /** Each in turn, as somebody would who reads on; the window is of four. */
  #hurry(pieces: readonly number[]): void {
    const startMs = this.nowMs;
    const missing = pieces.filter((piece) => this.#ledger.stateOf(piece as PieceIndex) !== 'verified');
    const look = (): void => {
      const left = missing.filter((piece) => this.#ledger.stateOf(piece as PieceIndex) !== 'verified');
      while (this.hurriedMs.length < missing.length - left.length) this.hurriedMs.push(this.nowMs - startMs);
      this.#run.hurried(this.#priorities.hurry(left.slice(0, 4) as PieceIndex[]));
      if (left.length > 0) this.#at(1, look);
    };
    look();
  }

  #tick(): void {
    this.#dial();
    this.#run.refillSoon();
    this.#at(TICK_MS, () => this.#tick());
  }

  #list(): void {
    const here = [...this.#sources.entries()].filter(([, { fromMs = 0 }]) => fromMs <= this.nowMs);
    const address = { host: '127.0.0.1', port: 7000 };
    this.table.update(here.map(([number]) => ({ peerId: String(number), user: '', addresses: [address] })));
    this.#dial();
  }

  #dial(): void {
    for (const entry of this.table.due(this.nowMs)) {
      const id = ++this.#lastConnection;
      const connection = this.table.dialled(entry, { id, lane: id % WORKERS }, this.nowMs);
      this.#lanes.set(id, new SimulatedLane());
      this.#at(5 * MESSAGE_MS, () => this.#open(connection));
    }
    for (const connection of this.table.surplus()) this.#run.retire(connection);
  }

  #open(connection: Connection): void {
    const { pieceCount } = this.#ledger.geometry;
    const bitfield = new Uint8Array(Math.ceil(pieceCount / 8)).fill(0xff);
    this.table.opened(connection, { host: '127.0.0.1', port: 7000 }, { lane: 0, bitfield });
    this.#dial();
    this.#run.refillSoon();
  }

  #closeAll(source: number, everyMs: number): void {
    const entry = this.table.entries()[source];
    for (const connection of entry?.connections.values() ?? []) this.#close(connection, 'lost');
    this.#freeAtMs[source] = this.nowMs;
    this.#at(everyMs, () => this.#closeAll(source, everyMs));
  }

  #close(connection: Connection, code: 'lost' | 'hung_up'): void {
    const lane = this.#lanes.get(connection.id);
    if (lane !== undefined) lane.isClosed = true;
    this.#lanes.delete(connection.id);
    this.table.closed(connection, code, this.nowMs);
    this.#run.connectionLost(connection);
  }

  #obey(command: LaneCommand): void {
    const id = 'connection' in command ? command.connection : 0;
    const [connection, lane] = [this.table.connection(id), this.#lanes.get(id)];
    if (connection === undefined || lane === undefined) return;
    switch (command.kind) {
      case 'assign':
        for (const piece of command.pieces) lane.reserve.push({ piece: piece as PieceIndex, isHedge: command.hedge });
        lane.rank();
        return this.#pump(connection, lane);
      case 'hurry':
        lane.ranks = command.pieces;
        return lane.rank();
      case 'recall':
      case 'cancel':
        return this.#giveBack(connection, lane, command);
      case 'promote':
        if (lane.held.delete(command.piece as PieceIndex)) this.#verified(connection, command.piece);
        for (const request of lane.wire) if (request.piece === command.piece) request.isHedge = false;
        return;
      case 'hangUp':
        return this.#close(connection, 'hung_up');
      default:
        throw new Error(`nobody obeys ${command.kind} here`);
    }
  }

  #giveBack(
    connection: Connection,
    lane: SimulatedLane,
    command: Extract<LaneCommand, { kind: 'recall' | 'cancel' }>,
  ): void {
    const isNamed = ({ piece }: { piece: number }): boolean => command.pieces.includes(piece);
    const wireToo = command.kind === 'cancel';
    const back: number[] = lane.reserve.filter(isNamed).map(({ piece }) => piece);
    lane.reserve = lane.reserve.filter((each) => !isNamed(each));
    for (const request of wireToo ? lane.wire : []) {
      if (!isNamed(request) || request.isCancelled) continue;
      request.isCancelled = true;
      back.push(request.piece);
    }
    if (wireToo)
      back.push(...[...lane.held].filter((piece) => command.pieces.includes(piece) && lane.held.delete(piece)));
    const kind = command.kind === 'recall' ? 'recalled' : 'cancelled';
    const owes = lane.wire.length > 0;
    this.#say(connection, { kind, connection: connection.id, pieces: back, owes });
    this.#pump(connection, lane);
  }

  #pump(connection: Connection, lane: SimulatedLane): void {
    const windowBytes = requestWindowBytes(lane.bytesPerSecond, PIECE_BYTES);
    while (lane.reserve.length > 0 && (lane.wire.length + 1) * PIECE_BYTES <= windowBytes) {
      const { piece, isHedge } = lane.reserve.shift()!;
      if (!this.#asked.has(piece)) this.firstRequests.push(piece);
      this.#asked.add(piece);
      lane.wire.push({ piece, isHedge, isCancelled: false });
      const source = connection.entry.number;
      const { bytesPerSecond, stallsAtMs = Infinity } = this.#sources[source]!;
      const freeAtMs = Math.max(this.#freeAtMs[source] ?? 0, this.nowMs) + (PIECE_BYTES * 1000) / bytesPerSecond;
      this.#freeAtMs[source] = freeAtMs;
      if (freeAtMs < stallsAtMs) this.#at(freeAtMs - this.nowMs, () => this.#answered(connection, lane));
    }
  }

  #answered(connection: Connection, lane: SimulatedLane): void {
    const request = lane.isClosed ? undefined : lane.wire.shift();
    if (request === undefined) return;
    this.sentBytes += PIECE_BYTES;
    this.#sample(lane);
    const { id } = connection;
    if (request.isCancelled) this.#say(connection, { kind: 'passedOver', connection: id });
    else if (request.isHedge) {
      lane.held.add(request.piece);
      this.#say(connection, { kind: 'held', connection: id, piece: request.piece });
    } else this.#verified(connection, request.piece);
    this.#pump(connection, lane);
  }

  #verified(connection: Connection, piece: number): void {
    this.#say(connection, { kind: 'verified', connection: connection.id, pieces: [piece] });
  }

  #say(connection: Connection, event: Parameters<DownloadRun['pieceEvent']>[1]): void {
    this.#at(MESSAGE_MS, () => {
      if (this.table.connection(connection.id) !== undefined) this.#run.pieceEvent(connection, event);
    });
  }

  #sample(lane: SimulatedLane): void {
    lane.sampleBytes += PIECE_BYTES;
    const elapsedMs = this.nowMs - lane.sampleStartMs;
    if (elapsedMs < 100) return;
    const rate = (lane.sampleBytes * 1000) / elapsedMs;
    lane.bytesPerSecond = lane.bytesPerSecond === 0 ? rate : (lane.bytesPerSecond + rate) / 2;
    lane.sampleBytes = 0;
    lane.sampleStartMs = this.nowMs;
  }

  get deliveredBytes(): number[] {
    return this.table.entries().map(({ deliveredBytes }) => deliveredBytes);
  }
}

function isSooner(one: Due, other: Due): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}

export interface SimulationOptions {
  readonly pieceCount: number;
  readonly seed: number;
  readonly strategy?: PieceStrategy;
  /** Somebody reads these, one after the other, from then on. */
  readonly hurries?: { readonly atMs: number; readonly pieces: readonly number[] };
}

/** Downloads everything, or gives up after a simulated minute. */
export async function simulate(
  sources: readonly SimulatedSource[],
  options: SimulationOptions,
): Promise<SimulatedDownload> {
  const swarm = new SimulatedSwarm(sources, options);
  await swarm.run();
  const { endMs, firstRequests, deliveredBytes, hurriedMs, sentBytes } = swarm;
  return { endMs, firstRequests, deliveredBytes, hurriedMs, sentBytes };
}
