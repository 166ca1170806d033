// Owns the light peers of the benchmarks of trackers: one TLS connection each in the transport's own framing
// (`<length>#<JSON>`), so that hundreds fit in one process and one of them can stop reading whenever the bench wants.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Identity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';
import type { HostPort } from '#wire/host-port';

/** What a tracker answers to a request, as far as the bench looks at it. */
export interface Reply {
  readonly status: string;
  readonly reason?: string;
  readonly code?: string;
  /** Of the push that a subscription begins with: how far the tracker was. */
  readonly offset?: number;
}

/** Whose connection it is. */
export type CrowdIdentity = Pick<Identity, 'keyPem' | 'certificatePem'>;

export class CrowdPeer {
  readonly #identity: CrowdIdentity;
  readonly #tracker: HostPort & { readonly localAddress?: string };
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  #socket: TLSSocket | null = null;
  #received = '';
  #isGathering = false;
  #seenOffset = -1;

  /** `localAddress` is where the connection comes from, by default what the system chooses. */
  constructor(identity: CrowdIdentity, tracker: HostPort & { readonly localAddress?: string }) {
    this.#identity = identity;
    this.#tracker = tracker;
  }

  get isConnected(): boolean {
    return this.#socket !== null && !this.#socket.destroyed;
  }

  /** How far the log was when it connected: what a command says of its sender, without which a long log refuses it. */
  get seenOffset(): number {
    return this.#seenOffset;
  }

  /** Connects, and asks for pushes as every peer does. */
  async connect(): Promise<void> {
    const socket = connect({ ...this.#tracker, ...mutualTlsOptions(this.#identity) });
    socket.on('error', () => undefined).setNoDelay(true);
    await once(socket, 'secureConnect');
    socket.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#socket = socket;
    this.#received = '';
    const { offset } = await this.ask('subscribe', {});
    this.#seenOffset = offset ?? -1;
  }

  /** Reads nothing from now on. */
  goDeaf(): void {
    this.#socket?.pause();
  }

  disconnect(): void {
    this.#socket?.destroy();
  }

  /** Sends a request and waits for its answer. */
  ask(pattern: string, payload: object): Promise<Reply> {
    const id = randomUUID();
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.send(pattern, payload, id);
    });
  }

  /** Sends a request and forgets it. False when the connection takes no more at this moment. */
  send(pattern: string, payload: object, id: string): boolean {
    const message = JSON.stringify({ pattern, data: payload, id });
    this.#gather();
    return this.#socket?.write(`${message.length}#${message}`) ?? false;
  }

  /** Sends a command that has to be accepted. */
  async command(name: string, body: object, user: string | null): Promise<void> {
    const envelope = { commandId: randomUUID(), correlationId: 'bench', seenOffset: this.#seenOffset, user, body };
    const reply = await this.ask(name, envelope);
    if (reply.status !== 'accepted') throw new Error(`${name}: ${reply.reason ?? reply.code}`);
  }

  /** What is asked in one turn of the event loop leaves as one write, as a tracker's replies do. */
  #gather(): void {
    const socket = this.#socket;
    if (this.#isGathering || socket === null) return;
    this.#isGathering = true;
    socket.cork();
    setImmediate(() => {
      this.#isGathering = false;
      socket.uncork();
    });
  }

  #take(text: string): void {
    this.#received += text;
    for (;;) {
      const mark = this.#received.indexOf('#');
      const length = Number(this.#received.slice(0, mark));
      if (mark < 0 || this.#received.length < mark + 1 + length) return;
      const message = JSON.parse(this.#received.slice(mark + 1, mark + 1 + length)) as { id: string; response: Reply };
      this.#received = this.#received.slice(mark + 1 + length);
      this.#waiting.get(message.id)?.(message.response);
      this.#waiting.delete(message.id);
    }
  }
}
