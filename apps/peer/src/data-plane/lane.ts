// Owns the standing half of a worker: its listener, every connection in both directions, and the files behind them. The main
// thread commands it over a port and is told what happened; between two commands it goes on by itself.
import { createPrivateKey } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { MessagePort } from 'node:worker_threads';
import { mutualTlsOptions } from '#identity/tls';
import { DownloadStore } from './download-store.ts';
import { FetchSession } from './fetch-session.ts';
import { concerns, GrantDesk } from './grant-desk.ts';
import { LaneCounters } from './lane-counters.ts';
import { type LaneCommand, type LaneEvent, type LaneLimits, type LaneStart, post } from './lane-messages.ts';
import { LaneNews } from './lane-news.ts';
import type { LocalPeer } from './peer-handshake.ts';
import { listenForPeers, type PeerListener } from './peer-listener.ts';
import { LaneBudgets } from './rate-budget.ts';
import { ServeSession } from './serve-session.ts';
import { ShareTable } from './share-table.ts';

/** What dismissed connections get to read the reason when this worker stops. */
const STOP_LINGER_MS = 1_000;
const TICK_MS = 200;

/** Runs until it is told to stop. */
export async function runLane(start: LaneStart, port: MessagePort): Promise<void> {
  const lane = new Lane(start, (event) => post(port, event));
  const stopped = new Promise<void>((resolve) => {
    port.on('message', (command: LaneCommand) => {
      if (command.kind === 'stop') resolve();
      else lane.obey(command);
    });
  });
  await lane.open();
  await stopped;
  await lane.close();
  port.close();
}

class Lane {
  readonly #start: LaneStart;
  readonly #news: LaneNews;
  readonly #local: LocalPeer;
  readonly #secureContext: SecureContext | null;
  readonly #counters: LaneCounters;
  readonly #desk = new GrantDesk();
  readonly #shares: ShareTable;
  readonly #stores = new Map<number, DownloadStore>();
  readonly #fetching = new Map<number, FetchSession>();
  readonly #serving = new Set<ServeSession>();
  readonly #uploadBudgets = new LaneBudgets();
  readonly #downloadBudgets = new LaneBudgets();
  readonly #ticker: NodeJS.Timeout;
  #listener: PeerListener | null = null;

  constructor(start: LaneStart, say: (event: LaneEvent) => void) {
    this.#start = start;
    this.#news = new LaneNews(say);
    this.#local = { ...start, privateKey: createPrivateKey(start.keyPem) };
    this.#secureContext = start.plain ? null : createSecureContext(mutualTlsOptions(start));
    this.#counters = new LaneCounters(start.counters, start.lane);
    this.#counters.reset('connections');
    this.#shares = new ShareTable(({ share, roots }, problem) =>
      this.#news.say({ kind: 'sourceProblem', share, roots, problem }),
    );
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  async open(): Promise<void> {
    const { listen } = this.#start;
    if (listen === null) return this.#news.say({ kind: 'started', port: null });
    try {
      this.#listener = await listenForPeers(this.#start, listen, {
        counters: this.#counters,
        onConnection: (socket, onAdmitted) => this.#accept(socket, onAdmitted),
      });
      this.#news.say({ kind: 'started', port: this.#listener.port });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#news.say({ kind: 'listenFailed', code, detail: message });
    }
  }

  obey(command: Exclude<LaneCommand, { kind: 'stop' }>): void {
    switch (command.kind) {
      case 'trust':
        return this.#desk.trust(command.trust);
      case 'serve':
        return this.#shares.serve(command.content);
      case 'withdraw':
        return this.#shares.withdraw(command.share, command.code);
      case 'revoke':
        return this.#revoke(command.revocation);
      case 'limit':
        return this.#limit(command.limits);
      case 'openDownload':
        return void this.#stores.set(command.content.download, new DownloadStore(command.content));
      case 'closeDownload':
        return this.#closeDownload(command.download);
      case 'dial':
        return this.#dial(command.request);
      case 'mark':
        return this.#news.say({ kind: 'reached', call: command.call });
      default:
        return this.#obeyFor(command);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker);
    for (const session of [...this.#fetching.values()]) session.hangUp();
    this.#shares.close();
    for (const session of [...this.#serving]) session.dismiss('closing');
    for (const store of this.#stores.values()) store.close();
    if (this.#listener === null) return;
    const timer = setTimeout(() => [...this.#serving].forEach((session) => session.destroy()), STOP_LINGER_MS);
    await this.#listener.close();
    clearTimeout(timer);
  }

  /** Commands to one connection; it may be gone by now, then `closed` is on its way. */
  #obeyFor(command: Extract<LaneCommand, { connection: number }>): void {
    const session = this.#fetching.get(command.connection);
    switch (command.kind) {
      case 'assign':
        return session?.assign(command.pieces, command.hedge);
      case 'hurry':
        return session?.hurry(command.pieces);
      case 'recall':
        return session?.recall(command.pieces);
      case 'cancel':
        return session?.cancel(command.pieces);
      case 'promote':
        return session?.promote(command.piece);
      case 'grant':
        return session?.renewGrant(command.grant);
      case 'fetchManifest':
        return session?.fetchManifest();
      case 'hangUp':
        return session?.hangUp();
    }
  }

  #dial(request: Extract<LaneCommand, { kind: 'dial' }>['request']): void {
    this.#counters.add('connections', 1);
    const session = new FetchSession(request, {
      local: this.#local,
      secureContext: this.#secureContext,
      dialsLoopback: this.#start.dialsLoopback,
      counters: this.#counters,
      news: this.#news,
      storeOf: (download) => this.#stores.get(download),
      budgetOf: (groupId) => this.#downloadBudgets.of(groupId),
      onClosed: (connection) => {
        this.#counters.add('connections', -1);
        this.#fetching.delete(connection);
      },
    });
    this.#fetching.set(request.connection, session);
  }

  #accept(socket: Socket, onAdmitted: () => void): void {
    this.#counters.add('connections', 1);
    const session = new ServeSession(socket, {
      local: this.#local,
      shares: this.#shares,
      desk: this.#desk,
      counters: this.#counters,
      budgetOf: (groupId) => this.#uploadBudgets.of(groupId),
      admittedCount: (peerId) => [...this.#serving].filter(({ claims }) => claims?.peerId === peerId).length,
      onAdmitted,
      onClosed: (closed) => {
        this.#counters.add('connections', -1);
        this.#serving.delete(closed);
      },
    });
    this.#serving.add(session);
  }

  #revoke(revocation: Extract<LaneCommand, { kind: 'revoke' }>['revocation']): void {
    this.#desk.revoke(revocation, Date.now());
    for (const session of [...this.#serving]) {
      const { claims } = session;
      const isOlder = claims !== null && claims.asOfOffset < revocation.asOfOffset;
      if (isOlder && concerns(revocation, claims)) session.dismiss('grant_revoked');
    }
  }

  #limit({ upload, download }: LaneLimits): void {
    this.#uploadBudgets.apply(upload);
    this.#downloadBudgets.apply(download);
    for (const session of [...this.#serving, ...this.#fetching.values()]) session.limitsChanged();
  }

  #closeDownload(download: number): void {
    this.#stores.get(download)?.close();
    this.#stores.delete(download);
  }

  #tick(): void {
    this.#news.tellVerified();
    const clock = { nowMs: performance.now(), unixMs: Date.now() };
    for (const session of [...this.#fetching.values()]) session.tick(clock.nowMs);
    for (const session of [...this.#serving]) session.tick(clock);
  }
}
