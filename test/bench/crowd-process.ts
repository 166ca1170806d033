// One process of `npm run bench:crowd`: peers with a key and a TLS connection each, that say every ten seconds that they
// are there. It is told over IPC how many there shall be, or for how long to count, and answers each of these.
//   node crowd-process.ts <tracker's port> <number of this process>
import { setTimeout as delay } from 'node:timers/promises';
import { PRESENCE_HEARTBEAT_MS } from '#wire/limits';
import { type CrowdIdentity, CrowdPeer } from './crowd-peer.ts';
import { newIdentity } from './new-identity.ts';

/** What the process is told. */
export type HeartbeatOrder = { readonly peers: number } | { readonly countMs: number };

/** What was answered while it counted. */
export interface HeartbeatCount {
  readonly latenciesMs: readonly number[];
  readonly refused: number;
}

const TICK_MS = 100;
const TICKS = PRESENCE_HEARTBEAT_MS / TICK_MS;
const CONNECTING_AT_ONCE = 32;
/** A tracker takes 2,000 connections from one address. */
const PEERS_PER_ADDRESS = 1_500;
const FIRST_PEER_PORT = 10_000;

const [port, processNumber] = process.argv.slice(2).map(Number) as [number, number];
const peers: CrowdPeer[] = [];
const connecting = new Set<number>();
let latenciesMs: number[] = [];
let refused = 0;

process.on('message', (order: HeartbeatOrder) => void obey(order));
process.on('disconnect', () => process.exit());
let tick = 0;
setInterval(() => {
  tick += 1;
  for (let number = tick % TICKS; number < peers.length; number += TICKS) void beat(number);
}, TICK_MS);

async function obey(order: HeartbeatOrder): Promise<void> {
  if ('peers' in order) {
    await grow(order.peers);
    process.send!({ peers: peers.length });
    return;
  }
  latenciesMs = [];
  refused = 0;
  await delay(order.countMs);
  process.send!({ latenciesMs, refused } satisfies HeartbeatCount);
}

async function grow(count: number): Promise<void> {
  // Keys first: making one takes longer than a heartbeat, and peers that are connected already have to be heard.
  const identities: CrowdIdentity[] = [];
  while (peers.length + identities.length < count) identities.push(await newIdentity());
  const connectMore = async (): Promise<void> => {
    for (let identity = identities.pop(); identity !== undefined; identity = identities.pop()) {
      const number = peers.length;
      const localAddress = `127.0.${processNumber}.${1 + Math.floor(number / PEERS_PER_ADDRESS)}`;
      peers.push(new CrowdPeer(identity, { host: '127.0.0.1', port, localAddress }));
      await beat(number);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectMore));
}

/** Each peer is reached at an address of its own, at which nobody listens. Who was cut off connects again, as peers do. */
async function beat(number: number): Promise<void> {
  const peer = peers[number]!;
  if (connecting.has(number)) return;
  if (!peer.isConnected) {
    connecting.add(number);
    await peer.connect().catch(() => undefined);
    connecting.delete(number);
    if (!peer.isConnected) return;
  }
  const begin = performance.now();
  const addresses = [`127.1.${processNumber}.1:${FIRST_PEER_PORT + number}`];
  const { status } = await peer.ask('presence', { addresses, downloading: [], transport: 'tls' });
  latenciesMs.push(performance.now() - begin);
  if (status !== 'accepted') refused += 1;
}
