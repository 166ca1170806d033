import fc from 'fast-check';
import { expect, it } from 'vitest';
import { geometryOf, type PieceIndex } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';

const PIECES = 6;
const geometry = geometryOf({ totalBytes: PIECES * 4 - 1, pieceBytes: 4 });

/** The same rules with arrays and no cleverness. */
class NaiveLedger {
  readonly verified = new Set<number>();
  readonly holders = new Map<number, number[]>();
  readonly unwanted = new Set<number>();

  stateOf(piece: number): string {
    if (this.verified.has(piece)) return 'verified';
    const nobody = this.unwanted.has(piece) ? 'skipped' : 'missing';
    return [nobody, 'assigned'][this.holders.get(piece)?.length ?? 0] ?? 'hedged';
  }

  want(piece: number, isWanted: boolean): void {
    if (isWanted) this.unwanted.delete(piece);
    else this.unwanted.add(piece);
  }

  assign(piece: number, holder: number): boolean {
    if (this.stateOf(piece) !== 'missing') return false;
    this.holders.set(piece, [holder]);
    return true;
  }

  hedge(piece: number, holder: number): boolean {
    const holders = this.holders.get(piece) ?? [];
    if (holders.length === 0 || holders.includes(holder)) return false;
    this.holders.set(piece, [...holders, holder]);
    return true;
  }

  prefer(piece: number, holder: number): void {
    const [writer, ...hedgers] = this.holders.get(piece) ?? [];
    if (writer === undefined || !hedgers.includes(holder)) return;
    this.holders.set(piece, [writer, holder, ...hedgers.filter((other) => other !== holder)]);
  }

  verify(piece: number, holder: number): number[] {
    if (this.verified.has(piece)) return [];
    const losers = (this.holders.get(piece) ?? []).filter((other) => other !== holder);
    this.verified.add(piece);
    this.holders.delete(piece);
    return losers;
  }

  release(piece: number, holder: number): string {
    const holders = this.holders.get(piece) ?? [];
    if (!holders.includes(holder)) return 'not_held';
    const left = holders.filter((other) => other !== holder);
    if (left.length > 0) this.holders.set(piece, left);
    else this.holders.delete(piece);
    return left.length > 0 ? 'taken_over' : 'missing';
  }

  releaseAll(holder: number): number[] {
    const takenOver: number[] = [];
    for (const [piece, holders] of [...this.holders]) {
      const wasWriter = holders[0] === holder;
      if (this.release(piece, holder) === 'taken_over' && wasWriter) takenOver.push(piece);
    }
    return takenOver.sort((a, b) => a - b);
  }
}

const piece = fc.nat(PIECES - 1);
const anyHolder = fc.nat(3);
const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constantFrom('assign', 'hedge', 'hedge', 'prefer', 'verify', 'release', 'want', 'skip'),
      piece,
      holder: anyHolder,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('releaseAll'), piece, holder: anyHolder }) },
);

it('agrees with a naive model under any commands', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new PieceLedger(geometry, () => false);
      const naive = new NaiveLedger();
      for (const { kind, piece: number, holder: who } of steps) {
        const index = number as PieceIndex;
        if (kind === 'releaseAll') expect(ledger.releaseAll(who).sort((a, b) => a - b)).toEqual(naive.releaseAll(who));
        else if (kind === 'assign') expect(ledger.assign(index, who)).toBe(naive.assign(number, who));
        else if (kind === 'hedge') expect(ledger.hedge(index, who)).toBe(naive.hedge(number, who));
        else if (kind === 'want' || kind === 'skip') {
          ledger.want(index, kind === 'want');
          naive.want(number, kind === 'want');
        } else if (kind === 'prefer') expect(ledger.prefer(index, who)).toBe(naive.prefer(number, who));
        else if (kind === 'verify') expect(ledger.verify(index, who)).toEqual(naive.verify(number, who));
        else expect(ledger.release(index, who)).toBe(naive.release(number, who));
        expectSame(ledger, naive);
      }
    }),
  );
});

function expectSame(ledger: PieceLedger, naive: NaiveLedger): void {
  const all = [...Array(PIECES).keys()];
  expect(all.map((number) => ledger.stateOf(number as PieceIndex))).toEqual(all.map((number) => naive.stateOf(number)));
  expect([...ledger.missingPieces()].sort((a, b) => a - b)).toEqual(
    all.filter((number) => naive.stateOf(number) === 'missing'),
  );
  expect(ledger.missingCount).toBe(ledger.missingPieces().length);
  expect(ledger.verifiedCount).toBe(naive.verified.size);
  expect(ledger.isWhole).toBe(naive.verified.size === PIECES);
  const left = all.filter((number) => !naive.verified.has(number) && !naive.unwanted.has(number));
  expect(ledger.isComplete).toBe(left.length === 0);
  expect(ledger.leftBytes).toBe(left.reduce((sum, number) => sum + (number === PIECES - 1 ? 3 : 4), 0));
  for (const who of [0, 1, 2, 3]) {
    const held = all.filter((number) => naive.holders.get(number)?.includes(who));
    expect([...ledger.piecesOf(who)].sort((a, b) => a - b)).toEqual(held);
  }
  for (const number of all) expect(ledger.holdersOf(number as PieceIndex)).toEqual(naive.holders.get(number) ?? []);
}

it('counts the bytes of verified pieces, the short last one too', () => {
  const ledger = new PieceLedger(geometry, (index) => index === 5);
  expect(ledger.verifiedBytes).toBe(3);
  ledger.assign(0 as PieceIndex, 1);
  ledger.verify(0 as PieceIndex, 1);
  expect(ledger.verifiedBytes).toBe(7);
  expect(ledger.verifiedCount).toBe(2);
});

it('what an earlier start verified is not left', () => {
  const ledger = new PieceLedger(geometry, (index) => index > 0);
  expect(ledger.leftBytes).toBe(4);
  ledger.want(0 as PieceIndex, false);
  ledger.want(1 as PieceIndex, false);
  expect([ledger.leftBytes, ledger.isComplete, ledger.isWhole]).toEqual([0, true, false]);
  ledger.want(0 as PieceIndex, true);
  ledger.want(0 as PieceIndex, true);
  expect([ledger.leftBytes, ledger.isComplete, ledger.missingCount]).toEqual([4, false, 1]);
});

it('content without pieces is complete from the start', () => {
  expect(new PieceLedger(geometryOf({ totalBytes: 0, pieceBytes: 4 }), () => false).isComplete).toBe(true);
});

it('a holder that was asked as well and has the piece is the next to write it', () => {
  const ledger = new PieceLedger(geometry, () => false);
  const first = 0 as PieceIndex;
  ledger.prefer(first, 3);
  expect(ledger.holdersOf(first)).toEqual([]);
  ledger.assign(first, 1);
  for (const other of [2, 3, 4]) ledger.hedge(first, other);
  ledger.prefer(first, 4);
  ledger.prefer(first, 1);
  ledger.prefer(first, 9);
  expect(ledger.holdersOf(first)).toEqual([1, 4, 2, 3]);
  expect(ledger.release(first, 1)).toBe('taken_over');
  expect(ledger.holdersOf(first)).toEqual([4, 2, 3]);
});

it('tells of a holder that is gone which of its pieces another one writes now', () => {
  const ledger = new PieceLedger(geometry, () => false);
  const [alone, written, hedged] = [0, 1, 2] as PieceIndex[];
  ledger.assign(alone!, 1);
  ledger.assign(written!, 1);
  ledger.hedge(written!, 2);
  ledger.assign(hedged!, 2);
  ledger.hedge(hedged!, 1);
  expect(ledger.releaseAll(1)).toEqual([written]);
  expect([alone, written, hedged].map((index) => ledger.stateOf(index!))).toEqual(['missing', 'assigned', 'assigned']);
  expect(ledger.release(written!, 2)).toBe('missing');
  expect(ledger.release(written!, 2)).toBe('not_held');
});

it('gives out what a holder fetches in the order in which it was assigned', () => {
  const ledger = new PieceLedger(geometry, () => false);
  for (const index of [4, 1, 3]) ledger.assign(index as PieceIndex, 9);
  expect([...ledger.piecesOf(9)]).toEqual([4, 1, 3]);
});
