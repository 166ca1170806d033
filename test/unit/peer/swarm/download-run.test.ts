import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { geometryOf } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';
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
  const said: LaneCommand[] = [];
  const run = new DownloadRun({
    ledger,
    sources,
    strategy: 'random',
    random: () => 0,
    now: () => 0,
    say: (_lane, command) => said.push(command),
    onVerified: () => undefined,
    onCorrupt: () => undefined,
  });
  let lastConnection = 0;
  const open = (peerId: string): Connection => {
    const entry = sources.entries().find(({ source }) => source.peerId === peerId);
    if (entry === undefined) throw new Error(`${peerId} is no source`);
    const connection = sources.dialled(entry, { id: ++lastConnection, lane: lastConnection % 2 }, 0);
    sources.opened(connection, address, { lane: 0, bitfield: new Uint8Array(PIECES / 8).fill(0xff) });
    return connection;
  };
  const take = (): LaneCommand[] => said.splice(0);
  return { run, ledger, open, take };
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
  expect(take()).toContainEqual({ kind: 'recall', connection: leaving.id, pieces: [requested, ...reserve] });

  run.pieceEvent(leaving, { kind: 'cancelled', connection: leaving.id, pieces: reserve });
  await nextTurn();
  expect(take().filter((command) => 'connection' in command && command.connection === leaving.id)).toEqual([]);

  run.pieceEvent(leaving, { kind: 'verified', connection: leaving.id, piece: requested });
  await nextTurn();
  expect(take()).toContainEqual({ kind: 'hangUp', connection: leaving.id });
  expect(ledger.piecesOf(leaving.id).size).toBe(0);
  expect(ledger.piecesOf(staying.id).size).toBeGreaterThan(0);
});
