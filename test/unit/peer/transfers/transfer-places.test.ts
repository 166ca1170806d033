import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type PlaceTaker, TransferPlaces } from '../../../../apps/peer/src/transfers/transfer-places.ts';

class Taker implements PlaceTaker {
  readonly record: { readonly startedAtMs: number };
  state: 'out' | 'waiting' | 'active' = 'out';
  readonly #canStepBack: boolean;

  constructor(startedAtMs: number, canStepBack = true) {
    this.record = { startedAtMs };
    this.#canStepBack = canStepBack;
  }

  enter(): void {
    if (this.state !== 'waiting') throw new Error(`entered while it was ${this.state}`);
    this.state = 'active';
  }

  stepBack(): boolean {
    if (this.#canStepBack) this.state = 'waiting';
    return this.#canStepBack;
  }

  ask(places: TransferPlaces): void {
    this.state = places.take(this) ? 'active' : 'waiting';
  }

  go(places: TransferPlaces): void {
    this.state = 'out';
    places.leave(this);
  }
}

function takers(count: number): Taker[] {
  return Array.from({ length: count }, (_, number) => new Taker(number));
}

const statesOf = (list: readonly Taker[]): string[] => list.map(({ state }) => state);

it('without a limit everybody has a place', () => {
  const list = takers(100);
  const places = new TransferPlaces();
  for (const taker of list) taker.ask(places);
  expect(new Set(statesOf(list))).toEqual(new Set(['active']));
});

it('places go to the oldest of those that wait, however late it asked', () => {
  const [first, second, third] = takers(3) as [Taker, Taker, Taker];
  const places = new TransferPlaces();
  places.limit(1);
  second.ask(places);
  third.ask(places);
  first.ask(places);
  expect(statesOf([first, second, third])).toEqual(['waiting', 'active', 'waiting']);
  second.go(places);
  expect(statesOf([first, third])).toEqual(['active', 'waiting']);
  expect([places.isWaiting(first), places.isWaiting(third)]).toEqual([false, true]);
});

it('a lower limit lets the youngest step back, and none that would lose what it did', () => {
  const [first, hashing, third, fourth] = [new Taker(1), new Taker(2, false), new Taker(3), new Taker(4)];
  const places = new TransferPlaces();
  for (const taker of [first, hashing, third, fourth]) taker.ask(places);
  places.limit(2);
  expect(statesOf([first, hashing, third, fourth])).toEqual(['active', 'active', 'waiting', 'waiting']);
  places.limit(1);
  expect(statesOf([first, hashing, third, fourth])).toEqual(['waiting', 'active', 'waiting', 'waiting']);
  places.limit(3);
  expect(statesOf([first, hashing, third, fourth])).toEqual(['active', 'active', 'active', 'waiting']);
  places.limit(null);
  expect(fourth.state).toBe('active');
});

it('whatever happens, nobody waits while there is room, and the active ones are never too many', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), who: fc.nat({ max: 7 }) }),
    fc.record({ kind: fc.constant('go' as const), who: fc.nat({ max: 7 }) }),
    fc.record({ kind: fc.constant('limit' as const), who: fc.integer({ min: 1, max: 5 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = takers(8);
      const places = new TransferPlaces();
      let max = Infinity;
      for (const { kind, who } of steps) {
        if (kind === 'limit') places.limit((max = who));
        else if (kind === 'go') list[who]!.go(places);
        else if (list[who]!.state === 'out') list[who]!.ask(places);
        const count = (state: Taker['state']): number => list.filter((taker) => taker.state === state).length;
        expect(count('active')).toBeLessThanOrEqual(max);
        if (count('active') < max) expect(count('waiting')).toBe(0);
      }
    }),
  );
});
