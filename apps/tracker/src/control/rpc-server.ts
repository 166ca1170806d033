// Owns the connections of peers: Nest's TCP transport over mutual TLS. Who has no Ed25519 certificate is cut off before the
// first byte is read, and nobody can hold more than a bounded number of sockets, requests, bytes or time.
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type MessageHandler,
  ServerTCP,
  type TcpContext,
  type TcpOptions,
  type TcpSocket,
} from '@nestjs/microservices';
import type { Identity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { type HostPort, networkOf } from '#wire/host-port';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import { BoundedPlaces } from './bounded-places.ts';
import { ReplySocket } from './reply-socket.ts';
import { RequestLine } from './request-line.ts';

/** The peer at the other end of a connection. */
export interface Caller {
  readonly peerId: string;
  /** IP address that the connection comes from. */
  readonly address: string;
}

const CONNECTIONS_MAX = 25_000;
/** Also of those that are still shaking hands. As many peers behind one router, and no host alone takes all places. */
const CONNECTIONS_PER_ADDRESS_MAX = 2_000;
const CONNECTIONS_PER_PEER_MAX = 8;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const INCOMPLETE_MESSAGE_TIMEOUT_MS = 10_000;
/** Three heartbeats: whoever neither sends nor takes a byte for that long is gone, or stuck. */
const IDLE_TIMEOUT_MS = 30_000;
/** Replies and pushes that may wait for a peer that does not read. */
const SEND_BUFFER_BYTES_MAX = 4 * RPC_MESSAGE_BYTES_MAX;

const callers = new WeakMap<Socket, Caller>();
const lines = new WeakMap<Socket, RequestLine>();

/** Whose message this is. */
export function callerOf(context: TcpContext): Caller {
  return callers.get(context.getSocketRef().netSocket)!;
}

/** The connection that a message came over. */
export function socketOf(context: TcpContext): Socket {
  return context.getSocketRef().netSocket;
}

/** Nest's TCP server as peers meet it. */
export class RpcServer extends ServerTCP {
  readonly #ofPeer = new BoundedPlaces(CONNECTIONS_PER_PEER_MAX);
  readonly #ofAddress: BoundedPlaces;

  constructor(
    identity: Identity,
    { host, port }: HostPort,
    { connectionsPerAddressMax = CONNECTIONS_PER_ADDRESS_MAX } = {},
  ) {
    const options: NonNullable<TcpOptions['options']> = {
      host,
      port,
      tlsOptions: { ...mutualTlsOptions(identity), handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    };
    super(options as Required<TcpOptions>['options']);
    this.#ofAddress = new BoundedPlaces(connectionsPerAddressMax);
    this.server.maxConnections = CONNECTIONS_MAX;
    this.server.on('connection', (socket: Socket) => this.#admit(socket));
    // Node tells of a handshake that took too long, and leaves the connection open.
    this.server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
  }

  /** Open connections of peers. */
  get connectionCount(): number {
    return this.openSockets.size;
  }

  /** Every failure to listen is told, not only those that the base class knows. */
  override listen(callback: (error?: unknown) => void): void {
    this.server.once('error', callback);
    this.server.listen(this.port, this.host, () => {
      this.server.off('error', callback);
      callback();
    });
  }

  override bindHandler(socket: Socket): void {
    // An error of a connection is the end of that connection; without a listener it would be the end of the process.
    socket.on('error', () => socket.destroy());
    const peerId = idOfSocket(socket as TLSSocket);
    if (peerId === null || !this.#ofPeer.take(peerId)) {
      socket.destroy();
      return;
    }
    socket.once('close', () => this.#ofPeer.leave(peerId));
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
    callers.set(socket, { peerId, address: socket.remoteAddress ?? '' });
    lines.set(socket, new RequestLine(socket));
    super.bindHandler(socket);
  }

  /** Patterns here are plain names; the base class tries to parse each as JSON first, and throws and catches for each. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? null;
  }

  override async handleMessage(socket: TcpSocket, rawMessage: unknown): Promise<void> {
    const line = lines.get(socket.netSocket)!;
    await line.begin();
    try {
      await super.handleMessage(socket, rawMessage);
    } finally {
      line.end();
    }
  }

  /** A message that asks for no answer. Peers have none to send: the base class would run a command, or log its name. */
  override handleEvent(): Promise<void> {
    return Promise.resolve();
  }

  /** A peer that breaks a connection, or the rules of its framing, is no news to whoever runs the tracker. */
  protected override handleError(error: string): void {
    this.logger.debug?.(error);
  }

  protected override getSocketInstance(socket: Socket): TcpSocket {
    return new ReplySocket(socket, {
      maxBufferSize: RPC_MESSAGE_BYTES_MAX,
      maxSendBufferSize: SEND_BUFFER_BYTES_MAX,
      incompleteMessageTimeout: INCOMPLETE_MESSAGE_TIMEOUT_MS,
    });
  }

  /** A connection that has just come in, before its first byte. */
  #admit(socket: Socket): void {
    const network = networkOf(socket.remoteAddress ?? '');
    if (this.#ofAddress.take(network)) socket.once('close', () => this.#ofAddress.leave(network));
    else socket.destroy();
  }
}
