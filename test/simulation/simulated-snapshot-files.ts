// Owns the folder of a simulated tracker's snapshots, which is there after a kill, but not always as it was told: a write that was
// under way leaves a part of a file, and one that was done is lost, cut off or has a wrong bit.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SnapshotFiles } from '../../apps/tracker/src/snapshots/snapshot-files.ts';
import type { Draws } from './draws.ts';

const WRITE_MS_MAX = 3;
const READ_BYTES = 65_536;
const DAMAGE_CHANCE = 0.3;

export class SimulatedSnapshotFiles implements SnapshotFiles {
  readonly #files = new Map<string, Buffer>();
  /** Written since the last crash. */
  readonly #fresh = new Set<string>();
  #underWay: { readonly name: string; readonly bytes: Buffer } | null = null;
  /** Files that a crash has left otherwise than they were told to be. */
  damageCount = 0;
  /** How often a tracker has begun at a snapshot. */
  restoreCount = 0;

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.#files.keys()]);
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw new Error(`no file ${name}`);
    for (let place = 0; place < bytes.length; place += READ_BYTES) {
      await sleep(Math.random());
      yield bytes.subarray(place, place + READ_BYTES);
    }
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    let bytes = Buffer.alloc(0);
    for await (const piece of pieces) {
      bytes = Buffer.concat([bytes, piece]);
      this.#underWay = { name, bytes };
      await sleep(Math.random() * WRITE_MS_MAX);
    }
    this.#underWay = null;
    this.#files.set(name, bytes);
    this.#fresh.add(name);
  }

  rename(from: string, to: string): Promise<void> {
    const bytes = this.#files.get(from);
    if (bytes === undefined) return Promise.reject(new Error(`no file ${from}`));
    this.#files.delete(from);
    this.#files.set(to, bytes);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.#files.delete(name);
    return Promise.resolve();
  }

  /** The machine goes down: what was not yet safe comes to harm now and then. */
  crash(draws: Draws): void {
    if (this.#underWay !== null) {
      const { name, bytes } = this.#underWay;
      this.#files.set(name, bytes);
      this.damageCount += 1;
    }
    for (const name of this.#fresh) if (draws.chance(DAMAGE_CHANCE)) this.#damage(name, draws);
    this.#underWay = null;
    this.#fresh.clear();
  }

  #damage(name: string, draws: Draws): void {
    const bytes = this.#files.get(name);
    if (bytes === undefined) return;
    this.damageCount += 1;
    const place = draws.integer(0, bytes.length - 1);
    const harm = draws.pick(['lost', 'cut', 'flipped']);
    if (harm === 'lost') this.#files.delete(name);
    else if (harm === 'cut') this.#files.set(name, bytes.subarray(0, place));
    else bytes[place]! ^= 1 << draws.integer(0, 7);
  }
}
