// Owns the buckets that the lanes of all workers draw from. A bucket stays the same as long as its rate does, so that setting
// one limit forgives no other its debt.
import type { DirectionLimits, LaneLimits, SharedBucket } from '../data-plane/lane-messages.ts';
import type { EngineLimits, RateLimits } from './transfer-engine.ts';

export class SharedLimits {
  #buckets = new Map<string, SharedBucket>();
  #download: DirectionLimits = { overall: null, groups: [] };
  #lastId = 0;

  /** What the lanes are told so that these limits hold. */
  of(limits: EngineLimits): LaneLimits {
    const before = this.#buckets;
    this.#buckets = new Map();
    this.#download = this.#direction('downloadBytesPerSecond', limits, before);
    return { upload: this.#direction('uploadBytesPerSecond', limits, before), download: this.#download };
  }

  /** Whether a limit holds for what is fetched of a group. */
  isDownloadLimited(groupId: number): boolean {
    return this.#download.overall !== null || this.#download.groups.some((group) => group.groupId === groupId);
  }

  #direction(rate: keyof RateLimits, limits: EngineLimits, before: ReadonlyMap<string, SharedBucket>): DirectionLimits {
    const bucketOf = (name: string, bytesPerSecond: number): SharedBucket => {
      const key = `${rate} ${name} ${bytesPerSecond}`;
      const bucket = before.get(key) ?? newBucket(++this.#lastId, bytesPerSecond);
      this.#buckets.set(key, bucket);
      return bucket;
    };
    return {
      overall: limits[rate] === null ? null : bucketOf('overall', limits[rate]),
      groups: limits.groups.flatMap(({ groupId, [rate]: bytesPerSecond }) =>
        bytesPerSecond === null ? [] : [{ groupId, bucket: bucketOf(`group ${groupId}`, bytesPerSecond) }],
      ),
    };
  }
}

/** A bucket with nothing saved up. */
function newBucket(id: number, bytesPerSecond: number): SharedBucket {
  const freeAtMicros = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  freeAtMicros[0] = process.hrtime.bigint() / 1000n;
  return { id, bytesPerSecond, freeAtMicros };
}
