// Owns the connections of peers: Nest's TCP transport over mutual TLS. Who has no Ed25519 certificate is cut off before the
// first byte is read, and nobody can hold more than a bounded number of sockets, requests, bytes or time.
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type MessageHandler, ServerTCP, TcpContext, type TcpOptions, type TcpSocket } from '@nestjs/microservices';
import { isObservable } from 'rxjs';
import { closeGently } from '#identity/close-gently';
import { Door } from '#identity/door';
import type { Identity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { inSpan, NO_TRACES, type Traces } from '#program/traces';
import type { HostPort } from '#wire/host-port';
import {
  RPC_CONNECTIONS_MAX,
  RPC_CONNECTIONS_PER_ADDRESS_MAX,
  RPC_CONNECTIONS_PER_PEER_MAX,
  RPC_HANDSHAKE_TIMEOUT_MS,
  RPC_HANDSHAKES_MAX,
  RPC_HANDSHAKES_PER_ADDRESS_MAX,
  RPC_IDLE_TIMEOUT_MS,
  RPC_MESSAGE_BYTES_MAX,
  RPC_MESSAGE_TIMEOUT_MS,
  RPC_UNREAD_BYTES_MAX,
} from '#wire/limits';
import { parseTraceparent } from '#wire/traceparent';
import { BoundedPlaces } from './bounded-places.ts';
import { ReplySocket } from './reply-socket.ts';
import { RequestLine } from './request-line.ts';

/** The peer at the other end of a connection. */
export interface Caller {
  readonly peerId: string;
  /** IP address that the connection comes from. */
  readonly address: string;
}

/** Why a connection is refused, or cut off. */
export type ConnectionRefusal =
  | 'too_many_connections'
  | 'too_many_of_peer'
  | 'handshake_failed'
  | 'wrong_key'
  | 'malformed_message'
  | 'too_slow'
  | 'unread'
  | 'idle';

/** What decides who gives way when places are taken, and who is told of refusals. */
export interface RpcDoor {
  readonly hasSession: (peerId: string) => boolean;
  readonly refused: (refusal: ConnectionRefusal) => void;
  readonly traces?: Traces | undefined;
  /** Fewer, and shorter, in tests. */
  readonly connectionsPerAddressMax?: number;
  readonly handshakesPerAddressMax?: number;
  readonly messageTimeoutMs?: number;
}

/** What the transport has parsed; nothing of it is checked. */
interface RpcMessage {
  readonly pattern?: unknown;
  readonly id?: unknown;
  readonly data?: unknown;
  /** W3C trace context, of a request that somebody follows. */
  readonly traceparent?: unknown;
}

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
  readonly #ofPeer = new BoundedPlaces(RPC_CONNECTIONS_PER_PEER_MAX);
  readonly #door: Door;
  /** By connection, as it came. */
  readonly #peerIds = new WeakMap<Socket, string>();
  readonly #hasSession: RpcDoor['hasSession'];
  readonly #refused: RpcDoor['refused'];
  readonly #messageTimeoutMs: number;
  readonly #traces: Traces;

  constructor(identity: Identity, { host, port }: HostPort, door: RpcDoor) {
    const options: NonNullable<TcpOptions['options']> = {
      host,
      port,
      tlsOptions: { ...mutualTlsOptions(identity), handshakeTimeout: RPC_HANDSHAKE_TIMEOUT_MS },
    };
    super(options as Required<TcpOptions>['options']);
    this.#hasSession = door.hasSession;
    this.#refused = door.refused;
    this.#traces = door.traces ?? NO_TRACES;
    this.#messageTimeoutMs = door.messageTimeoutMs ?? RPC_MESSAGE_TIMEOUT_MS;
    this.#door = new Door(this.server as Server, {
      places: {
        placesMax: RPC_CONNECTIONS_MAX,
        perNetworkMax: door.connectionsPerAddressMax ?? RPC_CONNECTIONS_PER_ADDRESS_MAX,
        isKnown: (socket) => door.hasSession(this.#peerIds.get(socket) ?? ''),
      },
      strangers: {
        placesMax: RPC_HANDSHAKES_MAX,
        perNetworkMax: door.handshakesPerAddressMax ?? RPC_HANDSHAKES_PER_ADDRESS_MAX,
      },
      silenceMs: RPC_HANDSHAKE_TIMEOUT_MS,
      sentAway: (why) => door.refused(why === 'no_room' ? 'too_many_connections' : 'handshake_failed'),
    });
    // Node tells of a handshake that took too long, and leaves the connection open; who goes by itself was not refused.
    this.server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket: TLSSocket) => {
      if (code === 'ECONNRESET') socket.destroy();
      else this.#cutOff(socket, 'handshake_failed');
    });
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

  override close(): void {
    super.close();
    this.#door.close();
  }

  override bindHandler(socket: Socket): void {
    // An error of a connection is the end of that connection; without a listener it would be the end of the process.
    socket.on('error', (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal === null) socket.destroy();
      else if (refusal === 'malformed_message') this.#dismiss(socket, refusal);
      else this.#cutOff(socket, refusal);
    });
    const peerId = idOfSocket(socket as TLSSocket);
    if (peerId === null) return this.#cutOff(socket, 'wrong_key');
    if (!this.#ofPeer.take(peerId)) return this.#cutOff(socket, 'too_many_of_peer');
    socket.once('close', () => this.#ofPeer.leave(peerId));
    this.#door.introduce(socket);
    const accepted = this.#door.acceptedAs(socket);
    if (accepted !== undefined) this.#peerIds.set(accepted, peerId);
    socket.setNoDelay(true);
    socket.setTimeout(RPC_IDLE_TIMEOUT_MS, () => this.#cutOff(socket, 'idle'));
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
      await this.#answer(socket, rawMessage as RpcMessage);
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
      maxSendBufferSize: RPC_UNREAD_BYTES_MAX,
      messageTimeoutMs: this.#messageTimeoutMs,
      onTooSlow: () => this.#refused('too_slow'),
    });
  }

  /**
   * The base class makes a stream of every answer, sends that in a later turn and looks for what may follow, which costs as much
   * as what most handlers do. Here only a stream is sent as one; what is no request for a known pattern is left to the base class.
   */
  async #answer(socket: TcpSocket, message: RpcMessage): Promise<void> {
    const { pattern, id, data } = message;
    const isRequest = typeof pattern === 'string' && id !== undefined;
    const handler = isRequest ? this.getHandlerByPattern(pattern) : null;
    if (!isRequest || handler === null) return super.handleMessage(socket, message);
    const handle = (): Promise<unknown> => handler(data, new TcpContext([socket, pattern, {}]));
    const { traceparent: parent } = message;
    const { peerId } = callers.get(socket.netSocket)!;
    // What a stranger sends makes no span.
    const isFollowed = typeof parent === 'string' && this.#hasSession(peerId) && parseTraceparent(parent) !== null;
    const answer = isFollowed
      ? await inSpan(this.#traces.begin(pattern, { kind: 'server', parent }), handle)
      : await handle();
    const send = (packet: object): void => socket.sendMessage({ ...packet, id });
    if (isObservable(answer)) this.send(answer, send);
    else send({ response: answer, isDisposed: true });
  }

  /** Whoever asks may have more to say: cut off in the middle of that, it would hear of a connection that broke, and come again. */
  #dismiss(socket: Socket, refusal: ConnectionRefusal): void {
    this.#refused(refusal);
    socket.removeAllListeners('data').resume();
    closeGently(socket);
  }

  #cutOff(socket: Socket, refusal: ConnectionRefusal): void {
    this.#refused(refusal);
    socket.destroy();
  }
}

/** Nest tells as text what a peer did to the framing; everything else is an error of the system, and no refusal. */
function refusalOf(error: unknown): ConnectionRefusal | null {
  if (typeof error !== 'string') return null;
  return error.startsWith('The remote peer is not reading') ? 'unread' : 'malformed_message';
}
