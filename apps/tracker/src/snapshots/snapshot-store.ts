// Owns which snapshots a tracker has: the last two, newest first in use; one that is of no use is set aside under another name,
// for a person to look at, and takes the place of the one that was set aside before it. Losing any of them costs time only.
import type { DerivedState } from '../replica/derived-state.ts';
import type { KeptSnapshot, Restart, StartingPoints } from '../replica/replica.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { type Reading, readSnapshot, snapshotBytes } from './snapshot-format.ts';

/** How many are kept. */
const KEPT_COUNT = 2;
const OFFSET_DIGITS = 16;
const NAME = /^snapshot-(\d{16})$/;
const SET_ASIDE = /^set-aside-\d{16}$/;

/** The snapshots of one tracker. One writes at a time. */
export class SnapshotStore implements StartingPoints {
  readonly #files: SnapshotFiles;
  readonly #warn: (message: string) => void;
  #kept: readonly KeptSnapshot[] = [];
  #discardCount = 0;
  #discardingCount = 0;

  constructor(files: SnapshotFiles, warn: (message: string) => void) {
    this.#files = files;
    this.#warn = warn;
  }

  /** Those that this process has read or knows to be written, newest first. */
  get kept(): readonly KeptSnapshot[] {
    return this.#kept;
  }

  /** How often all of them were put out of use. */
  get discardCount(): number {
    return this.#discardCount;
  }

  /** Whether they are just being put out of use: until that is done, whoever looks may still find one. */
  get isDiscarding(): boolean {
    return this.#discardingCount > 0;
  }

  /** The newest that is sound and in which `problemOf` finds none; those before it are set aside. Null when there is none. */
  async load({ problemOf, ...reading }: Restart): Promise<DerivedState | null> {
    for (const name of await this.#names()) {
      const read = await this.#read(name, reading);
      const problem = typeof read === 'string' ? read : await problemOf(read.derived);
      if (typeof read !== 'string' && problem === null) {
        this.note({ offset: read.derived.state.appliedOffset, hash: read.hash });
        return read.derived;
      }
      if (problem !== null) await this.#setAside(name, problem);
    }
    return null;
  }

  /** Writes the snapshot of a derived state, which must not change meanwhile. Rejects when it cannot be written. */
  async save(derived: DerivedState, turn: Restart['turn']): Promise<KeptSnapshot> {
    let hash = '';
    const pieces = async function* (): AsyncIterable<Uint8Array> {
      for (const piece of snapshotBytes(derived, (ended) => (hash = ended))) {
        yield piece;
        await turn();
      }
    };
    const offset = derived.state.appliedOffset;
    await this.#files.write(nameOf(offset), pieces());
    for (const name of (await this.#names()).slice(KEPT_COUNT)) await this.#files.remove(name);
    return { offset, hash };
  }

  /** Takes note of one that was written, by whatever thread. */
  note(snapshot: KeptSnapshot): void {
    const others = this.#kept.filter(({ offset }) => offset !== snapshot.offset);
    this.#kept = [snapshot, ...others].toSorted((left, right) => right.offset - left.offset).slice(0, KEPT_COUNT);
  }

  /** Sets all of them aside, for the reason given. */
  async discard(reason: string): Promise<void> {
    this.#kept = [];
    this.#discardCount += 1;
    this.#discardingCount += 1;
    for (const name of (await this.#names()).toReversed()) await this.#setAside(name, reason);
    this.#discardingCount -= 1;
  }

  /** Newest first. A folder that cannot be read has none: it is a cache, and nobody ends for the want of one. */
  async #names(): Promise<string[]> {
    try {
      const names = (await this.#files.names()).filter((name) => NAME.test(name));
      return names.sort().toReversed();
    } catch (error) {
      this.#warn(`the folder of snapshots cannot be read: ${(error as Error).message}`);
      return [];
    }
  }

  async #read(name: string, reading: Reading): ReturnType<typeof readSnapshot> {
    try {
      return await readSnapshot(this.#files.read(name), reading);
    } catch (error) {
      return `it cannot be read: ${(error as Error).message}`;
    }
  }

  async #setAside(name: string, reason: string): Promise<void> {
    const aside = name.replace('snapshot', 'set-aside');
    this.#warn(`${name} is not used and set aside as ${aside}: ${reason}`);
    try {
      for (const old of await this.#files.names()) if (SET_ASIDE.test(old)) await this.#files.remove(old);
      await this.#files.rename(name, aside);
    } catch (error) {
      this.#warn(`${name} cannot be set aside: ${(error as Error).message}`);
    }
  }
}

function nameOf(offset: number): string {
  return `snapshot-${String(offset).padStart(OFFSET_DIGITS, '0')}`;
}
