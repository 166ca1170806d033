// The floor that transfers are compared with: a file from one process to another over one loopback connection, with nothing
// but reads, one socket and positional writes.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

const READ_BYTES = 1024 * 1024;
const RECEIVE_BYTES = 256 * 1024;

/** Sends the file to whoever connects; says the port over IPC. */
function send(path: string): void {
  const file = openSync(path, 'r');
  const server = createServer((socket) => sendTo(socket, file, fstatSync(file).size));
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

function sendTo(socket: Socket, file: number, totalBytes: number): void {
  const buffers = [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)];
  let at = 0;
  const next = (buffer: Buffer): void => {
    const length = readSync(file, buffer, 0, Math.min(READ_BYTES, totalBytes - at), at);
    at += length;
    if (length === 0) socket.end();
    else socket.write(buffer.subarray(0, length), () => next(buffer));
  };
  for (const buffer of buffers) next(buffer);
}

/** Receives into a file; says how long it took from dialling on, without the start of the process. */
function receive(path: string, port: number): void {
  const file = openSync(path, 'w');
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const startMs = performance.now();
  let at = 0;
  const callback = (length: number): boolean => {
    writeSync(file, buffer, 0, length, at);
    at += length;
    return true;
  };
  const socket = connect({ host: '127.0.0.1', port, onread: { buffer, callback } });
  socket.once('close', () => {
    closeSync(file);
    process.send?.({ seconds: (performance.now() - startMs) / 1000 });
  });
}

const [role, path = '', port] = process.argv.slice(2);
if (role === 'send') send(path);
else receive(path, Number(port));
