// The floors that transfers are compared with: a file from process to process over loopback connections, with nothing but
// reads, sockets and positional writes, and, to `verify`, the SHA-1 of what came. A sender serves ranges of its file; a receiver
// fetches one range from each sender.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

const READ_BYTES = 1024 * 1024;
const RECEIVE_BYTES = 256 * 1024;
const RANGE_BYTES = 16;

/** Sends a range of the file to whoever connects and says which; says the port over IPC. */
function send(path: string): void {
  const file = openSync(path, 'r');
  const server = createServer((socket) => {
    socket.once('data', (range: Buffer) => {
      sendRange(socket, file, { begin: Number(range.readBigUInt64LE(0)), end: Number(range.readBigUInt64LE(8)) });
    });
  });
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

/** Where a copy goes, and whether what comes is hashed. */
interface Target {
  readonly path: string;
  readonly isVerified: boolean;
}

/** Receives an equal part from each port into one file; says that it is there over IPC when the last byte is. */
async function receive(target: Target, totalBytes: number, ports: readonly number[]): Promise<void> {
  const file = openSync(target.path, 'w');
  const part = Math.ceil(totalBytes / ports.length);
  await Promise.all(
    ports.map((port, index) =>
      receiveRange({ file, isVerified: target.isVerified }, port, {
        begin: index * part,
        end: Math.min(totalBytes, (index + 1) * part),
      }),
    ),
  );
  if (fstatSync(file).size !== totalBytes) throw new Error('the raw copy is not whole');
  closeSync(file);
  process.send?.({ isDone: true });
}

function receiveRange(
  { file, isVerified }: { file: number; isVerified: boolean },
  port: number,
  { begin, end }: { begin: number; end: number },
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const hash = isVerified ? createHash('sha1') : null;
  let at = begin;
  const callback = (length: number): boolean => {
    hash?.update(buffer.subarray(0, length));
    writeSync(file, buffer, 0, length, at);
    at += length;
    return true;
  };
  const range = Buffer.alloc(RANGE_BYTES);
  range.writeBigUInt64LE(BigInt(begin), 0);
  range.writeBigUInt64LE(BigInt(end), 8);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, onread: { buffer, callback } }, () => socket.write(range));
    socket.once('close', () => resolve());
  });
}

const [role, path = '', totalBytes, ...ports] = process.argv.slice(2);
if (role === 'send') send(path);
else {
  // Its start is not part of what is measured.
  const target = { path, isVerified: role === 'verify' };
  process.once('message', () => void receive(target, Number(totalBytes), ports.map(Number)));
  process.send?.({ isReady: true });
}
