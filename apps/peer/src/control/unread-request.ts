// Owns the answer to what never became a request: no HTTP, headers without end, or half of them. No route, no hook and no filter
// come to see it, and what Fastify says of it by itself is no problem document.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Problem, problemOf } from '#wire/wire-error';

/** Says what is wrong as everything else that is refused is told, and ends the connection. */
export function answerUnread(
  error: NodeJS.ErrnoException,
  { socket, headers }: { readonly socket: Socket; readonly headers: Readonly<Record<string, string>> },
): void {
  if (socket.destroyed || error.code === 'ECONNRESET') return;
  const problem = problemOfUnread(error);
  const body = JSON.stringify(problem);
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}`;
  if (socket.writable) socket.write(`${head}\r\n${body}`);
  // At once: what still comes would be refused and counted again.
  socket.destroy();
}

function problemOfUnread({ code }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return problemOf('too_large', { detail: 'The headers are larger than the limit.' });
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  return problemOf('invalid_request', { detail: isLate ? 'The request did not come in time.' : 'This is no HTTP.' });
}
