import { expect, it } from 'vitest';
import { type Connection, SourceTable } from '../../../../apps/peer/src/swarm/source-table.ts';

const PIECES = 8;
const address = { host: '127.0.0.1', port: 7000 };
const source = (peerId: string) => ({ peerId, user: `user of ${peerId}`, addresses: [address] });

function newTable(...peerIds: string[]): SourceTable {
  const table = new SourceTable({ pieceCount: PIECES, workers: 2, random: () => 0 });
  table.update(peerIds.map(source));
  return table;
}

let lastConnection = 0;

function dial(table: SourceTable, peerId: string, nowMs = 0, lane = 0): Connection {
  const entry = table.entries().find((each) => each.source.peerId === peerId);
  if (entry === undefined) throw new Error(`${peerId} is no source`);
  return table.dialled(entry, { id: ++lastConnection, lane }, nowMs);
}

function open(table: SourceTable, peerId: string, bits = 0xff, lane = 0): Connection {
  const connection = dial(table, peerId, 0, lane);
  table.opened(connection, address, { lane: 0, bitfield: Uint8Array.of(bits) });
  return connection;
}

function due(table: SourceTable, nowMs = 0): string[] {
  return table.due(nowMs).map((entry) => entry.source.peerId);
}

it('dials once to see whether a source answers, and the rest when it does', () => {
  const table = newTable('a');
  expect(due(table)).toEqual(['a']);
  const connection = dial(table, 'a');
  expect(due(table)).toEqual([]);
  table.opened(connection, address, { lane: 0, bitfield: Uint8Array.of(1) });
  expect(due(table)).toEqual(['a']);
  dial(table, 'a');
  expect(due(table)).toEqual([]);
});

it('waits longer after each failure, up to five seconds, and forgets it when it works', () => {
  const table = newTable('a');
  const waits: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    table.closed(dial(table, 'a'), 'unreachable', 0);
    let nowMs = 0;
    while (due(table, nowMs).length === 0) nowMs++;
    waits.push(Math.round(nowMs / 0.75));
  }
  expect(waits).toEqual([251, 500, 1000, 2000, 4000, 5000, 5000]);
  table.opened(dial(table, 'a'), address, { lane: 0, bitfield: Uint8Array.of(0) });
  expect(table.entries()[0]?.failures).toBe(0);
});

it('a source that moved is dialled at once, one that is no longer listed not at all', () => {
  const table = newTable('a');
  table.closed(dial(table, 'a'), 'unreachable', 1000);
  expect(due(table, 1000)).toEqual([]);
  table.update([{ ...source('a'), addresses: [{ host: '127.0.0.1', port: 7001 }] }]);
  expect(due(table, 1000)).toEqual(['a']);
  table.update([]);
  expect(due(table, 1000)).toEqual([]);
});

it('a source that sent wrong bytes is never dialled again', () => {
  const table = newTable('a');
  table.closed(open(table, 'a'), 'corrupt_piece', 0);
  table.dialNow();
  expect(due(table, 1e9)).toEqual([]);
  expect(table.views()[0]).toMatchObject({ state: 'dropped' });
});

it('availability counts sources, not connections, and follows what they gain and lose', () => {
  const table = newTable('a', 'b');
  const first = open(table, 'a', 0b1000_0000);
  open(table, 'a', 0b1000_0000);
  const other = open(table, 'b', 0b1100_0000);
  expect([table.availability(0), table.availability(1), table.availability(2)]).toEqual([2, 1, 0]);
  table.gained(first.entry, [1, 2, 2, 99]);
  expect([table.availability(0), table.availability(1), table.availability(2)]).toEqual([2, 2, 1]);
  table.lacks(other.entry, 0);
  table.lacks(other.entry, 0);
  expect(table.availability(0)).toBe(1);
  for (const connection of table.connections()) table.closed(connection, 'lost', 0);
  expect([table.availability(0), table.availability(1), table.availability(2)]).toEqual([0, 0, 0]);
});

it('connects to at most 32 sources at once', () => {
  const table = newTable(...Array.from({ length: 40 }, (_, number) => `${number}`));
  const peerIds = due(table);
  expect(peerIds).toHaveLength(32);
  for (const peerId of peerIds) dial(table, peerId);
  expect(due(table)).toEqual([]);
});

it('a connection is made again when another worker of the source has fewer, a few times at most', () => {
  const table = newTable('a');
  open(table, 'a');
  const crowded = dial(table, 'a');
  expect(table.isCrowded(crowded, { lane: 1, laneCount: 2 })).toBe(false);
  for (let turn = 0; turn < 8; turn++) expect(table.isCrowded(crowded, { lane: 0, laneCount: 2 })).toBe(true);
  expect(table.isCrowded(crowded, { lane: 0, laneCount: 2 })).toBe(false);
});

it('expects equally many connections of every source, those that are being dialled for the first time too', () => {
  const table = newTable('a', 'b');
  expect(table.connectionsExpected()).toBe(2);
  open(table, 'a');
  expect(due(table)).toEqual(['b']);
  expect(table.connectionsExpected()).toBe(2);
  table.closed(dial(table, 'b'), 'unreachable', 0);
  expect(due(table)).toEqual(['a']);
  expect(table.connectionsExpected()).toBe(2);
});

it('a source keeps as many connections as each gets, once those that came later have answered', () => {
  const table = newTable('a');
  open(table, 'a', 0xff, 0);
  const second = open(table, 'a', 0xff, 1);
  table.update([source('a'), source('b')]);
  dial(table, 'b', 0, 1);
  expect(table.surplus()).toEqual([]);
  open(table, 'b', 0xff, 1);
  expect(table.surplus()).toEqual([second]);
  second.isRetiring = true;
  expect(table.surplus()).toEqual([]);
});

it('a connection is silent when nothing came for long, and its rate is then what it would be with a piece right now', () => {
  const table = newTable('a');
  const connection = open(table, 'a');
  table.asked(connection, 1000);
  expect(table.isSilent(connection, 100, 1200)).toBe(false);
  expect(table.isSilent(connection, 100, 1201)).toBe(true);
  table.delivered(connection, 100, 1100);
  expect(table.rateOf(connection, 100, 1300)).toBe(1000);
  // Four pieces of 100 ms each.
  expect(table.isSilent(connection, 100, 1500)).toBe(false);
  expect(table.rateOf(connection, 100, 1600)).toBe(200);
});

it('what a connection did not do while it had nothing to do says nothing about its rate', () => {
  const table = newTable('a');
  const connection = open(table, 'a');
  table.asked(connection, 5000);
  table.delivered(connection, 100, 5100);
  expect(connection.bytesPerSecond).toBe(1000);
  connection.isOwing = true;
  table.heard(connection, 9000);
  table.delivered(connection, 200, 9200);
  expect(connection).toMatchObject({ bytesPerSecond: 1000, isOwing: false });
});

it('an IPv6 address is shown in brackets', () => {
  const table = new SourceTable({ pieceCount: PIECES, workers: 2, random: () => 0 });
  table.update([{ ...source('a'), addresses: [{ host: '::1', port: 7070 }] }]);
  expect(table.views()[0]).toMatchObject({ address: '[::1]:7070', state: 'waiting' });
});
