// Owns how disks are asked for their room. One that hangs, as a network's does whose server is gone, keeps a thread of Node's few for
// each question: of each folder there is one at a time, whoever asks, and nobody waits long for it.
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_TIMEOUT_MS = 1_000;

/** What asks the system; another one in tests. */
type Ask = (folder: string) => Promise<StatsFs>;

/** Looks at disks. */
export class DiskLooks {
  readonly #ask: Ask;
  /** What is said to all who ask while the system has not answered, by folder. */
  readonly #underWay = new Map<string, Promise<StatsFs | null>>();

  constructor(ask: Ask = (folder) => statfs(folder)) {
    this.#ask = ask;
  }

  /** The disk of a folder; null for one that is gone, as a disk is that was taken out, or does not answer in a second. */
  look(folder: string): Promise<StatsFs | null> {
    const underWay = this.#underWay.get(folder);
    if (underWay !== undefined) return underWay;
    const answer = this.#ask(folder)
      .catch(() => null)
      .finally(() => this.#underWay.delete(folder));
    const inTime = Promise.race([answer, sleep(LOOK_TIMEOUT_MS, null, { ref: false })]);
    this.#underWay.set(folder, inTime);
    return inTime;
  }
}
