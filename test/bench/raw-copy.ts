// The floors that transfers are compared with: a file from process to process over loopback connections, with nothing but
// reads, sockets and positional writes; to `verify`, the SHA-1 of what came, and with a folder of keys mutual TLS 1.3 as between
// peers. A sender serves ranges of its file; a receiver fetches one range from each sender.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  connect as connectTls,
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
} from 'node:tls';
import { loadOrCreateIdentity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';

const READ_BYTES = 1024 * 1024;
const RECEIVE_BYTES = 256 * 1024;
/** What TLS hands over at once. */
const ROOM_BYTES = 16 * 1024;
const RANGE_BYTES = 16;

/** Sends a range of the file to whoever connects and says which; says the port over IPC. */
function send(path: string, tls: TlsOptions | null): void {
  const file = openSync(path, 'r');
  const serve = (socket: Socket): void => {
    socket.once('data', (range: Buffer) => {
      sendRange(socket, file, { begin: Number(range.readBigUInt64LE(0)), end: Number(range.readBigUInt64LE(8)) });
    });
  };
  const server = tls === null ? createServer(serve) : createTlsServer(tls, serve);
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

function sendRange(socket: Socket, file: number, { begin, end }: { begin: number; end: number }): void {
  const buffers = [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)];
  let at = begin;
  const next = (buffer: Buffer): void => {
    const length = readSync(file, buffer, 0, Math.min(READ_BYTES, end - at), at);
    at += length;
    if (length === 0) socket.end();
    else socket.write(buffer.subarray(0, length), () => next(buffer));
  };
  for (const buffer of buffers) next(buffer);
}

/** Where a copy goes, over TLS or not, and whether what comes is hashed. */
interface Target {
  readonly path: string;
  readonly isVerified: boolean;
  readonly tls: TlsOptions | null;
}

/** Receives an equal part from each port into one file; says that it is there over IPC when the last byte is. */
async function receive(target: Target, totalBytes: number, ports: readonly number[]): Promise<void> {
  const file = openSync(target.path, 'w');
  const part = Math.ceil(totalBytes / ports.length);
  await Promise.all(
    ports.map((port, index) => {
      const range = { begin: index * part, end: Math.min(totalBytes, (index + 1) * part) };
      return receiveRange(newTaker(file, range.begin, target.isVerified), range, { port, tls: target.tls });
    }),
  );
  if (fstatSync(file).size !== totalBytes) throw new Error('the raw copy is not whole');
  closeSync(file);
  process.send?.({ isDone: true });
}

/** Takes what comes into one buffer, and hashes and writes it from there when there is no room for more. */
function newTaker(file: number, begin: number, isVerified: boolean) {
  const bytes = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const hash = isVerified ? createHash('sha1') : null;
  let [at, filled] = [begin, 0];
  const flush = (): void => {
    hash?.update(bytes.subarray(0, filled));
    writeSync(file, bytes, 0, filled, at);
    at += filled;
    filled = 0;
  };
  return {
    buffer: () => bytes.subarray(filled),
    callback: (length: number): boolean => {
      filled += length;
      if (RECEIVE_BYTES - filled < ROOM_BYTES) flush();
      return true;
    },
    flush,
  };
}

function receiveRange(
  { buffer, callback, flush }: ReturnType<typeof newTaker>,
  { begin, end }: { begin: number; end: number },
  { port, tls }: { port: number; tls: TlsOptions | null },
): Promise<void> {
  const range = Buffer.alloc(RANGE_BYTES);
  range.writeBigUInt64LE(BigInt(begin), 0);
  range.writeBigUInt64LE(BigInt(end), 8);
  return new Promise((resolve) => {
    const target: TcpNetConnectOpts = { host: '127.0.0.1', port, onread: { buffer, callback } };
    // Node's types know `onread` for plain sockets only; TLS sockets take it as well.
    const options = { ...target, ...tls } as ConnectionOptions;
    const socket = tls === null ? connect(target) : connectTls(options);
    socket.write(range);
    socket.once('close', () => {
      flush();
      resolve();
    });
  });
}

const [role, path = '', keys = '', totalBytes, ...ports] = process.argv.slice(2);
const tls = keys === '' ? null : mutualTlsOptions(await loadOrCreateIdentity(keys));
if (role === 'send') send(path, tls);
else {
  // Its start is not part of what is measured.
  const target = { path, isVerified: role === 'verify', tls };
  process.once('message', () => void receive(target, Number(totalBytes), ports.map(Number)));
  process.send?.({ isReady: true });
}
