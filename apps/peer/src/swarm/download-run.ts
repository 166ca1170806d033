// Owns the fetching half of one download on the main thread: it turns what lanes report into ledger entries, and what ledger
// and source choice decide into commands. It moves no bytes. Once every piece is verified it says so and does nothing more.
import { hasBit } from '#domain/bitfield';
import { chooseEndgame, type EndgameConnection } from '#domain/endgame';
import { EqualParts } from '#domain/equal-parts';
import type { PieceIndex } from '#domain/piece-geometry';
import { pieceIndex, pieceRange } from '#domain/piece-geometry';
import type { PieceLedger } from '#domain/piece-ledger';
import type { PiecePriorities } from '#domain/piece-priorities';
import {
  type Assignment,
  type Candidate,
  chooseAssignments,
  type PieceStrategy,
  requestWindowBytes,
  reserveBytes,
} from '#domain/source-choice';
import { BLOCK_BYTES_MAX, OUTSTANDING_BYTES_MAX } from '#wire/limits';
import type { ConnectionEvent, LaneCommand } from '../data-plane/lane-messages.ts';
import type { Connection, SourceEntry, SourceTable } from './source-table.ts';
import { UrgentPieces } from './urgent-pieces.ts';

/** Hedged pieces wait in memory: so many, of so many bytes, for each connection. Longer ones are not hedged. */
const HEDGES_MAX = 4;
const HEDGED_BYTES_MAX = 8 * 1024 * 1024;

/** How soon it is looked at who has nothing to do. */
const LOOK_AGAIN_MS = 50;

/** A connection gets so many pieces however little is left, so that it never waits for the main thread. */
const FAIR_PIECES_MIN = 4;

export interface RunContext {
  readonly ledger: PieceLedger;
  /** Whoever changes them says so with `wanted` or `hurried`. */
  readonly priorities: PiecePriorities;
  readonly sources: SourceTable;
  readonly strategy: PieceStrategy;
  readonly random: () => number;
  readonly now: () => number;
  readonly later: (waitMs: number, act: () => void) => void;
  readonly say: (lane: number, command: LaneCommand) => void;
  /** Whether a limit of this peer holds for what comes: what is asked of two then costs what something else could have. */
  readonly isRateLimited: () => boolean;
  readonly onVerified: (piece: PieceIndex) => void;
  readonly onCorrupt: (connection: Connection) => void;
}

type PieceEvent = Extract<
  ConnectionEvent,
  { kind: 'verified' | 'held' | 'corrupt' | 'rejected' | 'cancelled' | 'recalled' | 'passedOver' }
>;

export class DownloadRun {
  readonly #context: RunContext;
  readonly #parts = new EqualParts();
  readonly #urgent: UrgentPieces;
  #fairBytes = 0;
  #limitOf: (source: number) => number = () => Infinity;
  #isRefillDue = false;
  #isLookDue = false;
  #isStopped = false;

  constructor(context: RunContext) {
    this.#context = context;
    const { ledger, priorities, say } = context;
    this.#urgent = new UrgentPieces({
      ...{ ledger, say, urgent: () => priorities.urgent, hedgesMax: () => this.#hedgesMax() },
      rateOf: (connection) => this.#rateOf(connection),
      isSilent: (connection) => this.#isSilent(connection),
      willAsk: (connection) => this.#willAsk(connection),
    });
    this.#want([...Array(ledger.geometry.pieceCount).keys()] as PieceIndex[]);
  }

  /** No more commands after this. */
  stop(): void {
    this.#isStopped = true;
  }

  pieceEvent(connection: Connection, event: PieceEvent): void {
    switch (event.kind) {
      case 'verified':
        for (const piece of event.pieces) this.#verified(connection, piece);
        break;
      case 'held':
        this.#held(connection, event.piece);
        break;
      case 'corrupt':
        this.#release(connection, [event.piece]);
        this.#context.onCorrupt(connection);
        break;
      case 'rejected':
        this.#context.sources.lacks(connection.entry, event.piece);
        this.#release(connection, [event.piece]);
        break;
      case 'recalled':
        this.#recalled(connection, event);
        break;
      case 'cancelled':
        connection.isOwing = event.owes;
        this.#release(connection, event.pieces);
        break;
      case 'passedOver':
        this.#context.sources.heard(connection, this.#context.now());
    }
    this.refillSoon();
  }

  /** A connection is gone; what it held goes back, or to the connection that hedged it. */
  connectionLost(connection: Connection): void {
    for (const piece of this.#context.ledger.releaseAll(connection.id)) this.#promote(piece);
    this.refillSoon();
  }

  /** Gives a connection nothing more, takes back what was not requested, and ends it when the rest has come. */
  retire(connection: Connection): void {
    connection.isRetiring = true;
    this.#recall(connection, [...this.#context.ledger.piecesOf(connection.id)]);
    this.refillSoon();
  }

  /** Gives connections their share of what is missing, once for everything that lanes report in one turn. */
  refillSoon(): void {
    if (this.#isRefillDue || this.#isStopped) return;
    this.#isRefillDue = true;
    setImmediate(() => {
      this.#isRefillDue = false;
      if (!this.#isStopped) this.#refill();
    });
  }

  /** The priorities are others: what was given out and not asked for comes back, but what is wanted most. */
  prioritized(): void {
    const { ledger, priorities, sources } = this.#context;
    this.#want([...Array(ledger.geometry.pieceCount).keys()] as PieceIndex[]);
    const highest = Math.max(0, ...ledger.missingPieces().map((piece) => priorities.of(piece as PieceIndex)));
    for (const connection of sources.openConnections()) {
      const back = [...ledger.piecesOf(connection.id)].filter(
        (piece) => priorities.of(piece) < highest || !priorities.isWanted(piece),
      );
      if (back.length > 0 && connection.recalled === null) this.#recall(connection, back);
    }
    this.refillSoon();
  }

  /** The urgent window is another one; these came into it or left it. */
  hurried(changed: readonly PieceIndex[]): void {
    this.#want(changed);
    if (!this.#isStopped) this.#urgent.give(this.#taking());
    this.refillSoon();
  }

  /** Whether anything is asked for right now. */
  get isFetching(): boolean {
    return this.#context.sources.openConnections().some(({ id }) => this.#context.ledger.piecesOf(id).size > 0);
  }

  #want(pieces: readonly PieceIndex[]): void {
    const { ledger, priorities } = this.#context;
    for (const piece of pieces) ledger.want(piece, priorities.isWanted(piece));
  }

  #verified(connection: Connection, number: number): void {
    const { ledger, sources } = this.#context;
    const piece = pieceIndex(ledger.geometry, number);
    if (piece === undefined || ledger.stateOf(piece) === 'verified') return;
    sources.delivered(connection, pieceRange(ledger.geometry, piece).length, this.#context.now());
    for (const loser of ledger.verify(piece, connection.id)) this.#cancel(loser, piece);
    this.#context.onVerified(piece);
  }

  /** A hedging connection has the piece: it writes it as soon as the one that was to write it has let go. */
  #held(connection: Connection, number: number): void {
    const { ledger, sources, now } = this.#context;
    const piece = pieceIndex(ledger.geometry, number);
    sources.heard(connection, now());
    if (piece === undefined) return;
    ledger.prefer(piece, connection.id);
    const [writer] = ledger.holdersOf(piece);
    if (writer === connection.id) this.#promote(piece);
    else if (writer !== undefined) this.#cancel(writer, piece);
  }

  /** What was asked back and did not come is on the wire. */
  #recalled(connection: Connection, event: { readonly pieces: readonly number[]; readonly owes: boolean }): void {
    const asked = connection.recalled;
    this.#release(connection, event.pieces);
    const held = [...this.#context.ledger.piecesOf(connection.id)];
    connection.onWire = new Set(held.filter((piece) => asked?.has(piece) === true || connection.onWire.has(piece)));
    connection.recalled = null;
    connection.isOwing = event.owes;
  }

  #release(connection: Connection, pieces: readonly number[]): void {
    const { ledger } = this.#context;
    for (const number of pieces) {
      const piece = pieceIndex(ledger.geometry, number);
      if (piece === undefined) continue;
      const wasWriter = ledger.holdersOf(piece)[0] === connection.id;
      if (ledger.release(piece, connection.id) === 'taken_over' && wasWriter) this.#promote(piece);
    }
  }

  #promote(piece: PieceIndex): void {
    const [writer] = this.#context.ledger.holdersOf(piece);
    const connection = writer === undefined ? undefined : this.#context.sources.connection(writer);
    if (connection === undefined) return;
    this.#context.say(connection.lane, { kind: 'promote', connection: connection.id, piece });
  }

  #cancel(holder: number, piece: PieceIndex): void {
    const connection = this.#context.sources.connection(holder);
    if (connection === undefined) return;
    this.#context.say(connection.lane, { kind: 'cancel', connection: connection.id, pieces: [piece] });
  }

  #refill(): void {
    const { ledger, priorities, sources, strategy, random } = this.#context;
    this.#endRetired();
    const open = this.#taking();
    if (open.length === 0 || ledger.isComplete) return;
    if (priorities.urgent.size > 0) this.#urgent.give(open);
    this.#limitParts();
    const speaking = open.filter((connection) => !this.#isSilent(connection));
    // Where nobody says anything there is nobody better.
    const byEntry = Map.groupBy(speaking.length === 0 ? open : speaking, ({ entry }) => entry);
    if (ledger.missingCount > 0) {
      const { pieceBytes } = ledger.geometry;
      // Sources that are being dialled get their part of a small content too.
      const equalBytes = ledger.leftBytes / sources.connectionsExpected();
      this.#fairBytes = Math.max(equalBytes, FAIR_PIECES_MIN * pieceBytes);
      const assignments = chooseAssignments({
        strategy,
        geometry: ledger.geometry,
        missing: priorities.classesOf(ledger.missingPieces()),
        candidates: this.#candidates(byEntry),
        availability: (piece) => sources.availability(piece),
        random,
      });
      this.#assign(assignments, byEntry);
    }
    if (open.some(({ id }) => ledger.piecesOf(id).size === 0)) this.#lookAgain();
    const isBusy = ({ id }: Connection): boolean => ledger.piecesOf(id).size > 0;
    const idle = open.filter((connection) => !isBusy(connection) && this.#limitOf(connection.entry.number) > 0);
    // A retiring connection gets nothing, but what it has still to bring may be brought by others.
    if (idle.length > 0) this.#endgame([...idle, ...sources.openConnections().filter(isBusy)]);
  }

  /** Who waits for another source's part waits for a time, and nothing else may happen meanwhile. */
  #lookAgain(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    this.#context.later(LOOK_AGAIN_MS, () => {
      this.#isLookDue = false;
      this.refillSoon();
    });
  }

  #limitParts(): void {
    const { ledger, sources, now } = this.#context;
    const { pieceBytes, pieceCount } = ledger.geometry;
    this.#limitOf = this.#parts.limits({
      nowMs: now(),
      leftBytes: ledger.leftBytes,
      pieceBytes,
      takers: sources.partaking().map(({ number, deliveredBytes, bitfield, connections, ...entry }) => {
        const bytesPerSecond = sum([...connections.values()], (connection) => this.#rateOf(connection));
        return {
          id: number,
          deliveredBytes,
          bytesPerSecond: bytesPerSecond === 0 ? null : bytesPerSecond,
          isPartial: bitfield !== null && entry.pieceCount < pieceCount,
        };
      }),
    });
  }

  /** Connections that may be given something. */
  #taking(): Connection[] {
    return this.#context.sources.openConnections().filter(({ isRetiring }) => !isRetiring);
  }

  #endRetired(): void {
    const { ledger, sources, say } = this.#context;
    for (const { id, lane, isRetiring } of sources.openConnections()) {
      if (isRetiring && ledger.piecesOf(id).size === 0) say(lane, { kind: 'hangUp', connection: id });
    }
  }

  #recall(connection: Connection, pieces: readonly number[]): void {
    connection.recalled = new Set(pieces);
    this.#context.say(connection.lane, { kind: 'recall', connection: connection.id, pieces });
  }

  /** Whether it is asked for something and nothing of it comes. */
  #isSilent(connection: Connection): boolean {
    const { ledger, sources, now } = this.#context;
    return this.#isAsked(connection) && sources.isSilent(connection, ledger.geometry.pieceBytes, now());
  }

  #rateOf(connection: Connection): number {
    const { ledger, sources, now } = this.#context;
    if (!this.#isAsked(connection)) return connection.bytesPerSecond;
    return sources.rateOf(connection, ledger.geometry.pieceBytes, now());
  }

  #isAsked({ id, isOwing }: Connection): boolean {
    return isOwing || this.#context.ledger.piecesOf(id).size > 0;
  }

  #candidates(byEntry: ReadonlyMap<SourceEntry, readonly Connection[]>): Candidate[] {
    const { ledger } = this.#context;
    const { pieceBytes } = ledger.geometry;
    return [...byEntry].map(([entry, connections]) => ({
      id: entry.number,
      has: (piece) => entry.bitfield !== null && hasBit(entry.bitfield, piece),
      outstandingBytes: sum(connections, ({ id }) => ledger.piecesOf(id).size * pieceBytes),
      targetBytes: Math.min(
        sum(connections, (connection) => this.#targetBytes(connection)),
        this.#limitOf(entry.number),
      ),
    }));
  }

  /** About a second's worth, and no more than a fair part of what is left. */
  #targetBytes({ bytesPerSecond }: Connection): number {
    const { strategy, ledger } = this.#context;
    const { pieceBytes } = ledger.geometry;
    return Math.min(reserveBytes(bytesPerSecond, { pieceBytes, strategy }), this.#fairBytes);
  }

  /** Hands a source's new pieces to its connections, each to the one with the smallest part of its target. */
  #assign(assignments: readonly Assignment[], byEntry: ReadonlyMap<SourceEntry, readonly Connection[]>): void {
    const { ledger } = this.#context;
    const connectionsOf = new Map([...byEntry].map(([{ number }, connections]) => [number, connections]));
    const given = new Map<Connection, number[]>();
    for (const { candidate, piece } of assignments) {
      const connection = this.#leastLoaded(connectionsOf.get(candidate) ?? []);
      if (connection === undefined) continue;
      this.#willAsk(connection);
      if (!ledger.assign(piece, connection.id)) continue;
      const pieces = given.get(connection);
      if (pieces === undefined) given.set(connection, [piece]);
      else pieces.push(piece);
    }
    for (const [connection, pieces] of given) {
      this.#context.say(connection.lane, { kind: 'assign', connection: connection.id, pieces, hedge: false });
    }
  }

  #leastLoaded(connections: readonly Connection[]): Connection | undefined {
    const { ledger } = this.#context;
    let best: Connection | undefined;
    let bestPart = Infinity;
    for (const connection of connections) {
      const part = ledger.piecesOf(connection.id).size / this.#targetBytes(connection);
      if (part < bestPart) [best, bestPart] = [connection, part];
    }
    return best;
  }

  #endgame(taking: readonly Connection[]): void {
    const { sources } = this.#context;
    if (taking.some(({ recalled }) => recalled !== null)) return;
    const hedgesMax = this.#hedgesMax();
    const connections = taking.map((connection) => this.#endgameConnection(connection));
    const moves = chooseEndgame({ connections, hedgesMax });
    for (const { connection: id, pieces } of moves.recalls) {
      const connection = sources.connection(id);
      if (connection !== undefined) this.#recall(connection, pieces);
    }
    for (const { connection: id, pieces } of moves.hedges) {
      const connection = sources.connection(id);
      if (connection !== undefined) this.#hedge(connection, pieces);
    }
  }

  /** Pieces that a connection may keep in memory while another one writes them. */
  #hedgesMax(): number {
    const affordable = Math.min(HEDGES_MAX, Math.floor(HEDGED_BYTES_MAX / this.#context.ledger.geometry.pieceBytes));
    return this.#context.isRateLimited() ? 0 : affordable;
  }

  #endgameConnection(connection: Connection): EndgameConnection {
    const { ledger, sources } = this.#context;
    const { pieceBytes } = ledger.geometry;
    const { id, entry, onWire } = connection;
    const pieces = [...ledger.piecesOf(id)];
    const partBytes = OUTSTANDING_BYTES_MAX / Math.max(1, sources.openConnections().length);
    const windowBytes = requestWindowBytes(connection.bytesPerSecond, Math.min(pieceBytes, BLOCK_BYTES_MAX), partBytes);
    return {
      id,
      peer: entry.number,
      has: (piece) => entry.bitfield !== null && hasBit(entry.bitfield, piece),
      pieces,
      inFlightCount: Math.max(
        Math.ceil(windowBytes / pieceBytes),
        pieces.findLastIndex((piece) => onWire.has(piece)) + 1,
      ),
      bytesPerSecond: this.#rateOf(connection),
      isSilent: this.#isSilent(connection),
    };
  }

  #hedge(connection: Connection, pieces: readonly PieceIndex[]): void {
    const { ledger, say } = this.#context;
    const { id } = connection;
    this.#willAsk(connection);
    const hedged = pieces.filter((piece) => ledger.hedge(piece, id));
    if (hedged.length > 0) say(connection.lane, { kind: 'assign', connection: id, pieces: hedged, hedge: true });
  }

  /** Call it before a connection is given something. */
  #willAsk(connection: Connection): void {
    const { sources, now } = this.#context;
    if (!this.#isAsked(connection)) sources.asked(connection, now());
  }
}

function sum<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}
