// Owns making a connection to another peer, with or without TLS, that receives into memory of the caller's choice. Where to
// comes from other users: where no peer can be is not dialled, whatever name leads there.
import { lookup as lookupName } from 'node:dns';
import { connect as connectPlain, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type SecureContext } from 'node:tls';
import { isLoopback, mayDial } from '#identity/dialled-addresses';

export interface DialOptions {
  /** Null: no TLS. */
  readonly secureContext: SecureContext | null;
  /** Whether a peer can be on this machine. */
  readonly dialsLoopback: boolean;
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
  const { secureContext, dialsLoopback } = options;
  const { host, port } = address;
  const where = { port, dialsLoopback };
  const onread = {
    buffer: options.nextBuffer,
    callback: (length: number): boolean => {
      options.onBytes(length);
      return true;
    },
  };
  const target: TcpNetConnectOpts = { host, port, noDelay: true, onread, lookup: lookupFor(where, lookupName) };
  const socket = isIP(host) === 0 || mayDialHere(host, where) ? connect(target, secureContext) : new Socket();
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
  // It has no address to connect to: what it was told is where no peer is.
  if (!socket.connecting) socket.destroy(noPeerAt(host, port));
  return socket;
}

interface Where {
  readonly port: number;
  readonly dialsLoopback: boolean;
}

/** What listens on this machine for this machine alone is nobody else's to name, unless peers are here. */
function mayDialHere(ip: string, { port, dialsLoopback }: Where): boolean {
  return mayDial(ip, port) && (dialsLoopback || !isLoopback(ip));
}

/** Node looks up names only: an address passes by here. */
export function lookupFor(where: Where, lookup: LookupFunction): LookupFunction {
  return (name, lookupOptions, callback) => {
    lookup(name, lookupOptions, (error, found, family) => {
      const ips = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      const isRefused = error === null && !ips.every((ip) => mayDialHere(ip, where));
      callback(isRefused ? noPeerAt(name, where.port) : error, found, family);
    });
  };
}

function noPeerAt(host: string, port: number): Error {
  return new Error(`no peer is at ${host}, port ${port}`);
}

/** Node's types know `onread` for plain sockets only; TLS sockets take it as well. */
function connect(target: TcpNetConnectOpts, secureContext: SecureContext | null): Socket {
  if (secureContext === null) return connectPlain(target);
  return connectTls({ ...target, secureContext, rejectUnauthorized: false } as ConnectionOptions);
}
