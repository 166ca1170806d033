// Owns the sources of one download: who they are, what each has, its connections, and when it may be dialled again. It decides
// nothing about pieces and sends nothing; time and randomness are given to it.
import { bitMask, countBits, hasBit, setBit } from '#domain/bitfield';
import { connectionsPerSource } from '#domain/source-choice';
import { formatHostPort } from '#wire/host-port';
import { CONNECTED_SOURCES_MAX } from '#wire/limits';
import type { HangUpCode } from '../data-plane/lane-messages.ts';
import type { SourceState, SourceView } from './download-view.ts';
import type { Address, Source } from './transfer-engine.ts';

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5_000;
/** For what does not pass by itself soon: another peer at the address, a file that was changed. */
const BACKOFF_LONG_MS = 30_000;
const RATE_SAMPLE_MS = 200;
/** The first sample is short: until there is one, a connection has a small reserve. */
const FIRST_RATE_SAMPLE_MS = 40;
const RESHUFFLES_MAX = 8;
/** A connection that was asked is silent after so many times what it needs for a piece, within these bounds. */
const SILENT_PIECES = 4;
const SILENT_MS_MIN = 200;
const SILENT_MS_MAX = 2_000;

/** One connection to a source. */
export interface Connection {
  readonly id: number;
  readonly lane: number;
  readonly entry: SourceEntry;
  isOpen: boolean;
  /** Which worker of the other side holds it, once it is open. */
  remoteLane: number;
  /** What a recall asked back that was not answered yet. */
  recalled: ReadonlySet<number> | null;
  /** Pieces that a recall did not bring back: they are on the wire. */
  onWire: ReadonlySet<number>;
  /** It was asked for something that was cancelled, and nothing has come since. */
  isOwing: boolean;
  /** When something came last, or when it was asked after it had nothing to do. */
  heardMs: number;
  /** One too many since other sources came: it ends with what it was asked for. */
  isRetiring: boolean;
  bytesPerSecond: number;
  sampleBytes: number;
  sampleStartMs: number;
}

/** One source with everything known about it. */
export interface SourceEntry {
  readonly number: number;
  source: Source;
  /** Listed by a tracker now. */
  isListed: boolean;
  readonly connections: Map<number, Connection>;
  /** What it has; null until it was connected. */
  bitfield: Uint8Array | null;
  /** Pieces in the bitfield. */
  pieceCount: number;
  /** Dials and connections that ended badly since the last good one. */
  failures: number;
  nextDialMs: number;
  lastCode: HangUpCode | null;
  /** Sent bytes that do not fit: not asked for this content again. */
  isDropped: boolean;
  address: Address | null;
  deliveredBytes: number;
  corruptPieces: number;
  /** Connections closed again because another worker of the source has room. */
  reshuffles: number;
}

const LONG_CODES: ReadonlySet<HangUpCode> = new Set([
  'wrong_peer',
  'source_changed',
  'source_missing',
  'version_mismatch',
]);
const REFUSED_CODES: ReadonlySet<HangUpCode> = new Set([
  'grant_malformed',
  'grant_not_signed',
  'grant_mismatch',
  'grant_expired',
  'grant_revoked',
  'unknown_share',
  'withdrawn',
  'source_changed',
  'source_missing',
]);

export class SourceTable {
  readonly #entries = new Map<string, SourceEntry>();
  readonly #connections = new Map<number, Connection>();
  readonly #availability: Uint16Array;
  readonly #workers: number;
  readonly #random: () => number;

  constructor(options: { readonly pieceCount: number; readonly workers: number; readonly random: () => number }) {
    this.#availability = new Uint16Array(options.pieceCount);
    this.#workers = options.workers;
    this.#random = options.random;
  }

  /** Takes a new list of sources. One that was away is dialled at once. */
  update(sources: readonly Source[]): void {
    const listed = new Set(sources.map(({ peerId }) => peerId));
    for (const entry of this.#entries.values()) entry.isListed = listed.has(entry.source.peerId);
    for (const source of sources) {
      const known = this.#entries.get(source.peerId);
      if (known === undefined) this.#entries.set(source.peerId, newEntry(this.#entries.size, source));
      else refresh(known, source);
    }
  }

  entries(): SourceEntry[] {
    return [...this.#entries.values()];
  }

  connection(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  connections(): Connection[] {
    return [...this.#connections.values()];
  }

  openConnections(): Connection[] {
    return this.connections().filter(({ isOpen }) => isOpen);
  }

  /** Connected sources, and those that are dialled for the first time. */
  partaking(): SourceEntry[] {
    return this.entries()
      .filter((entry) => entry.bitfield !== null || (entry.isListed && !entry.isDropped && entry.failures === 0))
      .slice(0, CONNECTED_SOURCES_MAX);
  }

  /** How many connections there will be when every source that is dialled for the first time has answered. */
  connectionsExpected(): number {
    return this.partaking().length * this.#perSource(this.partaking().length);
  }

  /** Connections to end because sources that came later take their part: each source keeps equally many. */
  surplus(): Connection[] {
    const perSource = this.#perSource(this.#connected().length);
    return this.#connected().flatMap((entry) => {
      const kept = [...entry.connections.values()].filter(({ isOpen, isRetiring }) => isOpen && !isRetiring);
      return kept.sort((left, right) => this.#onLane(left.lane) - this.#onLane(right.lane)).slice(perSource);
    });
  }

  /** How many connected sources have a piece. */
  availability(piece: number): number {
    return this.#availability[piece] ?? 0;
  }

  /** Sources to dial now: one connection to see whether it answers, then as many as each source gets. */
  due(nowMs: number): SourceEntry[] {
    const perSource = this.#perSource(this.partaking().length);
    const busy = this.entries().filter(({ connections }) => connections.size > 0).length;
    let fresh = CONNECTED_SOURCES_MAX - busy;
    return this.entries().filter((entry) => {
      if (!entry.isListed || entry.isDropped || nowMs < entry.nextDialMs) return false;
      if (entry.connections.size === 0) return fresh-- > 0;
      return entry.bitfield !== null && entry.connections.size < perSource;
    });
  }

  dialled(entry: SourceEntry, place: { readonly id: number; readonly lane: number }, nowMs: number): Connection {
    const connection: Connection = {
      ...place,
      entry,
      isOpen: false,
      remoteLane: 0,
      recalled: null,
      onWire: new Set(),
      isOwing: false,
      heardMs: nowMs,
      isRetiring: false,
      bytesPerSecond: 0,
      sampleBytes: 0,
      sampleStartMs: nowMs,
    };
    entry.connections.set(connection.id, connection);
    this.#connections.set(connection.id, connection);
    return connection;
  }

  /**
   * Whether a new connection should be made again because the source's system gave it to a worker that has more of them
   * than another. Worth a few tries: one worker sends at one core's speed.
   */
  isCrowded(connection: Connection, remote: { readonly lane: number; readonly laneCount: number }): boolean {
    const { entry } = connection;
    if (remote.laneCount < 2 || entry.reshuffles >= RESHUFFLES_MAX) return false;
    const counts = Array.from({ length: remote.laneCount }, () => 0);
    for (const { isOpen, remoteLane } of entry.connections.values()) {
      if (isOpen) counts[remoteLane] = (counts[remoteLane] ?? 0) + 1;
    }
    if ((counts[remote.lane] ?? 0) <= Math.min(...counts)) return false;
    entry.reshuffles++;
    return true;
  }

  /** A connection was admitted. */
  opened(
    connection: Connection,
    address: Address,
    remote: { readonly lane: number; readonly bitfield: Uint8Array },
  ): void {
    const { entry } = connection;
    connection.isOpen = true;
    connection.remoteLane = remote.lane;
    entry.failures = 0;
    entry.lastCode = null;
    entry.address = address;
    this.#setBitfield(entry, remote.bitfield);
  }

  gained(entry: SourceEntry, pieces: readonly number[]): void {
    for (const piece of pieces) {
      if (entry.bitfield === null || piece >= this.#availability.length || hasBit(entry.bitfield, piece)) continue;
      setBit(entry.bitfield, piece);
      entry.pieceCount++;
      this.#availability[piece] = this.availability(piece) + 1;
    }
  }

  /** The source said that it will not deliver this piece. */
  lacks(entry: SourceEntry, piece: number): void {
    if (entry.bitfield === null || !hasBit(entry.bitfield, piece)) return;
    entry.bitfield[piece >>> 3]! &= ~bitMask(piece);
    this.#availability[piece] = this.availability(piece) - 1;
    entry.pieceCount--;
  }

  closed(connection: Connection, code: HangUpCode, nowMs: number): void {
    const { entry } = connection;
    this.#connections.delete(connection.id);
    entry.connections.delete(connection.id);
    if (entry.connections.size === 0) this.#setBitfield(entry, null);
    if (code === 'corrupt_piece' || code === 'bad_manifest') entry.isDropped = true;
    if (code === 'hung_up') return;
    entry.lastCode = code;
    entry.nextDialMs = nowMs + this.#backoffMs(entry, code);
    entry.failures++;
  }

  /** Forgets waits: the grant was renewed, or a lane is back. */
  dialNow(): void {
    for (const entry of this.#entries.values()) entry.nextDialMs = 0;
  }

  /** Forgets waits, and what failed before a pause: nobody counts as away before they were tried again. */
  tryAgain(): void {
    this.dialNow();
    for (const entry of this.#entries.values()) entry.failures = 0;
  }

  /** A connection is given pieces; what it did not do before says nothing about its rate. */
  asked(connection: Connection, nowMs: number): void {
    connection.heardMs = nowMs;
    connection.sampleBytes = 0;
    connection.sampleStartMs = nowMs;
  }

  /** Something came over a connection that is of no use any more. */
  heard(connection: Connection, nowMs: number): void {
    if (connection.isOwing) this.asked(connection, nowMs);
    connection.isOwing = false;
    connection.heardMs = nowMs;
  }

  /** Counts a verified piece and follows the rate of its connection. */
  delivered(connection: Connection, bytes: number, nowMs: number): void {
    this.heard(connection, nowMs);
    connection.entry.deliveredBytes += bytes;
    connection.sampleBytes += bytes;
    const elapsedMs = nowMs - connection.sampleStartMs;
    if (elapsedMs < (connection.bytesPerSecond === 0 ? FIRST_RATE_SAMPLE_MS : RATE_SAMPLE_MS)) return;
    const rate = (connection.sampleBytes * 1000) / elapsedMs;
    connection.bytesPerSecond = connection.bytesPerSecond === 0 ? rate : (connection.bytesPerSecond + rate) / 2;
    connection.sampleBytes = 0;
    connection.sampleStartMs = nowMs;
  }

  /** Whether nothing comes over a connection that has something to send. */
  isSilent({ bytesPerSecond, heardMs }: Connection, pieceBytes: number, nowMs: number): boolean {
    const pieceMs = bytesPerSecond === 0 ? 0 : (pieceBytes * 1000) / bytesPerSecond;
    return nowMs - heardMs > Math.min(Math.max(SILENT_MS_MIN, SILENT_PIECES * pieceMs), SILENT_MS_MAX);
  }

  /** Rate of a connection that has something to send: of a silent one what it is if a piece comes right now. 0: not known. */
  rateOf(connection: Connection, pieceBytes: number, nowMs: number): number {
    if (!this.isSilent(connection, pieceBytes, nowMs)) return connection.bytesPerSecond;
    return (pieceBytes * 1000) / (nowMs - connection.heardMs);
  }

  views(): SourceView[] {
    return this.entries().map((entry) => {
      const address = entry.address ?? entry.source.addresses[0];
      return {
        peerId: entry.source.peerId,
        user: entry.source.user,
        address: address === undefined ? '' : formatHostPort(address),
        state: stateOf(entry),
        deliveredBytes: entry.deliveredBytes,
        corruptPieces: entry.corruptPieces,
      };
    });
  }

  #connected(): SourceEntry[] {
    return this.entries().filter(({ bitfield }) => bitfield !== null);
  }

  #perSource(sources: number): number {
    return connectionsPerSource({ sources: Math.max(1, sources), workers: this.#workers });
  }

  #onLane(lane: number): number {
    return this.connections().filter((connection) => connection.lane === lane).length;
  }

  #setBitfield(entry: SourceEntry, bitfield: Uint8Array | null): void {
    for (let piece = 0; piece < this.#availability.length; piece++) {
      const had = entry.bitfield !== null && hasBit(entry.bitfield, piece);
      const has = bitfield !== null && hasBit(bitfield, piece);
      if (had !== has) this.#availability[piece] = this.availability(piece) + (has ? 1 : -1);
    }
    entry.bitfield = bitfield === null ? null : Uint8Array.from(bitfield);
    entry.pieceCount = bitfield === null ? 0 : countBits(bitfield);
  }

  #backoffMs(entry: SourceEntry, code: HangUpCode): number {
    if (LONG_CODES.has(code)) return BACKOFF_LONG_MS;
    const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(entry.failures, 10));
    return fullMs * (0.75 + this.#random() / 4);
  }
}

function newEntry(number: number, source: Source): SourceEntry {
  return {
    number,
    source,
    isListed: true,
    connections: new Map(),
    bitfield: null,
    pieceCount: 0,
    failures: 0,
    nextDialMs: 0,
    lastCode: null,
    isDropped: false,
    address: null,
    deliveredBytes: 0,
    corruptPieces: 0,
    reshuffles: 0,
  };
}

function refresh(entry: SourceEntry, source: Source): void {
  const moved = JSON.stringify(entry.source.addresses) !== JSON.stringify(source.addresses);
  entry.source = source;
  if (moved) entry.nextDialMs = 0;
}

function stateOf(entry: SourceEntry): SourceState {
  if (entry.isDropped) return 'dropped';
  if ([...entry.connections.values()].some(({ isOpen }) => isOpen)) return 'connected';
  if (entry.lastCode !== null) return REFUSED_CODES.has(entry.lastCode) ? 'refused' : 'unreachable';
  return entry.connections.size > 0 ? 'connecting' : 'waiting';
}
