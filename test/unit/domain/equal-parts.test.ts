import { expect, it } from 'vitest';
import { EqualParts, type PartTaker } from '#domain/equal-parts';

const PIECE_BYTES = 10;

function taker(id: number, deliveredBytes: number, more: Partial<PartTaker> = {}): PartTaker {
  return { id, deliveredBytes, bytesPerSecond: null, isPartial: false, ...more };
}

/** What each may have outstanding, `leftBytes` before the end. */
function ask(parts: EqualParts, nowMs: number, leftBytes: number, ...takers: PartTaker[]): number[] {
  const limitOf = parts.limits({ nowMs, leftBytes, pieceBytes: PIECE_BYTES, takers });
  return takers.map(({ id }) => limitOf(id));
}

it('each source may have what is left of its equal part', () => {
  const parts = new EqualParts();
  expect(ask(parts, 0, 1000, taker(1, 0), taker(2, 0))).toEqual([500, 500]);
  expect(ask(parts, 10, 600, taker(1, 300), taker(2, 100))).toEqual([200, 400]);
});

it('a source that has delivered its part waits for one that answers late', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  expect(ask(parts, 50, 500, taker(1, 500), taker(2, 0))).toEqual([0, 500]);
  expect(ask(parts, 90, 300, taker(1, 500), taker(2, 200))).toEqual([0, 300]);
});

it.each([0, 100_000])(
  'from %i ms on nobody waits longer than a quarter of a second and a twentieth of the time',
  (startMs) => {
    const parts = new EqualParts();
    const askAt = (afterMs: number, leftBytes: number, delivered: number): number[] =>
      ask(parts, startMs + afterMs, leftBytes, taker(1, delivered), taker(2, 0));
    askAt(0, 1000, 0);
    expect(askAt(1000, 500, 500)).toEqual([0, 500]);
    expect(askAt(1300, 500, 500)).toEqual([0, 500]);
    expect(askAt(1320, 500, 500)).toEqual([Infinity, Infinity]);
  },
);

it('a source is waited for whose rest comes in a quarter of a second at four times its rate, and no slower one', () => {
  const limitsFor = (bytesPerSecond: number): number[] => {
    const parts = new EqualParts();
    ask(parts, 0, 200, taker(1, 0), taker(2, 0));
    return ask(parts, 0, 100, taker(1, 100), taker(2, 0, { bytesPerSecond }));
  };
  expect(limitsFor(100)).toEqual([0, 100]);
  expect(limitsFor(99)).toEqual([Infinity, Infinity]);
});

it('nobody is ahead while a piece of its part is left', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  const slow = taker(2, 0, { bytesPerSecond: 1 });
  expect(ask(parts, 50, 510, taker(1, 490), slow)).toEqual([PIECE_BYTES, 500]);
  expect(ask(parts, 60, 509, taker(1, 491), slow)).toEqual([Infinity, Infinity]);
});

it('parts are counted anew when another source takes the place of one', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  expect(ask(parts, 100, 600, taker(1, 400), taker(3, 0))).toEqual([300, 300]);
});

it('a source that is alone waits for nobody, however long', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  ask(parts, 1000, 500, taker(1, 500), taker(2, 0));
  ask(parts, 1100, 500, taker(1, 500));
  expect(ask(parts, 3000, 5, taker(1, 995), taker(2, 0))).toEqual([2.5, 2.5]);
});

it('a source that is far too slow for that is not waited for at all, and not later either', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  const [fast, slow] = [taker(1, 500, { bytesPerSecond: 1000 }), taker(2, 100, { bytesPerSecond: 100 })];
  expect(ask(parts, 500, 400, fast, slow)).toEqual([Infinity, Infinity]);
  expect(ask(parts, 2400, 20, { ...fast, deliveredBytes: 500 }, { ...slow, deliveredBytes: 480 })).toEqual([
    Infinity,
    Infinity,
  ]);
});

it('parts are counted anew from where other sources take part', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0));
  expect(ask(parts, 100, 400, taker(1, 600), taker(2, 0))).toEqual([200, 200]);
  expect(ask(parts, 150, 200, taker(1, 700), taker(2, 100))).toEqual([100, 100]);
});

it('all waits together have one bound, however often a source goes and comes', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  ask(parts, 1000, 500, taker(1, 500), taker(2, 0));
  expect(ask(parts, 1200, 500, taker(1, 500), taker(2, 0))).toEqual([0, 500]);
  ask(parts, 1200, 500, taker(1, 500));
  expect(ask(parts, 1210, 5, taker(1, 995), taker(2, 0))).toEqual([2.5, 2.5]);
  expect(ask(parts, 1330, 5, taker(1, 995), taker(2, 0))).toEqual([Infinity, Infinity]);
});

it('one source alone, or one that lacks pieces, sets no limit', () => {
  expect(ask(new EqualParts(), 0, 1000, taker(1, 0))).toEqual([Infinity]);
  expect(ask(new EqualParts(), 0, 1000, taker(1, 0), taker(2, 0, { isPartial: true }))).toEqual([Infinity, Infinity]);
});
