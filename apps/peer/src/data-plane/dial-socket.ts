// Owns making a connection to another peer, with or without TLS, that receives into memory of the caller's choice. Where to
// comes from other users: where no peer can be is not dialled, whatever name leads there.
import { lookup as lookupName } from 'node:dns';
import { connect as connectPlain, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type SecureContext } from 'node:tls';
import { mayDial } from '#identity/dialled-addresses';

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
  const { host, port } = address;
  const onread = {
    buffer: options.nextBuffer,
    callback: (length: number): boolean => {
      options.onBytes(length);
      return true;
    },
  };
  const target: TcpNetConnectOpts = { host, port, noDelay: true, onread, lookup: lookupFor(port, lookupName) };
  const socket = isIP(host) === 0 || mayDial(host, port) ? connect(target, secureContext) : new Socket();
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

/** Node looks up names only: an address passes by here. */
export function lookupFor(port: number, lookup: LookupFunction): LookupFunction {
  return (name, lookupOptions, callback) => {
    lookup(name, lookupOptions, (error, found, family) => {
      const ips = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      const isRefused = error === null && !ips.every((ip) => mayDial(ip, port));
      callback(isRefused ? noPeerAt(name, port) : error, found, family);
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
