// Owns one connection to one tracker: Nest's TCP client over mutual TLS. The tracker's key is compared before the first
// byte leaves; a connection that ended stays ended, so every request on it fails at once and whoever keeps it opens another.
import type { TLSSocket } from 'node:tls';
import { ClientTCP, type ReadPacket, type TcpSocket, type WritePacket } from '@nestjs/microservices';
import { lastValueFrom, type Observable, tap, timeout } from 'rxjs';
import type { Identity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { type About, type ProcessLog, SILENT_LOG } from '#program/process-log';
import { inSpan, NO_TRACES, type Traces } from '#program/traces';
import { formatHostPort, type HostPort } from '#wire/host-port';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';

/** Longest wait for a connection with its handshake. */
const CONNECT_TIMEOUT_MS = 700;

/** There is no answer, and there will be none. `mayHaveArrived` says whether the request can have reached the tracker. */
export class TrackerGone extends Error {
  readonly mayHaveArrived: boolean;
  constructor(message: string, { mayHaveArrived, cause }: { mayHaveArrived: boolean; cause?: unknown }) {
    super(message, { cause });
    this.mayHaveArrived = mayHaveArrived;
  }
}

export interface TrackerClientOptions {
  readonly address: HostPort;
  readonly identity: Identity;
  /** Whether the id of the key that the tracker shows (null: none) is the right one. */
  readonly admits: (shownId: string | null) => boolean;
}

/** What a standing connection needs of one connection. */
export type TrackerChannel = Pick<TrackerClient, 'connect' | 'over' | 'call' | 'stream' | 'destroy'>;

/** How a connection is had: over TLS, or over a network that a simulation plays. */
export type OpenChannel = (options: TrackerClientOptions) => TrackerChannel;

export class TrackerClient extends ClientTCP {
  readonly #admits: TrackerClientOptions['admits'];
  readonly #log: ProcessLog;
  readonly #traces: Traces;
  readonly #address: string;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;

  constructor({ address, identity, admits }: TrackerClientOptions, log: ProcessLog = SILENT_LOG, traces = NO_TRACES) {
    super({
      ...address,
      tlsOptions: mutualTlsOptions(identity),
      maxBufferSize: RPC_MESSAGE_BYTES_MAX,
      maxSendBufferSize: RPC_MESSAGE_BYTES_MAX,
    } as ConstructorParameters<typeof ClientTCP>[0]);
    this.#admits = admits;
    this.#log = log;
    this.#traces = traces;
    this.#address = formatHostPort(address);
  }

  /** Resolves when the connection has ended, or never came to be. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Connects, the first time only. Rejects when there is no connection, or the key is another one. */
  override async connect(): Promise<void> {
    if (this.#isOver) throw new Error('the connection is closed');
    await super.connect();
  }

  /** One request and its answer. Throws TrackerGone. */
  async call<Reply>(pattern: string, payload: object, timeoutMs: number): Promise<Reply> {
    if (this.#isOver) throw new TrackerGone('the connection is closed', { mayHaveArrived: false });
    const about: About = { command: pattern, tracker: this.#address, ...namesIn(payload) };
    const attributes = { 'server.address': this.#address };
    const span = this.#traces.begin(`ask ${pattern}`, { kind: 'client', attributes });
    try {
      const ask = (): Promise<Reply> => lastValueFrom(this.send<Reply>(pattern, payload).pipe(timeout(timeoutMs)));
      const reply = await inSpan(span, ask);
      this.#log.debug('a tracker answered', about);
      return reply;
    } catch (cause) {
      this.#log.info('a tracker did not answer', about);
      throw new TrackerGone(`no answer to ${pattern}`, { mayHaveArrived: true, cause });
    }
  }

  /** A stream of answers to one request; it fails when the connection ends. */
  stream<Item>(pattern: string, payload: object): Observable<Item> {
    return this.send<Item>(pattern, payload);
  }

  /** Ends the connection at once; requests that wait fail. */
  destroy(): void {
    this.#isOver = true;
    // With an error, because a connection that is still being made tells its end by nothing else.
    (this.socket?.netSocket as TLSSocket | undefined)?.destroy(new Error('the connection was given up'));
    this.handleClose();
  }

  override createSocket(): TcpSocket {
    const socket = super.createSocket();
    const connection = socket.netSocket as TLSSocket;
    connection.setNoDelay(true);
    const timer = setTimeout(() => connection.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    connection.once('secureConnect', () => clearTimeout(timer));
    connection.once('close', () => clearTimeout(timer));
    return socket;
  }

  /** The base class takes the TCP connection for enough; here it is one when TLS stands and the key is right. */
  protected override connect$(connection: TLSSocket): Observable<unknown> {
    return super.connect$(connection, 'error', 'secureConnect').pipe(
      tap(() => {
        if (this.#admits(idOfSocket(connection))) return;
        connection.destroy();
        throw new Error('the tracker shows another key than the one expected');
      }),
    );
  }

  /** The trace stands beside the payload: a tracker of an older build refuses fields in there that it does not know. */
  protected override publish(packet: ReadPacket, answered: (packet: WritePacket) => void): () => void {
    const traceparent = this.#traces.traceparent();
    const traced = traceparent === undefined ? packet : { ...packet, traceparent };
    return super.publish(traced, answered);
  }

  override handleClose(): void {
    super.handleClose();
    this.#isOver = true;
    this.#over.resolve();
  }

  /** A broken connection is no news by itself: whoever waits for an answer hears of it. */
  override handleError(): void {}
}

/** What the envelope of a command names it by; of a view there is nothing. */
function namesIn({ commandId, correlationId }: { commandId?: string; correlationId?: string }): About {
  return { ...(commandId !== undefined && { commandId }), ...(correlationId !== undefined && { correlationId }) };
}
