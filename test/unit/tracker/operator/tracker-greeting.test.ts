// Facts about who counts as a running tracker: whoever shows the key that the log has, whatever else comes of it.
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer as createPlainServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';
import { greet, type Greeted } from '../../../../apps/tracker/src/operator/tracker-greeting.ts';

let folder: string;
let tracker: Identity;
let stranger: Identity;
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-greeting-'));
  tracker = await loadOrCreateIdentity(join(folder, 'tracker'));
  stranger = await loadOrCreateIdentity(join(folder, 'stranger'));
});
afterEach(() => servers.splice(0).forEach((server) => server.close()));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As a tracker does that says nothing of its rules: it is silent, hangs up, or speaks of something else. */
const LIVES: readonly (readonly [string, (socket: TLSSocket) => void])[] = [
  ['does not answer', () => undefined],
  ['hangs up', (socket) => socket.once('data', () => socket.destroy())],
  ['answers that it is not ready', (socket) => socket.on('data', (asked: Buffer) => refuse(socket, asked))],
  ['talks nonsense', (socket) => socket.once('data', () => socket.write('12#not JSON at all'))],
];

function refuse(socket: TLSSocket, asked: Buffer): void {
  const { id } = JSON.parse(asked.toString().replace(/^\d+#/, '')) as { id: string };
  const answer = JSON.stringify({ id, response: { status: 'failed', code: 'tracker_unavailable' }, isDisposed: true });
  socket.write(`${answer.length}#${answer}`);
}

async function greeted(server: Server): Promise<Greeted> {
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return greet({ trackerId: tracker.id, address } as Parameters<typeof greet>[0], stranger);
}

function tlsServer(identity: Identity, live: (socket: TLSSocket) => void): Server {
  return createServer(mutualTlsOptions(identity), (socket) => live(socket.on('error', () => undefined)));
}

it.each(LIVES)('a tracker that %s runs', async (_, live) => {
  expect(await greeted(tlsServer(tracker, live))).toMatchObject({ runs: true, newestRulesVersion: null });
});

it('whoever has another key is no tracker', async () => {
  expect(await greeted(tlsServer(stranger, LIVES[2]![1]))).toMatchObject({ runs: false });
});

it('where nobody shows a key no tracker runs', async () => {
  const plain = createPlainServer((socket) => socket.on('error', () => undefined).end());
  expect(await greeted(plain)).toMatchObject({ runs: false });
});
