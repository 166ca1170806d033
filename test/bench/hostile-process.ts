// The hostile client of `npm run bench:hostile`: a process of its own, with the lowest priority, so that a good client notices
// what the server makes of it and not a processor that both clients want. It comes from loopback addresses of its own, is
// told over IPC whom to attack and how, and says what came of it when it is told to stop.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { mutualTlsOptions } from '#identity/tls';
import { encodeFrame, TRANSFER_VERSION } from '#wire/transfer-frame';
import { newIdentity } from './new-identity.ts';

/** The door that is attacked: what is spoken behind it, and its port on loopback. */
export interface HostileTarget {
  readonly speaks: 'rpc' | 'http' | 'frames';
  readonly port: number;
}

export type Attack = 'hold' | 'drip' | 'announce' | 'garbage' | 'greet';

/** What the process is told. */
export type HostileOrder =
  | {
      readonly attack: Attack;
      readonly target: HostileTarget;
      /** Connections at a time that `hold` wants. */
      readonly connections: number;
      /** From how many addresses. */
      readonly addresses: number;
    }
  | 'stop';

/** What came of an attack: connections begun, those that the server ended, and those open at the end. */
export interface HostileCount {
  readonly begun: number;
  readonly ended: number;
  readonly open: number;
}

const DRIP_MS = 100;
const DRIPPING = 500;
const AT_ONCE = 32;
const GIVE_UP_MS = 200;
/** Who holds or drips comes back after so long when it is cut off. */
const COME_BACK_MS = 1_000;

const identity = await newIdentity();
const clientHello = await firstBytesOfTls();
const sockets = new Set<Socket>();
let count = { begun: 0, ended: 0 };
let stop = new AbortController();

setPriority(constants.priority.PRIORITY_LOW);
process.on('message', obey);
process.on('disconnect', () => process.exit());
process.send!('here');

function obey(order: HostileOrder): void {
  if (order === 'stop') {
    stop.abort();
    process.send!({ ...count, open: sockets.size } satisfies HostileCount);
    for (const socket of sockets) socket.destroy();
    return;
  }
  count = { begun: 0, ended: 0 };
  stop = new AbortController();
  const lives = { hold, drip, announce, garbage, greet };
  const lanes = { hold: order.connections, drip: DRIPPING, announce: AT_ONCE, garbage: AT_ONCE, greet: AT_ONCE };
  for (let number = 0; number < lanes[order.attack]; number++) void keepOn(lives[order.attack], order, number);
  process.send!('begun');
}

type Order = Exclude<HostileOrder, 'stop'>;
/** One connection from its beginning to its end. Every second one of a TLS door shakes hands first where both make sense. */
type Life = (order: Order, number: number) => Promise<void>;

async function keepOn(live: Life, order: Order, number: number): Promise<void> {
  const { signal } = stop;
  while (!signal.aborted) await live(order, number).catch(() => undefined);
}

async function hold(order: Order, number: number): Promise<void> {
  await ended(open(order, number, number % 2 === 0));
  await pause(COME_BACK_MS);
}

async function drip(order: Order, number: number): Promise<void> {
  const isInside = number % 2 === 0;
  const socket = open(order, number, isInside);
  const text = isInside || order.target.speaks === 'http' ? slowText(order.target) : clientHello;
  let at = 0;
  const timer = setInterval(() => socket.write(text.subarray(at, ++at)), DRIP_MS);
  await ended(socket).finally(() => clearInterval(timer));
  await pause(COME_BACK_MS);
}

async function announce(order: Order, number: number): Promise<void> {
  const socket = open(order, number, true);
  socket.write(hugeText(order.target, number));
  await Promise.race([ended(socket), pause(GIVE_UP_MS)]);
  socket.destroy();
}

async function garbage(order: Order, number: number): Promise<void> {
  const socket = open(order, number, false);
  await Promise.race([ended(socket), new Promise((resolve) => socket.write(randomBytes(512), resolve))]);
  socket.destroy();
}

/** As far as a stranger gets: through the handshake with a key of its own, or one request without a token. */
async function greet(order: Order, number: number): Promise<void> {
  const socket = open(order, number, true);
  const isHttp = order.target.speaks === 'http';
  if (isHttp) socket.write(`GET /api/v1/status HTTP/1.1\r\nhost: 127.0.0.1:${order.target.port}\r\n\r\n`);
  await Promise.race([ended(socket), once(socket, isHttp ? 'data' : 'secureConnect')]);
  socket.destroy();
}

function open({ target, addresses }: Order, number: number, isInside: boolean): Socket {
  const place = { host: '127.0.0.1', port: target.port, localAddress: `127.0.9.${1 + (number % addresses)}` };
  const needsTls = isInside && target.speaks !== 'http';
  const socket = needsTls ? connectTls({ ...place, ...mutualTlsOptions(identity) }) : connectPlain(place);
  count.begun += 1;
  sockets.add(socket);
  socket.on('error', () => undefined).resume();
  socket.once('close', () => {
    sockets.delete(socket);
    if (!stop.signal.aborted) count.ended += 1;
  });
  return socket;
}

function ended(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}

/** What never comes to an end when it is said slowly. */
function slowText({ speaks, port }: HostileTarget): Buffer {
  const endless = 'a'.repeat(100_000);
  if (speaks === 'http') return Buffer.from(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-slow: ${endless}`);
  if (speaks === 'rpc') return Buffer.from(`200000#{"pattern":"list_groups","id":"1","data":{"after":"${endless}`);
  return Buffer.concat([helloBytes(), Buffer.of(0, 0, 2, 1, 3), Buffer.alloc(512)]);
}

/** The beginning of something far too long. */
function hugeText({ speaks, port }: HostileTarget, number: number): Buffer {
  if (speaks === 'rpc') return Buffer.from('999999999999#{"pattern":"hello","id":"1","data":{');
  if (speaks === 'http') {
    const head = `POST /api/v1/commands/logout HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json`;
    return Buffer.from(`${head}\r\ncontent-length: 99999999999\r\n\r\n{`);
  }
  // More than there can be, and a part of a manifest, which is long and right.
  const head = number % 2 === 0 ? Buffer.of(0xff, 0xff, 0xff, 0xff, 3) : Buffer.of(0, 4, 0, 9, 6);
  return Buffer.concat([helloBytes(), head, Buffer.alloc(100)]);
}

function helloBytes(): Uint8Array {
  const hello = { kind: 'hello', version: TRANSFER_VERSION, lane: 0, laneCount: 1, key: new Uint8Array(0) } as const;
  return encodeFrame({ ...hello, nonce: randomBytes(32) });
}

/** The first message of a TLS handshake, as this process would send it. */
function firstBytesOfTls(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (chunk: Buffer) => resolve(chunk) });
    connectTls({ socket: wire, ...mutualTlsOptions(identity) }).on('error', () => undefined);
  });
}
