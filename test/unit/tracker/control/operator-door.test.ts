import { once } from 'node:events';
import { connect } from 'node:net';
import { fastify } from 'fastify';
import { expect, it } from 'vitest';
import { OPERATOR_CONNECTIONS_MAX } from '#wire/limits';
import {
  guardOperatorPort,
  OperatorDoor,
  operatorServerOptions,
} from '../../../../apps/tracker/src/control/operator-door.ts';

const refused: string[] = [];

const answered = (address: string, host: string, name = address): Promise<number> => {
  const server = fastify();
  guardOperatorPort(server, { name, address }, (code) => refused.push(code));
  server.get('/status', () => 'open');
  return server.inject({ url: '/status', headers: { host } }).then(({ statusCode }) => statusCode);
};

it.each(['127.0.0.1:9000', '127.0.0.2:9000', 'localhost:9000', 'LOCALHOST', '[::1]:9000'])(
  '%s is a name of loopback',
  async (host) => {
    expect(await answered('127.0.0.1', host)).toBe(200);
  },
);

it.each([
  'evil.example:9000',
  '127.evil.example',
  'localhost.evil.example:9000',
  '127.0.0.1.evil.example',
  'a@localhost',
])('under the name "%s" nothing is told on loopback', async (host) =>
  expect(await answered('127.0.0.1', host, 'localhost')).toBe(403),
);

it.each(['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'])(
  '%s is on loopback',
  async (address) => {
    refused.length = 0;
    expect(await answered(address, 'evil.example:9000')).toBe(403);
    expect(refused).toEqual(['foreign_host']);
  },
);

it('a name that stands for loopback is answered to when the operator gave it, and no other', async () => {
  expect(await answered('127.0.1.1', 'Tracker.example:9000', 'tracker.example')).toBe(200);
  expect(await answered('127.0.1.1', 'evil.example:9000', 'tracker.example')).toBe(403);
});

it('a port that is not on loopback is asked for by any name', async () => {
  expect(await answered('192.0.2.1', 'tracker.example:9000')).toBe(200);
});

it.each(['', 'GET /status HTTP/1.1\r\nHost: 127'])('who says no more than %j is cut off', async (text) => {
  const server = fastify(operatorServerOptions(200));
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(text);
  await expect(new Promise((resolve) => socket.once('close', () => resolve('closed')))).resolves.toBe('closed');
  await server.close();
});

it.each([
  ['is not all there in time', 'GET /status HTTP/1.1\r\nHost: 127', 'operator_too_slow'],
  ['is none', 'nonsense\r\n\r\n', 'operator_malformed'],
  ['has no end', `GET /status HTTP/1.1\r\nx: ${'x'.repeat(100_000)}`, 'operator_malformed'],
])('a request that %s is counted', async (_what, text, refusal) => {
  const server = fastify(operatorServerOptions(200));
  const counted: string[] = [];
  new OperatorDoor((code) => counted.push(code)).watch(server.server);
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => undefined).resume();
  socket.write(text);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(counted).toEqual([refusal]);
  await server.close();
});

it('of more connections than there is room for the oldest goes, and who asks is answered', async () => {
  const server = fastify();
  server.get('/status', () => 'open');
  const cutOff: string[] = [];
  const door = new OperatorDoor((refusal) => cutOff.push(refusal));
  door.watch(server.server);
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const silent = Array.from({ length: OPERATOR_CONNECTIONS_MAX }, () => connect(Number(port), '127.0.0.1').resume());
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const oldest = once(silent[0]!, 'close');
  expect(await (await fetch(`http://127.0.0.1:${port}/status`)).text()).toBe('open');
  await oldest;
  expect(cutOff).toEqual(['too_many_operators']);
  for (const socket of silent) socket.destroy();
  await server.close();
});

it('who asks with a key gives way to nobody', async () => {
  const server = fastify({ forceCloseConnections: true });
  const door = new OperatorDoor(() => undefined);
  const asked = Promise.withResolvers<void>();
  server.get('/audit', (request, reply) => {
    door.admit(request.raw.socket);
    void reply.hijack();
    asked.resolve();
  });
  server.get('/status', () => 'open');
  door.watch(server.server);
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const auditor = connect(Number(port), '127.0.0.1').resume();
  auditor.write('GET /audit HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await asked.promise;
  const silent = Array.from({ length: OPERATOR_CONNECTIONS_MAX }, () => connect(Number(port), '127.0.0.1').resume());
  const oldest = once(silent[0]!, 'close');
  expect(await (await fetch(`http://127.0.0.1:${port}/status`)).text()).toBe('open');
  await oldest;
  expect(auditor.destroyed).toBe(false);
  for (const socket of [auditor, ...silent]) socket.destroy();
  await server.close();
});
