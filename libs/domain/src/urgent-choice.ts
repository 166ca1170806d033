// Owns whom urgent pieces are asked of: each in its turn of whoever has it soonest, by rates and by what comes before it. Pure.
// One whose holder would take far longer than somebody else is asked of that one as well.
import type { PieceIndex } from './piece-geometry.ts';
import type { Assignment } from './source-choice.ts';

/** A connection as the choice sees it. */
export interface UrgentConnection {
  readonly id: number;
  /** The peer at its other end. */
  readonly peer: number;
  has(piece: PieceIndex): boolean;
  /** 0 while it is not known. */
  readonly bytesPerSecond: number;
  /** Nothing comes although it was asked. */
  readonly isSilent: boolean;
  /** Bytes that come before what is asked of it now: what is on the wire, and urgent pieces that it was given before. */
  readonly aheadBytes: number;
  /** Pieces that others write, and that it keeps in memory. */
  readonly hedgeCount: number;
}

/** An urgent piece that is not verified, and the connections that fetch it. */
export interface UrgentPiece {
  readonly piece: PieceIndex;
  readonly holders: readonly number[];
}

/** What a choice is made from. */
export interface UrgentInput {
  /** The most urgent first. */
  readonly pieces: readonly UrgentPiece[];
  readonly connections: readonly UrgentConnection[];
  readonly pieceBytes: number;
  /** Pieces that a connection may keep in memory. */
  readonly hedgesMax: number;
}

/** Who is asked; `candidate` is a connection. */
export interface UrgentMoves {
  readonly assignments: readonly Assignment[];
  readonly hedges: readonly Assignment[];
}

/** A piece is asked of a second connection that is so many times faster than those that have it. */
const FASTER_AT_LEAST = 4;
const HOLDERS_MAX = 3;

interface Load {
  readonly connection: UrgentConnection;
  readonly bytesPerSecond: number;
  aheadBytes: number;
  hedgeCount: number;
}

/** Finds somebody for every urgent piece that nobody fetches, and somebody better for one that is in bad hands. */
export function chooseUrgent({ pieces, connections, pieceBytes, hedgesMax }: UrgentInput): UrgentMoves {
  const loads = loadsOf(connections);
  const soonest = (fits: (load: Load) => boolean): Load | null => {
    const times = loads
      .filter(fits)
      .map((load) => ({ load, time: (load.aheadBytes + pieceBytes) / load.bytesPerSecond }));
    return (
      times.reduce<(typeof times)[number] | null>(
        (best, each) => (best !== null && best.time <= each.time ? best : each),
        null,
      )?.load ?? null
    );
  };
  const [assignments, hedges]: [Assignment[], Assignment[]] = [[], []];
  for (const { piece, holders } of pieces) {
    const held = loads.filter(({ connection }) => holders.includes(connection.id));
    const taker = soonest(
      (load) => load.connection.has(piece) && (holders.length === 0 || mayHedge(load, held, hedgesMax)),
    );
    if (taker === null || holders.length >= HOLDERS_MAX) continue;
    (holders.length === 0 ? assignments : hedges).push({ candidate: taker.connection.id, piece });
    taker.aheadBytes += pieceBytes;
    if (holders.length > 0) taker.hedgeCount++;
  }
  return { assignments, hedges };
}

/** Where nobody says anything there is nobody better. Who is not known is taken for as fast as the others are. */
function loadsOf(connections: readonly UrgentConnection[]): Load[] {
  const speaking = connections.filter(({ isSilent }) => !isSilent);
  const able = speaking.length === 0 ? connections : speaking;
  const known = able.map(({ bytesPerSecond }) => bytesPerSecond).filter((rate) => rate > 0);
  const usual = known.length === 0 ? 1 : known.reduce((sum, rate) => sum + rate, 0) / known.length;
  return able.map((connection) => ({
    connection,
    bytesPerSecond: connection.bytesPerSecond === 0 ? usual : connection.bytesPerSecond,
    aheadBytes: connection.aheadBytes,
    hedgeCount: connection.hedgeCount,
  }));
}

/** `held` are the holders that say something: none when all of them are silent or gone. */
function mayHedge(taker: Load, held: readonly Load[], hedgesMax: number): boolean {
  if (taker.hedgeCount >= hedgesMax || taker.connection.isSilent) return false;
  if (held.some(({ connection }) => connection.peer === taker.connection.peer)) return false;
  const fastest = Math.max(0, ...held.map(({ bytesPerSecond }) => bytesPerSecond));
  return taker.bytesPerSecond > fastest * FASTER_AT_LEAST;
}
