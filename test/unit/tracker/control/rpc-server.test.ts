import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectPlain, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Logger } from '@nestjs/common';
import type { TcpContext } from '@nestjs/microservices';
import { of } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';
import { NO_SPAN, NO_TRACES, type Traces } from '#program/traces';
import { callerOf, type RpcDoor, RpcServer } from '../../../../apps/tracker/src/control/rpc-server.ts';

// A connection that ends is a fact in these tests, not news for the console.
Logger.overrideLogger(false);

let directory: string;
let identities: Identity[];
let server: RpcServer;
/** Ids of peers on which somebody is logged in. */
let loggedIn: Set<string>;
let refused: string[];
let sockets: TLSSocket[];
/** Who asked, in the order in which requests were handled. */
let handled: string[];
let onHandled: () => void | Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cohort-test-'));
  identities = await Promise.all(['1', '2', '3'].map((name) => loadOrCreateIdentity(join(directory, name))));
});
afterAll(() => rm(directory, { recursive: true }));

beforeEach(async () => {
  handled = [];
  sockets = [];
  onHandled = () => undefined;
  loggedIn = new Set();
  refused = [];
  server = newServer();
  server.addHandler('ask', async (_data: unknown, context: TcpContext) => {
    handled.push(callerOf(context).peerId);
    await onHandled();
    return { ok: true };
  });
  server.addHandler('listen', () => Promise.resolve(of('first', 'last')));
  server.addHandler('ask for much', () => Promise.resolve('x'.repeat(200 * 1024)));
  await new Promise<void>((resolve) => server.listen(() => resolve()));
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

function newServer(limits: Partial<RpcDoor> = {}): RpcServer {
  const door = { hasSession: (peerId: string) => loggedIn.has(peerId), refused: (code: string) => refused.push(code) };
  return new RpcServer(identities[0]!, { host: '127.0.0.1', port: 0 }, { ...door, ...limits });
}

async function restartWith(limits: Partial<RpcDoor>): Promise<number> {
  server.close();
  server = newServer(limits);
  await new Promise<void>((resolve) => server.listen(() => resolve()));
  return (server.unwrap<Server>().address() as AddressInfo).port;
}

async function connected(identity: Identity): Promise<TLSSocket> {
  const { port } = server.unwrap<Server>().address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ...mutualTlsOptions(identity) });
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}

/** Resolves when a connection has ended, however it did. */
function ending(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

function framed(message: object): string {
  const text = JSON.stringify(message);
  return `${text.length}#${text}`;
}

const request = (pattern = 'ask'): string => framed({ pattern, id: randomUUID(), data: {} });

/** What comes in, message by message. */
function messagesOf(socket: TLSSocket): () => unknown[] {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return () =>
    text
      .split(/\d+#/)
      .slice(1)
      .map((message) => JSON.parse(message) as unknown);
}

/** Counts the answers that come in. */
function answersOf(socket: TLSSocket): () => number {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return () => text.split('"ok":true').length - 1;
}

it('a connection that asks much at once lets the others have their turn', async () => {
  const [greedy, modest] = [await connected(identities[1]!), await connected(identities[2]!)];
  const answers = answersOf(greedy);
  onHandled = () => {
    onHandled = () => undefined;
    modest.write(request());
  };
  const asked = 5_000;
  greedy.write(Array.from({ length: asked }, () => request()).join(''));
  await vi.waitFor(() => expect(handled).toContain(identities[2]!.id));
  expect(handled.indexOf(identities[2]!.id)).toBeLessThan(100);
  await vi.waitFor(() => expect(answers()).toBe(asked), 10_000);
});

it('what one connection has under way is bounded, and the rest is answered when there is room', async () => {
  const greedy = await connected(identities[1]!);
  const answers = answersOf(greedy);
  const gate = Promise.withResolvers<void>();
  onHandled = () => gate.promise;
  const asked = 3_000;
  greedy.write(Array.from({ length: asked }, () => request()).join(''));
  await vi.waitFor(() => expect(handled.length).toBeGreaterThanOrEqual(512));
  const other = await connected(identities[2]!);
  other.write(request());
  await vi.waitFor(() => expect(handled).toContain(identities[2]!.id));
  expect(handled).toHaveLength(513);
  gate.resolve();
  await vi.waitFor(() => expect(answers()).toBe(asked), 10_000);
});

it('answers of one connection that are ready together leave as one write', async () => {
  const accepted = once(server.unwrap<Server>(), 'secureConnection') as Promise<[TLSSocket]>;
  const socket = await connected(identities[1]!);
  const [accepting] = await accepted;
  const answers = answersOf(socket);
  const gate = Promise.withResolvers<void>();
  onHandled = () => gate.promise;
  const asked = 200;
  socket.write(Array.from({ length: asked }, () => request()).join(''));
  await vi.waitFor(() => expect(handled).toHaveLength(asked));
  const writes = vi.spyOn(accepting, 'uncork');
  gate.resolve();
  await vi.waitFor(() => expect(answers()).toBe(asked));
  expect(writes).toHaveBeenCalledTimes(1);
});

it('an answer ends its request, a stream with its last one, and what nobody knows is told so', async () => {
  const socket = await connected(identities[1]!);
  const messages = messagesOf(socket);
  for (const [id, pattern] of ['ask', 'listen', 'unheard of'].entries())
    socket.write(framed({ pattern, id, data: {} }));
  await vi.waitFor(() => expect(messages()).toHaveLength(4));
  expect(messages()).toEqual(
    expect.arrayContaining([
      { id: 0, response: { ok: true }, isDisposed: true },
      { id: 1, response: 'first' },
      { id: 1, response: 'last', isDisposed: true },
      { id: 2, status: 'error', err: expect.any(String) as unknown },
    ]),
  );
});

it('a connection that asks for much and reads nothing is cut off', async () => {
  const [stuck, modest] = [await connected(identities[1]!), await connected(identities[2]!)];
  stuck.pause();
  stuck.write(Array.from({ length: 200 }, () => request('ask for much')).join(''));
  await vi.waitFor(() => expect(server.connectionCount).toBe(1));
  const answers = answersOf(modest);
  modest.write(request());
  await vi.waitFor(() => expect(answers()).toBe(1));
});

it('messages that ask for no answer are dropped without a word', async () => {
  const complaints = vi.fn<(message: unknown) => void>();
  Logger.overrideLogger({ log: () => undefined, warn: () => undefined, error: complaints });
  const socket = await connected(identities[1]!);
  const answers = answersOf(socket);
  socket.write(
    framed({ pattern: 'ask', data: {} }) + framed({ pattern: 'unheard of', data: {} }) + framed({}) + request(),
  );
  await vi.waitFor(() => expect(answers()).toBe(1));
  expect(handled).toHaveLength(1);
  expect(complaints).not.toHaveBeenCalled();
  Logger.overrideLogger(false);
});

it('a connection that says nothing is cut off before long', async () => {
  const { port } = server.unwrap<Server>().address() as AddressInfo;
  const silent = connectPlain({ host: '127.0.0.1', port });
  silent.on('error', () => undefined);
  silent.resume();
  await once(silent, 'close');
  expect(silent.bytesRead).toBe(0);
});

it('when one address has all of its connections, the oldest without a session gives way', async () => {
  const port = await restartWith({ connectionsPerAddressMax: 3 });
  const silent = connectPlain({ host: '127.0.0.1', port });
  silent.on('error', () => undefined).resume();
  await once(silent, 'connect');
  const silenced = ending(silent);
  const user = await connected(identities[1]!);
  loggedIn.add(identities[1]!.id);
  const stranger = await connected(identities[2]!);
  const first = ending(stranger);
  await connected(identities[1]!);
  await silenced;
  await connected(identities[1]!);
  await first;
  await vi.waitFor(() => expect(server.connectionCount).toBe(3));
  await expect(connected(identities[2]!)).rejects.toThrow(/ECONNRESET|disconnected|EPIPE/);
  expect(server.connectionCount).toBe(3);
  expect(user.destroyed).toBe(false);
  expect(refused).toEqual(['too_many_connections', 'too_many_connections', 'too_many_connections']);
  user.destroy();
  await vi.waitFor(() => expect(server.connectionCount).toBe(2));
  await connected(identities[2]!);
});

it('who is in the middle of the handshake gives way to others who come from the same address', async () => {
  const port = await restartWith({ handshakesPerAddressMax: 2 });
  const closed: number[] = [];
  for (let number = 0; number < 4; number++) {
    const silent = connectPlain({ host: '127.0.0.1', port });
    silent.on('error', () => undefined).resume();
    silent.once('close', () => closed.push(number));
    await once(silent, 'connect');
  }
  // Both may go in one turn, and which end of them is told of first is for the system to say.
  await vi.waitFor(() => expect(new Set(closed)).toEqual(new Set([0, 1])));
  await connected(identities[1]!);
  await vi.waitFor(() => expect(new Set(closed)).toEqual(new Set([0, 1, 2])));
});

it('a message has its time from the first byte on, though its bytes drip', async () => {
  await restartWith({ messageTimeoutMs: 1_500 });
  const socket = await connected(identities[1]!);
  socket.resume();
  socket.write('1000#');
  const drip = setInterval(() => socket.write('x'), 10);
  await ending(socket);
  clearInterval(drip);
  expect(refused).toEqual(['too_slow']);
});

it('a message has its time also when its first bytes come with the end of another one', async () => {
  await restartWith({ messageTimeoutMs: 100 });
  const socket = await connected(identities[1]!);
  socket.resume();
  socket.write(`${framed({})}1000#x`);
  await ending(socket);
  expect(refused).toEqual(['too_slow']);
});

it('what is far too long ends its connection in peace: who has more to say hears of no reset, and it is counted', async () => {
  const socket = await connected(identities[1]!);
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error)).resume();
  socket.write(`${8 * 2 ** 20}#${'x'.repeat(8 * 2 ** 20)}`);
  await ending(socket);
  expect([errors, refused]).toEqual([[], ['malformed_message']]);
});

it('a server that is closed ends also those who have said nothing yet', async () => {
  const { port } = server.unwrap<Server>().address() as AddressInfo;
  const silent = connectPlain({ host: '127.0.0.1', port });
  silent.on('error', () => undefined).resume();
  await once(server.unwrap<Server>(), 'connection');
  const [closed, ended] = [once(server.unwrap<Server>(), 'close'), ending(silent)];
  server.close();
  await Promise.all([closed, ended]);
  expect(refused).toEqual([]);
});

it('what is no message ends its connection, and is counted', async () => {
  const socket = await connected(identities[1]!);
  socket.resume();
  socket.write('garbage#');
  await ending(socket);
  expect(refused).toEqual(['malformed_message']);
});

it('a trace is followed for who has a session alone', async () => {
  const begun: string[] = [];
  const begin: Traces['begin'] = (name) => {
    begun.push(name);
    return NO_SPAN;
  };
  await restartWith({ traces: { ...NO_TRACES, begin } });
  server.addHandler('ask', () => Promise.resolve({ ok: true }));
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const followed = framed({ pattern: 'ask', id: randomUUID(), data: {}, traceparent });
  const socket = await connected(identities[1]!);
  const answers = answersOf(socket);
  socket.write(followed);
  await vi.waitFor(() => expect(answers()).toBe(1));
  expect(begun).toEqual([]);
  loggedIn.add(identities[1]!.id);
  socket.write(followed);
  await vi.waitFor(() => expect(answers()).toBe(2));
  expect(begun).toEqual(['ask']);
});
