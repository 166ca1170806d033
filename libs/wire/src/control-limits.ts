// Owns the limits of a peer as the control endpoint takes and shows them: one class for both, in which null is no limit. What
// is left out of a request is null as well.
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsOptional,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { ACTIVE_TRANSFERS_MAX, LIMITED_GROUPS_MAX, RATE_MAX, RATE_MIN } from './limits.ts';
import { IsUserName } from './name-validation.ts';

/** A rate in bytes per second, or null. */
function IsRate(): PropertyDecorator {
  return IsLimit(RATE_MIN, RATE_MAX, 'bytes a second');
}

/** A whole number of something, or null. */
function IsLimit(least: number, most: number, unit: string): PropertyDecorator {
  const message = `$property must be a whole number from ${least} to ${most} ${unit}, or null for no limit`;
  const rules = [IsOptional(), IsInt({ message }), Min(least, { message }), Max(most, { message })];
  return (target, property) => {
    for (const rule of rules) rule(target, property);
  };
}

/** Bytes of pieces that are sent and that come, a second. */
export class RateLimitsBody {
  @IsRate()
  uploadBytesPerSecond!: number | null;

  @IsRate()
  downloadBytesPerSecond!: number | null;
}

/** What a group is limited to, beside the limit of everything together. */
export class GroupLimitsBody extends RateLimitsBody {
  @IsUserName()
  group!: string;
}

/** GET and PUT /limits: what holds, or is to hold in place of everything that held before. */
export class LimitsBody extends RateLimitsBody {
  /** Downloads that fetch and uploads that are hashed at a time; the others are `queued`. */
  @IsLimit(1, ACTIVE_TRANSFERS_MAX, 'transfers')
  activeTransfers!: number | null;

  @ArrayUnique((item: GroupLimitsBody | null) => item?.group, { message: '$property must name each group once' })
  @ArrayMaxSize(LIMITED_GROUPS_MAX)
  @IsArray()
  @ValidateIf((body: Partial<LimitsBody>) => body.groups !== undefined)
  @ValidateNested({ each: true })
  @Type(() => GroupLimitsBody)
  groups!: GroupLimitsBody[];
}

/** The limits of a peer that was told nothing. */
export const NO_LIMITS: Readonly<LimitsBody> = {
  uploadBytesPerSecond: null,
  downloadBytesPerSecond: null,
  activeTransfers: null,
  groups: [],
};

/** Limits with every field, and without groups that have none. */
export function wholeLimits(limits: Partial<LimitsBody>): LimitsBody {
  return {
    ...wholeRates(limits),
    activeTransfers: limits.activeTransfers ?? null,
    groups: (limits.groups ?? []).flatMap(({ group, ...rates }) => {
      const { uploadBytesPerSecond, downloadBytesPerSecond } = wholeRates(rates);
      const isNone = uploadBytesPerSecond === null && downloadBytesPerSecond === null;
      return isNone ? [] : [{ group, uploadBytesPerSecond, downloadBytesPerSecond }];
    }),
  };
}

function wholeRates({ uploadBytesPerSecond, downloadBytesPerSecond }: Partial<RateLimitsBody>): RateLimitsBody {
  return {
    uploadBytesPerSecond: uploadBytesPerSecond ?? null,
    downloadBytesPerSecond: downloadBytesPerSecond ?? null,
  };
}
