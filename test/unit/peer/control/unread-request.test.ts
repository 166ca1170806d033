// Facts about what never becomes a request, over a connection: it is told so as every other refusal is, and ends.
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect } from 'node:net';
import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createControlApp } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../../../apps/peer/src/control/control.module.ts';

let app: NestFastifyApplication;
beforeAll(async () => {
  const providers = CONTROL_NEEDS.map((provide) => ({ provide, useValue: {} }));
  app = await createControlApp(providers, { requestTimeoutMs: 300 });
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

/** All that is answered to raw bytes, until the connection ends. */
function answerTo(bytes: string): Promise<string> {
  return answerToWhat((socket) => void socket.write(bytes));
}

/** The same for whatever is done with the connection. */
function answerToWhat(act: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port }, () => act(socket));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject).once('close', () => resolve(text));
  });
}

test.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'invalid_request', 'no HTTP'],
  ['a handshake of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, 'invalid_request', 'no HTTP'],
  [
    'two lengths',
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    'invalid_request',
    'no HTTP',
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0',
    ...([400, 'invalid_request', 'no HTTP'] as const),
  ],
  ['headers without end', `GET / HTTP/1.1\r\nA: ${'a'.repeat(20_000)}`, 413, 'too_large', 'headers'],
  ['half a header', 'GET / HTTP/1.1\r\nHost: 127', 400, 'invalid_request', 'in time'],
])('%s is answered with a problem document, and the connection ends', async (_what, bytes, status, code, words) => {
  const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain('content-type: application/problem+json; charset=utf-8');
  expect(head).toContain('x-content-type-options: nosniff');
  expect(JSON.parse(body)).toMatchObject({ status, code, detail: expect.stringContaining(words) as string });
});

test('headers that drip byte by byte come to their end in time, or to the end of the connection', async () => {
  const text = await answerToWhat((socket) => {
    socket.on('error', () => undefined);
    socket.write('GET /health/live HTTP/1.1\r\nX: ');
    const dripping = setInterval(() => socket.write('a'), 20);
    socket.once('close', () => clearInterval(dripping));
  }).catch(() => 'cut off');
  expect(text).toMatch(/in time|cut off/);
});
