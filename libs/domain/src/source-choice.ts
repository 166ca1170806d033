// Owns which missing piece is asked of which peer. Pure: who is connected, what each has and what each has outstanding come in as
// data, the random source is a parameter. A peer is filled up to its target in proportion to what it has outstanding, so equal
// peers carry equal load and a slow one is given little.
import { type PieceGeometry, type PieceIndex, pieceRange } from './piece-geometry.ts';

/** How the next pieces are drawn: at random, the rarest first, or in order. */
export const PIECE_STRATEGIES = ['random', 'rarest-first', 'sequential'] as const;

/** In which order pieces are asked for. */
export type PieceStrategy = (typeof PIECE_STRATEGIES)[number];

/** A connected peer as the choice sees it. */
export interface Candidate {
  readonly id: number;
  has(piece: PieceIndex): boolean;
  /** Bytes asked of it and not yet verified. */
  readonly outstandingBytes: number;
  /** Bytes that it should have outstanding; nothing more is asked of it beyond. */
  readonly targetBytes: number;
}

/** A piece that is to be asked of a candidate. */
export interface Assignment {
  readonly candidate: number;
  readonly piece: PieceIndex;
}

/** What a choice is made from. */
export interface ChoiceInput {
  readonly strategy: PieceStrategy;
  readonly geometry: PieceGeometry;
  /** Missing pieces, those that are wanted most in the first class, in any order within a class; they are only read. */
  readonly missing: readonly Uint32Array[];
  readonly candidates: readonly Candidate[];
  /** How many connected peers have a piece; asked by `rarest-first` only. */
  readonly availability: (piece: PieceIndex) => number;
  readonly random: () => number;
}

/** Fills every candidate up to its target, as far as the missing pieces that it has go: first with those of the first class. */
export function chooseAssignments(input: ChoiceInput): Assignment[] {
  const open = input.candidates
    .map((candidate) => ({ candidate, outstandingBytes: candidate.outstandingBytes }))
    .filter(({ candidate }) => candidate.outstandingBytes < candidate.targetBytes);
  const assignments: Assignment[] = [];
  if (open.length === 0) return assignments;
  for (const piece of drawOrder(input)) {
    const taker = leastLoaded(open, piece, input.random);
    if (taker === null) continue;
    assignments.push({ candidate: taker.candidate.id, piece });
    taker.outstandingBytes += pieceRange(input.geometry, piece).length;
    if (taker.outstandingBytes >= taker.candidate.targetBytes) open.splice(open.indexOf(taker), 1);
    if (open.length === 0) break;
  }
  return assignments;
}

interface Load {
  readonly candidate: Candidate;
  outstandingBytes: number;
}

/** The taker that has the piece and the smallest part of its target outstanding; among equals one at random. */
function leastLoaded(open: readonly Load[], piece: PieceIndex, random: () => number): Load | null {
  let best: Load | null = null;
  let bestPart = Infinity;
  let equals = 0;
  for (const load of open) {
    if (!load.candidate.has(piece)) continue;
    const part = load.outstandingBytes / load.candidate.targetBytes;
    if (part > bestPart) continue;
    equals = part < bestPart ? 1 : equals + 1;
    if (equals === 1 || random() * equals < 1) best = load;
    bestPart = part;
  }
  return best;
}

function drawOrder(input: ChoiceInput): Iterable<PieceIndex> {
  const [first = new Uint32Array(), ...others] = input.missing;
  return others.length === 0 ? drawWithin(first, input) : drawByClass(input);
}

function* drawByClass(input: ChoiceInput): Generator<PieceIndex> {
  for (const pieces of input.missing) yield* drawWithin(pieces, input);
}

function drawWithin(pieces: Uint32Array, input: ChoiceInput): Iterable<PieceIndex> {
  if (input.strategy === 'random') return drawAtRandom(pieces, input.random);
  if (input.strategy === 'sequential') return pieces.toSorted() as unknown as Iterable<PieceIndex>;
  return drawRarest(pieces, input);
}

/**
 * Every piece once, each draw uniform among those left; stops drawing when the caller does. What a drawn place holds from then
 * on is kept aside, so that a few draws from a long list cost no copy of it.
 */
function* drawAtRandom(pieces: Uint32Array, random: () => number): Generator<PieceIndex> {
  const moved = new Map<number, number>();
  const at = (place: number): number => moved.get(place) ?? pieces[place] ?? 0;
  for (let left = pieces.length; left > 0; left--) {
    const drawn = Math.floor(random() * left);
    const piece = at(drawn);
    moved.set(drawn, at(left - 1));
    yield piece as PieceIndex;
  }
}

function* drawRarest(
  pieces: Uint32Array,
  { availability, random }: Pick<ChoiceInput, 'availability' | 'random'>,
): Generator<PieceIndex> {
  const byRarity = new Map<number, number[]>();
  for (const piece of pieces) {
    const count = availability(piece as PieceIndex);
    const level = byRarity.get(count);
    if (level === undefined) byRarity.set(count, [piece]);
    else level.push(piece);
  }
  for (const [count, level] of [...byRarity].sort(([left], [right]) => left - right)) {
    if (count > 0) yield* drawAtRandom(Uint32Array.from(level), random);
  }
}

const WINDOW_SECONDS = 0.3;
const WINDOW_BLOCKS_MIN = 4;
const WINDOW_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Bytes that a connection keeps asked for: what comes in 0.3 seconds, more than any round trip takes, so that the rate can
 * grow; at least four blocks, because the rate is not known at first; and never more than its part of what its download may
 * have asked for.
 */
export function requestWindowBytes(bytesPerSecond: number, blockBytes: number, partBytes = Infinity): number {
  const wantedBytes = Math.min(bytesPerSecond * WINDOW_SECONDS, WINDOW_BYTES_MAX);
  return Math.min(Math.max(WINDOW_BLOCKS_MIN * blockBytes, wantedBytes), partBytes);
}

/** The longest block of a connection with such a part: two fit, so that one is asked for while the other comes. A power of two. */
export function partBlockBytes(partBytes: number): number {
  return 2 ** Math.floor(Math.log2(partBytes / 2));
}

const RESERVE_PIECES_MIN = 8;
const RESERVE_BYTES_MIN = 16 * 1024 * 1024;

/**
 * Bytes that a connection should have assigned: about a second's worth, so that it goes on when nobody decides anything; what
 * is not requested costs nothing, so it is much while the rate is not known. Where order matters it is always as little as
 * that and what is on the wire: what is deep in one reserve comes after what others are given later.
 */
export function reserveBytes(
  bytesPerSecond: number,
  { pieceBytes, strategy }: { readonly pieceBytes: number; readonly strategy: PieceStrategy },
): number {
  const least = Math.max(RESERVE_PIECES_MIN * pieceBytes, RESERVE_BYTES_MIN);
  if (strategy === 'sequential') return least + requestWindowBytes(bytesPerSecond, pieceBytes);
  return Math.max(least, bytesPerSecond);
}

const CONNECTIONS_PER_WORKER_MAX = 4;

/**
 * Connections to each of so many sources: the same number for all, because what is fetched follows the connections; enough
 * to keep every worker busy; and so many that workers have equally many, as long as that makes no crowd. More only cost.
 */
export function connectionsPerSource({ sources, workers }: { sources: number; workers: number }): number {
  const fewest = Math.max(1, Math.ceil(workers / sources));
  for (let count = fewest; sources * count <= CONNECTIONS_PER_WORKER_MAX * workers; count++) {
    if ((sources * count) % workers === 0) return count;
  }
  return fewest;
}
