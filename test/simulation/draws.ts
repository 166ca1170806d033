// Owns what is drawn by chance in a simulation: everything from one stream, so that a seed gives the same run everywhere.
import { seeded } from '../seeded-random.ts';

/** Draws from one seed. */
export class Draws {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;

  constructor(seed: number) {
    this.uniform = seeded(seed);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** An integer in [min, max]. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.uniform() * (max - min + 1));
  }

  /** A span of time in [min, max), in fractions of a millisecond. */
  between(min: number, max: number): number {
    return min + this.uniform() * (max - min);
  }

  /** A span with this mean, mostly short and seldom long. */
  exponential(mean: number): number {
    return -Math.log(1 - this.uniform()) * mean;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.uniform() * items.length)]!;
  }

  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let rest = this.uniform() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      rest -= weights[name];
      if (rest < 0) return name;
    }
    return names.at(-1)!;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count);
    for (let place = 0; place < count; place++) bytes[place] = Math.floor(this.uniform() * 256);
    return bytes;
  }

  uuid(): string {
    const hex = this.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
