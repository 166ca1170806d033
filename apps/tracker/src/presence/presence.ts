// Owns which peers are online, where, what each is downloading right now, and what it cannot serve. Soft state: never logged, gone
// after 30 s of silence, and believed only together with the session that the log has for the peer. Bounded in number.
import { PRESENCE_EXPIRY_MS, PRESENCE_PEERS_MAX } from '#wire/limits';

/** What one peer last said of itself. */
export interface PeerPresence {
  readonly peerId: string;
  /** `host:port` where other peers reach it, best first. */
  readonly addresses: readonly string[];
  readonly downloading: readonly DownloadingShare[];
  /** Runs of ids, as first and last of each, ascending: shares of which it has nothing complete to serve. */
  readonly unserved?: readonly number[];
  readonly transport: 'tls' | 'plain';
  readonly lastSeenMs: number;
}

/** A share that a peer has part of. */
export interface DownloadingShare {
  readonly shareId: number;
  readonly group: string;
  readonly file: string;
}

/** Peers online that say they have part of a share. */
export interface Download {
  readonly share: DownloadingShare;
  readonly peerIds: Set<string>;
}

/** Hears that a peer came, went, or says something new, with the shares that it said it has part of, before and now. */
export type PresenceListener = (peerId: string, downloading: readonly DownloadingShare[]) => void;

/**
 * Who is online, by peer id. Peers without a session make room first, and are not kept when there is none: anybody can have a
 * key, and what they say is believed only together with a session.
 */
export class PresenceTable {
  /** In order of `lastSeenMs`, so that expiry looks at the oldest only. */
  readonly #peers = new Map<string, PeerPresence>();
  /** By all three parts of a share's name, so that a false claim stands beside the true ones and not before them. */
  readonly #downloads = new Map<string, Download>();
  /** Peers that had no session at their last heartbeat, the oldest first. */
  readonly #strangers = new Set<string>();
  #changed: PresenceListener = () => undefined;
  readonly #now: () => number;
  readonly #hasSession: (peerId: string) => boolean;
  /** Nobody has been silent for longer than since then. */
  #heardSinceMs = -Infinity;

  constructor({ now, hasSession }: { now: () => number; hasSession: (peerId: string) => boolean }) {
    this.#now = now;
    this.#hasSession = hasSession;
  }

  /** Tells one listener of every change; that somebody has been silent for too long is noticed at the next look at the table. */
  onChange(listener: PresenceListener): void {
    this.#changed = listener;
  }

  /** Peers that are online. */
  get size(): number {
    this.#expire();
    return this.#peers.size;
  }

  /** Takes in a heartbeat; true when it says anything new. */
  update(peerId: string, said: Omit<PeerPresence, 'peerId' | 'lastSeenMs'>): boolean {
    this.#expire();
    const before = this.#peers.get(peerId);
    this.#remove(peerId);
    const isStranger = !this.#hasSession(peerId);
    if (this.#peers.size >= PRESENCE_PEERS_MAX && !this.#makeRoom(isStranger)) return false;
    if (isStranger) this.#strangers.add(peerId);
    this.#peers.set(peerId, { ...said, peerId, lastSeenMs: this.#now() });
    for (const share of said.downloading) this.#downloadOf(share).peerIds.add(peerId);
    const isNews = before === undefined || !isSame(before, said);
    if (isNews) this.#changed(peerId, [...(before?.downloading ?? []), ...said.downloading]);
    return isNews;
  }

  /** The peer's presence while it is online. */
  get(peerId: string): PeerPresence | undefined {
    this.#expire();
    return this.#peers.get(peerId);
  }

  /** Whether a peer is online, and does not say that it has nothing complete of a share: that it should, the log has to say. */
  serves(peerId: string, shareId: number): boolean {
    const presence = this.get(peerId);
    return presence !== undefined && !isInRuns(presence.unserved ?? [], shareId);
  }

  /** Peers online that say they have part of a share, sorted. What they say is not checked here. */
  downloadersOf(share: DownloadingShare): string[] {
    this.#expire();
    return [...(this.#downloads.get(keyOf(share))?.peerIds ?? [])].sort();
  }

  /** Everything that peers online say they are downloading. */
  downloads(): Iterable<Download> {
    this.#expire();
    return this.#downloads.values();
  }

  #expire(): void {
    const oldest = this.#now() - PRESENCE_EXPIRY_MS;
    // Not for each look-up: a Map passes all the places at its front that heartbeats have left since it last grew.
    if (this.#heardSinceMs > oldest) return;
    for (const [peerId, { lastSeenMs }] of this.#peers) {
      this.#heardSinceMs = lastSeenMs;
      if (lastSeenMs > oldest) return;
      this.#letGo(peerId);
    }
    this.#heardSinceMs = this.#now();
  }

  /** Whether there is room now. A peer with a session makes room for another one with a session. */
  #makeRoom(forStranger: boolean): boolean {
    for (const peerId of this.#strangers) {
      if (!this.#hasSession(peerId)) {
        this.#letGo(peerId);
        return true;
      }
      this.#strangers.delete(peerId);
    }
    const [oldest] = this.#peers.keys();
    if (forStranger || oldest === undefined) return false;
    this.#letGo(oldest);
    return true;
  }

  #letGo(peerId: string): void {
    const downloading = this.#peers.get(peerId)?.downloading ?? [];
    this.#remove(peerId);
    this.#changed(peerId, downloading);
  }

  #remove(peerId: string): void {
    for (const share of this.#peers.get(peerId)?.downloading ?? []) {
      const { peerIds } = this.#downloadOf(share);
      peerIds.delete(peerId);
      if (peerIds.size === 0) this.#downloads.delete(keyOf(share));
    }
    this.#peers.delete(peerId);
    this.#strangers.delete(peerId);
  }

  #downloadOf(share: DownloadingShare): Download {
    const key = keyOf(share);
    const known = this.#downloads.get(key);
    if (known !== undefined) return known;
    const download = { share, peerIds: new Set<string>() };
    this.#downloads.set(key, download);
    return download;
  }
}

function keyOf({ shareId, group, file }: DownloadingShare): string {
  return `${shareId} ${group}/${file}`;
}

function isInRuns(runs: readonly number[], id: number): boolean {
  let [low, high] = [0, runs.length >>> 1];
  // Runs before `low` end before the id, those from `high` on begin after it.
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[2 * middle + 1]! < id) low = middle + 1;
    else if (runs[2 * middle]! > id) high = middle;
    else return true;
  }
  return false;
}

function isSame(before: PeerPresence, said: Omit<PeerPresence, 'peerId' | 'lastSeenMs'>): boolean {
  const essence = ({ addresses, downloading, unserved = [], transport }: typeof said): string =>
    JSON.stringify([addresses, downloading.map(keyOf), unserved, transport]);
  return essence(before) === essence(said);
}
