// Owns a downloader without an engine: one connection with TLS over which a benchmark asks for one block after the other, and
// hears why the other side ends it.
import { randomBytes } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { mutualTlsOptions } from '#identity/tls';
import type { HostPort } from '#wire/host-port';
import { type BlockPlace, encodeFrame, type Frame, FrameDecoder, TRANSFER_VERSION } from '#wire/transfer-frame';
import type { CrowdIdentity } from './crowd-peer.ts';

/** Who asks, whom, and by what permission. */
export interface PieceClientOptions {
  readonly identity: CrowdIdentity;
  readonly address: HostPort;
  readonly grant: Uint8Array;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A connection that was admitted. Make one with `PieceClient.open`. */
export class PieceClient {
  /** What the other side said last, or `closed`: settles when the connection ends. */
  readonly ended: Promise<string>;
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder();
  /** For `bitfield` first, then for the block that was asked for. */
  #waiting: Waiting | null = null;
  #said = 'closed';

  private constructor({ identity, address }: PieceClientOptions) {
    this.#socket = connect({ ...address, ...mutualTlsOptions(identity) });
    this.#socket.setNoDelay(true);
    const sink = {
      frame: (frame: Frame) => this.#take(frame),
      blockStart: () => undefined,
      blockBytes: () => undefined,
      blockEnd: () => this.#settle(null),
    };
    this.#socket.on('data', (chunk: Buffer) => this.#decoder.push(chunk, sink));
    this.#socket.on('error', () => this.#socket.destroy());
    this.ended = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#settle(new Error(this.#said));
        resolve(this.#said);
      });
    });
  }

  /** Connects, and shows the grant. Rejects with what the other side says when it does not admit. */
  static async open(options: PieceClientOptions): Promise<PieceClient> {
    const client = new PieceClient(options);
    const hello = { kind: 'hello', version: TRANSFER_VERSION, lane: 0, laneCount: 1, key: new Uint8Array(0) } as const;
    client.#send({ ...hello, nonce: randomBytes(32) });
    client.#send({ kind: 'grant', grant: options.grant });
    await client.#answer();
    return client;
  }

  /** Asks for a block, and resolves when all of it is there. */
  block(place: BlockPlace, length: number): Promise<void> {
    this.#send({ kind: 'request', ...place, length });
    return this.#answer();
  }

  close(): void {
    this.#socket.destroy();
  }

  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) reject(new Error(this.#said));
      else this.#waiting = { resolve, reject };
    });
  }

  #take(frame: Frame): void {
    if (frame.kind === 'refuse') this.#said = frame.code;
    if (frame.kind === 'bitfield') this.#settle(null);
    if (frame.kind === 'reject') this.#settle(new Error('rejected'));
  }

  #settle(error: Error | null): void {
    if (error === null) this.#waiting?.resolve();
    else this.#waiting?.reject(error);
    this.#waiting = null;
  }

  #send(frame: Frame): void {
    this.#socket.write(encodeFrame(frame));
  }
}
