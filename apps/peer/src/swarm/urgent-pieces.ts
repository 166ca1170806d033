// Owns how the urgent pieces of one download are asked for: each of whoever has it soonest, whatever that one has to do besides,
// and before all that is in its reserve. What is on the wire already is not taken back.
import type { PieceIndex } from '#domain/piece-geometry';
import type { PieceLedger } from '#domain/piece-ledger';
import { requestWindowBytes } from '#domain/source-choice';
import { chooseUrgent, type UrgentConnection } from '#domain/urgent-choice';
import { hasBit } from '#domain/bitfield';
import { BLOCK_BYTES_MAX } from '#wire/limits';
import type { LaneCommand } from '../data-plane/lane-messages.ts';
import type { Connection } from './source-table.ts';

/** What is needed of the run of the download. */
export interface UrgentContext {
  readonly ledger: PieceLedger;
  readonly urgent: () => ReadonlySet<PieceIndex>;
  readonly say: (lane: number, command: LaneCommand) => void;
  readonly rateOf: (connection: Connection) => number;
  readonly isSilent: (connection: Connection) => boolean;
  /** Call it before a connection is given something. */
  readonly willAsk: (connection: Connection) => void;
  /** Pieces that a connection may keep in memory while another one writes them. */
  readonly hedgesMax: () => number;
}

export class UrgentPieces {
  readonly #context: UrgentContext;
  /** What each connection was told last of what comes first. */
  readonly #told = new WeakMap<Connection, string>();

  constructor(context: UrgentContext) {
    this.#context = context;
  }

  /** Gives out what nobody fetches, and tells everybody concerned what comes first. */
  give(connections: readonly Connection[]): void {
    const { ledger, urgent, hedgesMax } = this.#context;
    const open = [...urgent()].filter((piece) => ledger.stateOf(piece) !== 'verified');
    const { assignments, hedges } =
      open.length === 0
        ? { assignments: [], hedges: [] }
        : chooseUrgent({
            pieces: open.map((piece) => ({ piece, holders: ledger.holdersOf(piece) })),
            connections: connections.map((connection) => this.#candidate(connection)),
            pieceBytes: ledger.geometry.pieceBytes,
            hedgesMax: hedgesMax(),
          });
    const given = Map.groupBy(assignments, ({ candidate }) => candidate);
    const hedged = Map.groupBy(hedges, ({ candidate }) => candidate);
    for (const connection of connections) {
      const [own, others] = [given.get(connection.id) ?? [], hedged.get(connection.id) ?? []];
      if (own.length + others.length > 0) this.#context.willAsk(connection);
      for (const { piece } of own) ledger.assign(piece, connection.id);
      for (const { piece } of others) ledger.hedge(piece, connection.id);
      // Said first, so that what comes now takes its place at once.
      this.#tellOrder(connection, open);
      this.#tell(connection, own, false);
      this.#tell(connection, others, true);
    }
  }

  #tellOrder(connection: Connection, open: readonly PieceIndex[]): void {
    const held = this.#context.ledger.piecesOf(connection.id);
    const pieces = open.filter((piece) => held.has(piece));
    const told = pieces.join();
    if (told === (this.#told.get(connection) ?? '')) return;
    this.#told.set(connection, told);
    this.#context.say(connection.lane, { kind: 'hurry', connection: connection.id, pieces });
  }

  #tell(connection: Connection, given: readonly { readonly piece: PieceIndex }[], hedge: boolean): void {
    if (given.length === 0) return;
    const pieces = given.map(({ piece }) => piece);
    this.#context.say(connection.lane, { kind: 'assign', connection: connection.id, pieces, hedge });
  }

  #candidate(connection: Connection): UrgentConnection {
    const { ledger, urgent, rateOf, isSilent } = this.#context;
    const { id, entry } = connection;
    const { pieceBytes } = ledger.geometry;
    const held = [...ledger.piecesOf(id)];
    const urgentBytes = held.filter((piece) => urgent().has(piece)).length * pieceBytes;
    const windowBytes = requestWindowBytes(connection.bytesPerSecond, Math.min(pieceBytes, BLOCK_BYTES_MAX));
    return {
      id,
      peer: entry.number,
      has: (piece) => entry.bitfield !== null && hasBit(entry.bitfield, piece),
      bytesPerSecond: rateOf(connection),
      isSilent: isSilent(connection),
      aheadBytes: Math.min(windowBytes, held.length * pieceBytes) + urgentBytes,
      hedgeCount: held.filter((piece) => ledger.holdersOf(piece)[0] !== id).length,
    };
  }
}
