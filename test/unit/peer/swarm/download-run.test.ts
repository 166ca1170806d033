import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { geometryOf, type PieceIndex } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';
import { PiecePriorities, PRIORITIES } from '#domain/piece-priorities';
import type { LaneCommand } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import { DownloadRun } from '../../../../apps/peer/src/swarm/download-run.ts';
import { type Connection, SourceTable } from '../../../../apps/peer/src/swarm/source-table.ts';

const PIECES = 64;
const address = { host: '127.0.0.1', port: 7000 };

/** A run over 64 pieces from sources that have all of them, and what it says to the lanes. */
function newRun(...peerIds: string[]) {
  const sources = new SourceTable({ pieceCount: PIECES, workers: 2, random: () => 0 });
  sources.update(peerIds.map((peerId) => ({ peerId, user: peerId, addresses: [address] })));
  const ledger = new PieceLedger(geometryOf({ totalBytes: PIECES * 16, pieceBytes: 16 }), () => false);
  const priorities = new PiecePriorities(PIECES);
  const said: LaneCommand[] = [];
  const clock = { nowMs: 0 };
  const limits = { isRateLimited: false };
  const run = new DownloadRun({
    ledger,
    priorities,
    sources,
    strategy: 'random',
    random: () => 0,
    now: () => clock.nowMs,
    later: () => undefined,
    say: (_lane, command) => said.push(command),
    isRateLimited: () => limits.isRateLimited,
    onVerified: () => undefined,
    onCorrupt: () => undefined,
  });
  let lastConnection = 0;
  const open = (peerId: string, { lacksLast = false } = {}): Connection => {
    const entry = sources.entries().find(({ source }) => source.peerId === peerId);
    if (entry === undefined) throw new Error(`${peerId} is no source`);
    const connection = sources.dialled(entry, { id: ++lastConnection, lane: lastConnection % 2 }, 0);
    const bitfield = new Uint8Array(PIECES / 8).fill(0xff);
    if (lacksLast) bitfield[bitfield.length - 1] = 0xfe;
    sources.opened(connection, address, { lane: 0, bitfield });
    return connection;
  };
  const take = (): LaneCommand[] => said.splice(0);
  const hurry = (...pieces: number[]): void => run.hurried(priorities.hurry(pieces as PieceIndex[]));
  const prioritize = (priorityOf: (piece: number) => number): void => {
    priorities.prioritize(Uint8Array.from({ length: PIECES }, (_, piece) => priorityOf(piece)));
    run.prioritized();
  };
  return { run, ledger, clock, limits, open, take, hurry, prioritize };
}

it('a connection that retires gives back its reserve, gets nothing more, and ends when the rest has come', async () => {
  const { run, ledger, open, take } = newRun('a', 'b');
  const [leaving, staying] = [open('a'), open('a')];
  open('b');
  run.refillSoon();
  await nextTurn();
  const [requested, ...reserve] = ledger.piecesOf(leaving.id);
  if (requested === undefined) throw new Error('nothing was assigned');
  take();

  run.retire(leaving);
  await nextTurn();
  expect(take()).toContainEqual({
    kind: 'recall',
    connection: leaving.id,
    pieces: [requested, ...reserve],
  });

  run.pieceEvent(leaving, { kind: 'recalled', connection: leaving.id, pieces: reserve, owes: true });
  await nextTurn();
  expect(take().filter((command) => 'connection' in command && command.connection === leaving.id)).toEqual([]);

  run.pieceEvent(leaving, { kind: 'verified', connection: leaving.id, pieces: [requested] });
  await nextTurn();
  expect(take()).toContainEqual({ kind: 'hangUp', connection: leaving.id });
  expect(ledger.piecesOf(leaving.id).size).toBe(0);
  expect(ledger.piecesOf(staying.id).size).toBeGreaterThan(0);
});

it('what a recall does not bring back is on the wire: it is hedged, not asked back again', async () => {
  const { run, ledger, open, take } = newRun('a', 'b');
  const [silent, idle] = [open('a', { lacksLast: true }), open('b')];
  run.refillSoon();
  await nextTurn();
  take();
  run.pieceEvent(idle, { kind: 'verified', connection: idle.id, pieces: [...ledger.piecesOf(idle.id)] });
  await nextTurn();
  const [recall] = take();
  expect(recall).toMatchObject({ kind: 'recall', connection: silent.id });

  run.pieceEvent(silent, { kind: 'recalled', connection: silent.id, pieces: [], owes: true });
  await nextTurn();
  const held = [...ledger.piecesOf(silent.id)].toReversed().slice(0, 4);
  expect(take()).toEqual([{ kind: 'assign', connection: idle.id, pieces: held, hedge: true }]);
});

it('under a limit nothing is asked of two', async () => {
  const { run, ledger, limits, open, take } = newRun('a', 'b');
  limits.isRateLimited = true;
  const [silent, idle] = [open('a', { lacksLast: true }), open('b')];
  run.refillSoon();
  await nextTurn();
  run.pieceEvent(idle, { kind: 'verified', connection: idle.id, pieces: [...ledger.piecesOf(idle.id)] });
  await nextTurn();
  take();
  run.pieceEvent(silent, { kind: 'recalled', connection: silent.id, pieces: [], owes: true });
  await nextTurn();
  expect(ledger.piecesOf(silent.id).size).toBeGreaterThan(0);
  expect(take()).toEqual([]);
});

it('a connection over which nothing comes is given nothing more while there are others', async () => {
  const { run, ledger, clock, open, take } = newRun('a', 'b');
  const [silent, good] = [open('a', { lacksLast: true }), open('b')];
  run.refillSoon();
  await nextTurn();
  take();
  clock.nowMs = 250;
  const back = [...ledger.piecesOf(silent.id)];
  run.pieceEvent(good, { kind: 'verified', connection: good.id, pieces: [...ledger.piecesOf(good.id)] });
  run.pieceEvent(silent, { kind: 'recalled', connection: silent.id, pieces: back, owes: true });
  await nextTurn();
  expect(ledger.piecesOf(silent.id).size).toBe(0);
  expect(take()).toMatchObject([{ kind: 'assign', connection: good.id, hedge: false }]);

  run.pieceEvent(silent, { kind: 'passedOver', connection: silent.id });
  await nextTurn();
  expect(take()).toMatchObject([{ kind: 'assign', connection: silent.id, hedge: false }]);
});

it('urgent pieces are asked for at once and first, whatever a connection has in its reserve', async () => {
  const { run, ledger, open, take, hurry } = newRun('a', 'b');
  const [one, other] = [open('a'), open('b')];
  run.refillSoon();
  await nextTurn();
  take();
  const [held] = [...ledger.piecesOf(other.id)].slice(-1);
  run.pieceEvent(one, { kind: 'recalled', connection: one.id, pieces: [...ledger.piecesOf(one.id)], owes: false });
  hurry(held!, 40, 41);
  const commands = take();
  const said = commands.find(
    ({ kind, ...about }) => kind === 'hurry' && 'connection' in about && about.connection === other.id,
  );
  expect(said).toMatchObject({ pieces: expect.arrayContaining([held]) });
  const orders = commands.filter(({ kind }) => kind === 'hurry' || kind === 'assign');
  for (const piece of [40, 41]) {
    if (ledger.stateOf(piece as PieceIndex) !== 'assigned') throw new Error('nobody was asked');
    const first = orders.find((command) => 'pieces' in command && command.pieces.includes(piece));
    expect(first).toMatchObject({ kind: 'hurry' });
  }

  // Who has it was told so already; the other one has nothing more that is urgent.
  hurry(41);
  for (const command of take()) expect(command).toMatchObject({ kind: 'hurry', pieces: [] });
  hurry();
  expect(take()).toMatchObject([{ kind: 'hurry', pieces: [] }]);
});

it('an urgent piece that a silent source was asked for is asked of another one as well', async () => {
  const { run, ledger, clock, open, take, hurry } = newRun('a', 'b');
  const [silent, good] = [open('a'), open('b')];
  run.refillSoon();
  await nextTurn();
  take();
  clock.nowMs = 250;
  run.pieceEvent(good, { kind: 'passedOver', connection: good.id });
  const [piece] = [...ledger.piecesOf(silent.id)].slice(-1);
  hurry(piece!);
  expect(take()).toContainEqual({ kind: 'assign', connection: good.id, pieces: [piece], hedge: true });
  expect(ledger.holdersOf(piece!)).toEqual([silent.id, good.id]);
});

it('what is skipped comes back from the reserves and is not asked for again, until it is wanted', async () => {
  const { run, ledger, open, take, prioritize } = newRun('a');
  const only = open('a');
  run.refillSoon();
  await nextTurn();
  take();
  prioritize((piece) => (piece < 32 ? PRIORITIES.skip : PRIORITIES.normal));
  const [recall] = take();
  const back = [...ledger.piecesOf(only.id)].filter((piece) => piece < 32);
  expect(recall).toEqual({ kind: 'recall', connection: only.id, pieces: back });
  const rest = back.slice(1);
  run.pieceEvent(only, { kind: 'recalled', connection: only.id, pieces: rest, owes: true });
  await nextTurn();
  expect([...ledger.piecesOf(only.id)].filter((piece) => piece < 32)).toEqual([back[0]]);
  while (ledger.piecesOf(only.id).size > 0) {
    run.pieceEvent(only, { kind: 'verified', connection: only.id, pieces: [...ledger.piecesOf(only.id)] });
    await nextTurn();
  }
  expect(ledger.isComplete).toBe(true);
  expect(ledger.isWhole).toBe(false);
  take();
  prioritize(() => PRIORITIES.low);
  await nextTurn();
  const [assign] = take();
  expect(assign).toMatchObject({ kind: 'assign', connection: only.id });
});

it('what is wanted less comes back when something is wanted more', async () => {
  const { run, ledger, open, take, prioritize } = newRun('a');
  const only = open('a');
  run.refillSoon();
  await nextTurn();
  run.pieceEvent(only, { kind: 'recalled', connection: only.id, pieces: [60], owes: true });
  take();
  prioritize((piece) => (piece >= 60 ? PRIORITIES.high : PRIORITIES.normal));
  const [recall] = take();
  if (recall?.kind !== 'recall') throw new Error('nothing was asked back');
  expect(recall.pieces).toEqual([...ledger.piecesOf(only.id)].filter((piece) => piece < 60));
});
