// Owns the limits of this peer: keeps them over restarts and sees that they hold, the rates in the engine and the number of
// active transfers in their places. A person names groups, the engine knows them by id: the transfers know both.
import { type LimitsBody, NO_LIMITS, wholeLimits } from '#wire/control-limits';
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import type { TransferPlaces } from './transfer-places.ts';
import type { TransferRecord } from './transfer-record.ts';
import type { TransferStore } from './transfer-store.ts';

export interface LimitedParts {
  readonly engine: TransferEngine;
  readonly store: TransferStore;
  readonly places: TransferPlaces;
  readonly records: () => readonly TransferRecord[];
}

export class TransferLimits {
  readonly #parts: LimitedParts;
  #limits: LimitsBody = NO_LIMITS;
  #groupIds = '';

  constructor(parts: LimitedParts) {
    this.#parts = parts;
  }

  get now(): LimitsBody {
    return this.#limits;
  }

  /** Lets hold what held when the peer stopped, but for what it was started with. */
  async open(startedWith: Partial<LimitsBody>): Promise<void> {
    this.#hold(wholeLimits({ ...(await this.#parts.store.loadLimits()), ...startedWith }));
  }

  /** Resolves when they hold, and hold after a restart. */
  async set(limits: LimitsBody): Promise<void> {
    this.#hold(wholeLimits(limits));
    await this.#parts.store.saveLimits(this.#limits);
  }

  /** A transfer may have come with a group whose id was not known. */
  followGroups(): void {
    if (this.#limits.groups.length > 0 && this.#groupIds !== this.#groupIdsNow()) this.#limitRates();
  }

  #hold(limits: LimitsBody): void {
    this.#limits = limits;
    this.#limitRates();
    this.#parts.places.limit(limits.activeTransfers);
  }

  #limitRates(): void {
    const { uploadBytesPerSecond, downloadBytesPerSecond, groups } = this.#limits;
    this.#groupIds = this.#groupIdsNow();
    this.#parts.engine.limit({
      uploadBytesPerSecond,
      downloadBytesPerSecond,
      groups: groups.flatMap(({ group, ...rates }) =>
        this.#idsOf(group).map((groupId) => ({
          groupId,
          uploadBytesPerSecond: rates.uploadBytesPerSecond,
          downloadBytesPerSecond: rates.downloadBytesPerSecond,
        })),
      ),
    });
  }

  /** More than one when a group was dissolved and made anew. */
  #idsOf(group: string): number[] {
    const ofGroup = this.#parts.records().filter((record) => record.group === group);
    return [...new Set(ofGroup.flatMap(({ share }) => share?.groupId ?? []))].sort((left, right) => left - right);
  }

  #groupIdsNow(): string {
    return JSON.stringify(this.#limits.groups.map(({ group }) => this.#idsOf(group)));
  }
}
