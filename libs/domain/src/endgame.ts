// Owns who helps whom when nothing is missing any more and connections have nothing to do: near the end, and whenever all that is
// left is asked of somebody. Pure. What was not requested is taken back at no cost; what is on the wire is asked of two and never
// taken away, however long it takes: who is slow gets on, whatever those come to who promise to be faster.
import type { PieceIndex } from './piece-geometry.ts';

/** A connection as the endgame sees it. */
export interface EndgameConnection {
  readonly id: number;
  /** The peer at its other end. */
  readonly peer: number;
  has(piece: PieceIndex): boolean;
  /** What it was given, in the order of the requests. */
  readonly pieces: readonly PieceIndex[];
  /** How many of those are on the wire; the rest can be taken back at no cost. */
  readonly inFlightCount: number;
  /** 0 while it is not known. */
  readonly bytesPerSecond: number;
  /** Nothing comes although it was asked. */
  readonly isSilent: boolean;
}

/** Pieces of one connection. */
export interface ConnectionPieces {
  readonly connection: number;
  readonly pieces: readonly PieceIndex[];
}

/** What the endgame does. */
export interface EndgameMoves {
  /** Taken back as far as they were not requested. */
  readonly recalls: readonly ConnectionPieces[];
  /** Asked of an idle connection as well. */
  readonly hedges: readonly ConnectionPieces[];
}

/** What is looked at when no piece is left that nobody has been asked for. */
export interface EndgameInput {
  readonly connections: readonly EndgameConnection[];
  readonly hedgesMax: number;
}

/** A connection hedges what it delivers in at most this many times what the other one needs: rates are of the past. */
const SLOWER_AT_MOST = 8;
/** More than two are asked for a piece when all who were are silent, or so many times slower than one more. */
const FASTER_AT_LEAST = 4;
const HOLDERS_MAX = 4;

/**
 * Finds work for idle connections when no piece is missing, the fastest first. Takes it from the connection that needs longest:
 * reserves first; when nobody has one that helps, what is on the wire, up to `hedgesMax` pieces for each idle connection.
 */
export function chooseEndgame(input: EndgameInput): EndgameMoves {
  const idle = input.connections
    .filter((connection) => connection.pieces.length === 0 && !connection.isSilent)
    .sort((left, right) => pieceTime(left) - pieceTime(right));
  const busy = input.connections
    .filter((connection) => connection.pieces.length > 0)
    .sort((left, right) => timeLeft(right) - timeLeft(left));
  const [recalls, hedges]: [ConnectionPieces[], ConnectionPieces[]] = [[], []];
  const robbed = new Set<number>();
  const taken = new Set<PieceIndex>();
  for (const taker of idle) {
    const recall = recallFor(taker, busy, robbed);
    if (recall !== null) {
      recalls.push(recall);
      robbed.add(recall.connection);
      continue;
    }
    if (robbed.size > 0) continue;
    const pieces = hedgesFor(taker, { ...input, busy, taken });
    for (const piece of pieces) taken.add(piece);
    if (pieces.length > 0) hedges.push({ connection: taker.id, pieces });
  }
  return { recalls, hedges };
}

/** Times that one piece takes; the unit is the same for all. Who is not known may be fast. */
function pieceTime({ bytesPerSecond }: EndgameConnection): number {
  return bytesPerSecond === 0 ? 0 : 1 / bytesPerSecond;
}

function timeLeft(connection: EndgameConnection): number {
  return connection.isSilent ? Infinity : connection.pieces.length / Math.max(connection.bytesPerSecond, 1);
}

/** Of what the taker has, half of the longest reserve, from its end; of a silent connection all of it. */
function recallFor(
  taker: EndgameConnection,
  busy: readonly EndgameConnection[],
  robbed: ReadonlySet<number>,
): ConnectionPieces | null {
  for (const connection of busy) {
    if (robbed.has(connection.id)) continue;
    const reserve = connection.pieces.slice(connection.inFlightCount).filter((piece) => taker.has(piece));
    const keptCount = connection.isSilent ? 0 : Math.floor(reserve.length / 2);
    if (reserve.length > 0) return { connection: connection.id, pieces: reserve.slice(keptCount) };
  }
  return null;
}

/** The pieces that others would deliver last. */
function hedgesFor(
  taker: EndgameConnection,
  input: EndgameInput & { readonly busy: readonly EndgameConnection[]; readonly taken: ReadonlySet<PieceIndex> },
): PieceIndex[] {
  const pieces: PieceIndex[] = [];
  for (const connection of input.busy) {
    if (connection.peer === taker.peer) continue;
    for (const piece of connection.pieces.toReversed()) {
      if (pieces.length >= input.hedgesMax) return pieces;
      if (!taker.has(piece) || input.taken.has(piece) || pieces.includes(piece)) continue;
      // The first may race; more are for who has so much to do that half of it would still take longer.
      if (pieces.length > 0 && pieceTime(taker) * (pieces.length + 1) > timeLeft(connection) / 2) break;
      if (isWorthIt(taker, piece, input.busy)) pieces.push(piece);
    }
  }
  return pieces;
}

function isWorthIt(taker: EndgameConnection, piece: PieceIndex, busy: readonly EndgameConnection[]): boolean {
  const holders = busy.filter(({ pieces }) => pieces.includes(piece));
  if (holders.length === 1) return pieceTime(taker) <= timeLeft(holders[0]!) * SLOWER_AT_MOST;
  if (holders.length >= HOLDERS_MAX || holders.some(({ peer }) => peer === taker.peer)) return false;
  const fastest = Math.max(...holders.map(({ isSilent, bytesPerSecond }) => (isSilent ? 0 : bytesPerSecond)));
  return holders.every(({ isSilent }) => isSilent) || taker.bytesPerSecond > fastest * FASTER_AT_LEAST;
}
