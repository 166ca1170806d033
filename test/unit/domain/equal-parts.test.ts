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

it('nobody waits longer than a quarter of a second and a twentieth of the time so far', () => {
  const parts = new EqualParts();
  ask(parts, 0, 1000, taker(1, 0), taker(2, 0));
  expect(ask(parts, 1000, 500, taker(1, 500), taker(2, 0))).toEqual([0, 500]);
  expect(ask(parts, 1300, 500, taker(1, 500), taker(2, 0))).toEqual([0, 500]);
  expect(ask(parts, 1320, 500, taker(1, 500), taker(2, 0))).toEqual([Infinity, Infinity]);
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
