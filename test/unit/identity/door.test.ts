import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Door, type DoorOptions } from '#identity/door';
import { seeded } from '../../seeded-random.ts';

const MANY = { placesMax: 1_000, perNetworkMax: 1_000 };

/** A server that connections come to by name, and who was let in so far. */
function playedServer(options: Partial<DoorOptions> = {}) {
  const server = Object.assign(new EventEmitter(), { listening: true });
  const letIn: string[] = [];
  const ports = new Map<string, number>();
  server.on('connection', (socket: Socket & { guest: string }) => letIn.push(socket.guest));
  const sentAway: string[] = [];
  const about = { places: MANY, silenceMs: 60_000, sentAway: (why: string) => sentAway.push(why) };
  const door = new Door(server as unknown as Server, { ...about, ...options });
  /** Comes, and says its name when it says anything. */
  const come = (guest: string, remoteAddress: string, says = guest): Socket => {
    ports.set(remoteAddress, (ports.get(remoteAddress) ?? 0) + 1);
    const who = { guest, remoteAddress, remotePort: ports.get(remoteAddress), setTimeout: () => socket };
    const socket = Object.assign(new PassThrough(), who) as unknown as Socket;
    server.emit('connection', socket);
    if (says !== '') socket.write(says);
    return socket;
  };
  return { server, door, letIn, come, sentAway };
}

/** All that is due in so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

// Of three to five four are heard in a turn, where a test does not draw.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.5));
afterEach(() => void vi.restoreAllMocks());

it('one connection is let in at each turn of the event loop', async () => {
  const { letIn, come } = playedServer();
  for (let number = 0; number < 50; number++) come(`${number}`, '10.0.0.1');
  while (letIn.length === 0) await turns(1);
  expect(letIn).toHaveLength(1);
  let before = letIn.length;
  for (let turn = 0; turn < 49; turn++) {
    await turns(1);
    expect(letIn.length - before).toBe(1);
    before = letIn.length;
  }
});

it('who comes a thousand times waits behind itself, and others take turns with it', async () => {
  const { letIn, come } = playedServer();
  for (let number = 0; number < 100; number++) come('bad', '10.0.0.1');
  come('good', '10.0.0.2');
  come('better', '10.0.0.3');
  await turns(6);
  expect(letIn.slice(0, 4)).toEqual(['bad', 'good', 'better', 'bad']);
});

it('who comes now and then goes before those who come again and again', async () => {
  const { letIn, come } = playedServer();
  for (let number = 0; number < 50; number++) come('crowd', `10.0.${number % 5}.1`);
  await turns(10);
  for (let time = 0; time < 3; time++) {
    letIn.length = 0;
    come('good', '10.9.0.1');
    await turns(8);
    expect(letIn.indexOf('good')).toBeGreaterThanOrEqual(0);
    expect(letIn.indexOf('good')).toBeLessThanOrEqual(1);
  }
});

it('while more come nobody is read of but the first of each network: the system lets one come a turn, and others are behind them', async () => {
  const { letIn, come } = playedServer();
  const crowd: Socket[] = [];
  for (let turn = 0; turn < 500; turn++) {
    crowd.push(come('crowd', '10.0.0.1', ''));
    await turns(1);
  }
  const good = come('good', '10.0.0.2', '');
  const heard = [...crowd, good].filter((socket) => socket.listenerCount('readable') > 0);
  expect(heard).toEqual([crowd[0], good]);
  good.write('good');
  for (let turn = 0; turn < 4; turn++) {
    come('crowd', '10.0.0.1', '');
    await turns(1);
  }
  expect(letIn).toEqual(['good']);
});

it('who waits has its turn although more come and come', async () => {
  const { letIn, come } = playedServer();
  come('waiting', '10.0.0.1');
  await turns(2);
  for (let turn = 0; turn < 40; turn++) {
    come('crowd', '10.0.0.2');
    await turns(1);
  }
  expect(letIn[0]).toBe('waiting');
});

it('nobody is put off without end: of a crowd that comes and comes everybody is heard who does not give up', async () => {
  const { come } = playedServer();
  const crowd: Socket[] = [];
  for (let turn = 0; turn < 1_500; turn++) {
    crowd.push(come('crowd', '10.0.0.1', ''));
    await turns(1);
  }
  const unheard = crowd.map((socket) => socket.listenerCount('readable') === 0);
  expect(unheard.filter(Boolean).length).toBeLessThanOrEqual(512);
  expect(unheard.indexOf(true)).toBeGreaterThan(800);
});

it('who is put off is heard although a crowd comes and comes of which each has another network', async () => {
  const { come } = playedServer();
  const [, putOff] = [come('first', '10.0.0.1', ''), come('second', '10.0.0.1', '')];
  for (let turn = 0; turn < 600; turn++) {
    come('crowd', `10.1.${turn >> 8}.${turn & 255}`, '');
    await turns(1);
  }
  expect(putOff.listenerCount('readable')).toBe(1);
});

it('a crowd of its own network keeps nobody out, who has a place among it', async () => {
  const cases = ['', 'hello'].flatMap((says) => [48, 49, 50, 51].map((period) => ({ says, period })));
  for (const { says, period } of cases) {
    const places = { placesMax: 100, perNetworkMax: 100 };
    const { letIn, come } = playedServer({ places });
    vi.spyOn(Math, 'random').mockImplementation(seeded(7));
    for (let turn = 0; turn < period * 200; turn++) {
      come('crowd', '10.0.0.1', says);
      if (turn % period === 0) come('good', '10.0.0.1');
      await turns(1);
    }
    await turns(200);
    const count = letIn.filter((guest) => guest === 'good').length;
    // Of those who all speak, one in four is let in while they come, whatever the rhythm.
    expect(count).toBeGreaterThanOrEqual(says === '' ? 200 : 40);
  }
});

it('four at a time begin to be heard, one network after the other', async () => {
  const { come } = playedServer();
  const crowd = Array.from({ length: 50 }, () => come('crowd', '10.0.0.1', ''));
  const few = Array.from({ length: 2 }, () => come('few', '10.0.0.2', ''));
  const heardOf = (sockets: Socket[]): number =>
    sockets.filter((socket) => socket.listenerCount('readable') > 0).length;
  expect([heardOf(crowd), heardOf(few)]).toEqual([1, 1]);
  await turns(2);
  expect([heardOf(crowd), heardOf(few)]).toEqual([4, 2]);
  await turns(1);
  expect([heardOf(crowd), heardOf(few)]).toEqual([8, 2]);
});

it('closed, it ends those whom nobody serves yet, and whoever comes after that', async () => {
  const { door, letIn, come, sentAway } = playedServer();
  const served = come('served', '10.0.0.1');
  await turns(3);
  const [waiting, silent] = [come('waiting', '10.0.0.1'), come('silent', '10.0.0.1', '')];
  door.close();
  const late = come('late', '10.0.0.1');
  await turns(3);
  expect([served, waiting, silent, late].map(({ destroyed }) => destroyed)).toEqual([false, true, true, true]);
  expect([letIn, sentAway]).toEqual([['served'], []]);
});

it('of one network who came last is let in first: who came long ago has given up', async () => {
  const { letIn, come } = playedServer();
  for (const guest of ['alone', 'first', 'second', 'third']) come(guest, '10.0.0.1');
  await turns(7);
  expect(letIn).toEqual(['alone', 'third', 'second', 'first']);
});

it('who says nothing is not let in, and not waited for', async () => {
  const { letIn, come } = playedServer();
  for (let number = 0; number < 100; number++) come('silent', '10.0.0.1', '');
  const late = come('late', '10.0.0.1', '');
  come('good', '10.0.0.1');
  await turns(30);
  expect(letIn).toEqual(['good']);
  late.write('at last');
  await turns(3);
  expect(letIn).toEqual(['good', 'late']);
});

it('who says nothing for too long is sent away, and counted', async () => {
  const { letIn, come, sentAway } = playedServer();
  const silent = come('silent', '10.0.0.1', '');
  silent.emit('timeout');
  expect([silent.destroyed, letIn, sentAway]).toEqual([true, [], ['too_long']]);
  const good = come('good', '10.0.0.1');
  await turns(3);
  good.emit('timeout');
  expect([good.destroyed, letIn, sentAway]).toEqual([false, ['good'], ['too_long']]);
});

it('of a network two shake hands at a time, and of all 64: the next when one introduces itself, goes, or takes its time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { door, letIn, come } = playedServer({ strangers: MANY });
  const sockets = new Map<string, Socket>();
  for (let number = 0; number < 6; number++) sockets.set(`${number}`, come(`${number}`, '10.0.0.1'));
  await turns(8);
  expect(letIn).toEqual(['0', '4']);
  come('of another network', '10.0.0.2');
  await turns(3);
  expect(letIn.splice(2)).toEqual(['of another network']);
  door.introduce(sockets.get('0')!);
  await turns(3);
  expect(letIn).toEqual(['0', '4', '5']);
  sockets.get('4')!.destroy();
  await turns(5);
  expect(letIn).toEqual(['0', '4', '5', '3']);
  vi.advanceTimersByTime(249);
  await turns(3);
  expect(letIn).toHaveLength(4);
  vi.advanceTimersByTime(1);
  await turns(5);
  expect(letIn).toEqual(['0', '4', '5', '3', '2', '1']);
  for (let network = 0; network < 100; network++) come('of many networks', `10.1.${network}.1`);
  await turns(110);
  expect(letIn.filter((guest) => guest === 'of many networks')).toHaveLength(64 - 2);
  vi.useRealTimers();
});

it('who has gone while it waited takes nobody’s turn, and one that breaks off ends nothing but itself', async () => {
  const { letIn, come } = playedServer();
  const [gone, broken] = [come('gone', '10.0.0.1'), come('broken', '10.0.0.3')];
  come('here', '10.0.0.2');
  gone.destroy();
  broken.destroy(new Error('read ECONNRESET'));
  await turns(5);
  expect(letIn).toEqual(['here']);
});

it('a server that listens no more lets nobody in', async () => {
  const { server, letIn, come } = playedServer();
  const waiting = [come('first', '10.0.0.1'), come('second', '10.0.0.1')];
  server.listening = false;
  await turns(5);
  expect(letIn).toEqual([]);
  expect(waiting.map(({ destroyed }) => destroyed)).toEqual([true, true]);
});

it('who gives way in all places at once is counted once', async () => {
  const one = { placesMax: 1, perNetworkMax: 1 };
  const { letIn, come, sentAway } = playedServer({ places: one, strangers: one });
  const first = come('first', '10.0.0.1');
  await turns(3);
  come('second', '10.0.0.1');
  await turns(3);
  expect(letIn).toEqual(['first', 'second']);
  expect(first.destroyed).toBe(true);
  expect(sentAway).toEqual(['no_room']);
});

it('who has introduced itself leaves its place to strangers, and who is admitted gives way to nobody', async () => {
  const { door, letIn, come, sentAway } = playedServer({
    places: { placesMax: 2, perNetworkMax: 2 },
    strangers: { placesMax: 1, perNetworkMax: 1 },
  });
  const first = come('first', '10.0.0.1');
  await turns(3);
  door.admit(first);
  const second = come('second', '10.0.0.1');
  await turns(3);
  door.introduce(second);
  come('third', '10.0.0.1');
  await turns(3);
  expect(letIn).toEqual(['first', 'second', 'third']);
  expect([first.destroyed, second.destroyed, sentAway.length]).toEqual([false, true, 1]);
});

it('what is said while it waits is heard: by a server of any kind', async () => {
  const plain = createPlainServer((socket) => socket.pipe(socket));
  const http = createHttpServer((_request, response) => response.end('heard'));
  const flows: (boolean | null)[] = [];
  for (const server of [plain, http]) {
    const door = new Door(server, { places: MANY, silenceMs: 60_000, sentAway: () => undefined });
    server.listen(0, '127.0.0.1').on('connection', (socket: Socket) => {
      door.admit(socket);
      flows.push(socket.readableFlowing);
    });
    await once(server, 'listening');
  }
  const echoed = await Promise.all(Array.from({ length: 20 }, (_, number) => echo(portOf(plain), `word ${number}`)));
  expect(echoed).toEqual(Array.from({ length: 20 }, (_, number) => `word ${number}`));
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(portOf(http))));
  expect(new Set(answers)).toEqual(new Set(['heard']));
  // And of nobody anything was read as it came.
  expect(flows).toEqual(Array.from({ length: 40 }, () => false));
  for (const server of [plain, http]) await new Promise((resolve) => server.close(resolve));
});

it('where TLS is spoken, who says anything else is sent away before it costs a handshake', async () => {
  const served: Socket[] = [];
  const server = createTlsServer().removeAllListeners('connection');
  server.on('connection', (socket: Socket) => served.push(socket));
  const sentAway: string[] = [];
  const door = new Door(server, { places: MANY, silenceMs: 60_000, sentAway: (why) => sentAway.push(why) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await echo(portOf(server), 'GET / HTTP/1.1')).toBe('');
  expect([served, sentAway]).toEqual([[], ['garbage']]);
  // What begins like TLS is let in with all that it said.
  const socket = connect(portOf(server), '127.0.0.1').end(Buffer.from([22, 3, 1]));
  while (served.length === 0) await turns(1);
  expect(await buffer(served[0]!)).toEqual(Buffer.from([22, 3, 1]));
  socket.destroy();
  door.close();
  server.close();
});

it('where HTTP is spoken, bytes that are no text are sent away unanswered, and text and TLS are answered', async () => {
  const server = createHttpServer();
  const sentAway: string[] = [];
  const door = new Door(server, { places: MANY, silenceMs: 60_000, sentAway: (why) => sentAway.push(why) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (const bytes of [[0], [71, 0], [...Buffer.from('GET / H'), 255], [23, 3, 1]]) {
    expect(await echo(portOf(server), Buffer.from(bytes))).toBe('');
  }
  expect(sentAway).toEqual(Array.from({ length: 4 }, () => 'garbage'));
  for (const words of ['hello\r\n\r\n', '\r\n\tno\r\n\r\n', Buffer.from([22, 3, 1, 0, 0])]) {
    expect(await echo(portOf(server), words)).toMatch(/^HTTP\/1.1 400 /);
  }
  expect(sentAway).toHaveLength(4);
  door.close();
  server.close();
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function echo(port: number, words: string | Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(words);
  return text(socket);
}

function answer(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.once('error', reject);
  });
}
