// A tracker that a test plays: real mutual TLS over TCP with the transport's framing, and answers that the test gives.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';
import type { KnownTracker, Push, SessionTerm } from '#wire/tracker-api';
import type { TrackerEntry } from '#wire/tracker-info';
import type { TrackerTrouble } from '#wire/tracker-trouble';

export const LOG_ID = 'ab'.repeat(32);

/** A request as it came, and how to answer it. */
export interface PlayedRequest {
  readonly pattern: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The answer to a request; undefined gives none. */
type Play = (request: PlayedRequest) => object | undefined;

export class PlayedTracker {
  readonly identity: Identity;
  readonly requests: PlayedRequest[] = [];
  /** Answers what has no answer of its own. */
  play: Play = () => ({ status: 'failed', code: 'internal_error' });
  logId = LOG_ID;
  appliedOffset = 10;
  user: string | null = 'alice';
  term: SessionTerm | undefined;
  isReady = true;
  trouble: TrackerTrouble | null = null;
  known: KnownTracker[] = [];
  reachable: boolean | null = true;
  /** Builds before it say nothing of it, and refuse it. */
  takesUnserved: true | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #subscriptions = new Map<Socket, string>();
  #waiting: { pattern: string; count: number; resolve: () => void }[] = [];
  #server: Server;
  #port = 0;
  #isFrozen = false;

  private constructor(identity: Identity) {
    this.identity = identity;
    this.#server = this.#newServer();
  }

  static async start(): Promise<PlayedTracker> {
    const directory = mkdtempSync(join(tmpdir(), 'cohort-played-'));
    const tracker = new PlayedTracker(await loadOrCreateIdentity(directory));
    rmSync(directory, { recursive: true });
    await tracker.listen();
    tracker.known = [tracker.asKnown()];
    return tracker;
  }

  /** Its line of tracker_info.txt. */
  entry({ pinned = true } = {}): TrackerEntry {
    return { host: '127.0.0.1', port: this.#port, trackerId: pinned ? this.identity.id : null };
  }

  asKnown(): KnownTracker {
    const publicKey = Buffer.from(this.identity.publicKeyDer).toString('base64');
    return { trackerId: this.identity.id, publicKey, address: `127.0.0.1:${this.#port}` };
  }

  /** Comes up, on the port it had before unless told another. */
  async listen(port = this.#port): Promise<void> {
    this.#server = this.#newServer();
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Goes away as a killed process does. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Answers nothing any more, and keeps its connections: what a stopped process does. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Resolves when a pattern has been asked for so many times in all. */
  async asked(pattern: string, count = 1): Promise<void> {
    if (this.count(pattern) >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ pattern, count, resolve }));
  }

  count(pattern: string): number {
    return this.requests.filter((request) => request.pattern === pattern).length;
  }

  push(push: Push): void {
    for (const [socket, id] of this.#subscriptions) send(socket, { id, response: push });
  }

  #newServer(): Server {
    const server = createServer(mutualTlsOptions(this.identity), (socket) => this.#serve(socket));
    server.on('tlsClientError', () => undefined);
    // Those that are still shaking hands count as well: a killed process has no connection left.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  #serve(socket: TLSSocket): void {
    socket.on('close', () => this.#subscriptions.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = frameEnd(text); end !== null; end = frameEnd(text)) {
        this.#take(socket, JSON.parse(text.slice(text.indexOf('#') + 1, end)) as PlayedRequest & { id: string });
        text = text.slice(end);
      }
    });
  }

  #take(socket: Socket, { pattern, data, id }: PlayedRequest & { id: string }): void {
    this.requests.push({ pattern, data });
    if (this.#isFrozen) return;
    if (pattern === 'subscribe') {
      this.#subscriptions.set(socket, id);
      send(socket, { id, response: { type: 'subscribed', offset: this.appliedOffset } });
    } else {
      const answer = this.#standing(pattern) ?? this.play({ pattern, data });
      const { logId, appliedOffset, trouble } = this;
      const head = { logId, trackerId: this.identity.id, appliedOffset, trouble };
      if (answer !== undefined) send(socket, { id, response: { ...head, ...answer }, isDisposed: true });
    }
    this.#waiting = this.#waiting.filter((wait) => {
      const isOver = this.count(wait.pattern) >= wait.count;
      if (isOver) wait.resolve();
      return !isOver;
    });
  }

  #standing(pattern: string): object | undefined {
    const { user, isReady: ready, known: trackers, reachable, term, takesUnserved } = this;
    if (pattern === 'hello') return { status: 'accepted', view: { trackers, user, ready, takesUnserved } };
    if (pattern === 'presence') return { status: 'accepted', view: { reachable, user, term } };
    return undefined;
  }
}

function frameEnd(text: string): number | null {
  const mark = text.indexOf('#');
  if (mark < 0) return null;
  const end = mark + 1 + Number(text.slice(0, mark));
  return text.length >= end ? end : null;
}

function send(socket: Socket, message: object): void {
  const text = JSON.stringify(message);
  socket.write(`${text.length}#${text}`);
}

/** A command's stamp with an id of its own. */
export function stamp(user: string | null = 'alice') {
  return { commandId: randomUUID(), user };
}
