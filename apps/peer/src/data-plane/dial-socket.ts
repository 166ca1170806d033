// Owns making a connection to another peer, with or without TLS, that receives into memory of the caller's choice.
import { connect as connectPlain, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type SecureContext } from 'node:tls';

export interface DialOptions {
  /** Null: no TLS. */
  readonly secureContext: SecureContext | null;
  /** Where the next received bytes go. */
  readonly nextBuffer: () => Uint8Array;
  /** So many bytes came to where `nextBuffer` said last. */
  readonly onBytes: (length: number) => void;
  readonly timeoutMs: number;
  /** Connected, and with TLS the other side's key is known. */
  readonly onReady: () => void;
  /** The connection failed or ended; called once. */
  readonly onEnd: (detail: string) => void;
}

/** Dials at once. */
export function dialSocket(address: { readonly host: string; readonly port: number }, options: DialOptions): Socket {
  const { secureContext } = options;
  const onread = {
    buffer: options.nextBuffer,
    callback: (length: number): boolean => {
      options.onBytes(length);
      return true;
    },
  };
  const target: TcpNetConnectOpts = { host: address.host, port: address.port, noDelay: true, onread };
  // Node's types know `onread` for plain sockets only; TLS sockets take it as well.
  const socket: Socket =
    secureContext === null
      ? connectPlain(target)
      : connectTls({ ...target, secureContext, rejectUnauthorized: false } as ConnectionOptions);
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), options.timeoutMs);
  let problem = 'the connection was closed';
  socket.once(secureContext === null ? 'connect' : 'secureConnect', () => {
    clearTimeout(timer);
    options.onReady();
  });
  socket.on('error', (error: Error) => (problem = error.message));
  socket.once('end', () => socket.destroy());
  socket.once('close', () => {
    clearTimeout(timer);
    options.onEnd(problem);
  });
  return socket;
}
