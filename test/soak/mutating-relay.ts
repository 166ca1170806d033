// Owns the wire between two peers without TLS: passes bytes on as they come, and changes one of them when it is told to.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Which byte of what passes from now on, counted over all connections, and what of it is turned around (never 0). */
export interface Mutation {
  /** `down`: from the seeder to who dialled it. */
  readonly direction: 'down' | 'up';
  readonly position: number;
  readonly bits: number;
}

export class MutatingRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mutation: Mutation | null = null;
  #passedBytes = { down: 0, up: 0 };
  #hasMutated = false;

  private constructor(target: () => { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => {
      const far = connect(target());
      this.#pass(near, far, 'up');
      this.#pass(far, near, 'down');
    });
  }

  /** A relay on a free loopback port. */
  static async start(target: () => { readonly host: string; readonly port: number }): Promise<MutatingRelay> {
    const relay = new MutatingRelay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether the byte has passed by, changed. */
  get hasMutated(): boolean {
    return this.#hasMutated;
  }

  /** Counts from here, and changes this byte; null: none. */
  arm(mutation: Mutation | null): void {
    this.#mutation = mutation;
    this.#hasMutated = false;
    this.#passedBytes = { down: 0, up: 0 };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(from: Socket, to: Socket, direction: Mutation['direction']): void {
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      this.#mutate(chunk, direction);
      to.write(chunk);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }

  #mutate(chunk: Buffer, direction: Mutation['direction']): void {
    const begin = this.#passedBytes[direction];
    this.#passedBytes[direction] += chunk.length;
    if (this.#mutation?.direction !== direction || this.#hasMutated) return;
    const at = this.#mutation.position - begin;
    if (at < 0 || at >= chunk.length) return;
    chunk[at] = (chunk[at] ?? 0) ^ this.#mutation.bits;
    this.#hasMutated = true;
  }
}
