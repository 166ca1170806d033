// Owns the limits of a peer as the control endpoint takes and shows them: by the same rules, in which null is no limit. What is
// left out of a request is null as well, and a view always has every field.
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

/** Each group once; in a request the whole list may be left out. */
function AreGroupLimits(type: () => new () => GroupLimitsBody): PropertyDecorator {
  // Of what is wrong the rule that was added last is told first.
  const rules = [
    Type(type),
    ValidateNested({ each: true }),
    ValidateIf((body: Partial<LimitsBody>) => body.groups !== undefined),
    IsArray(),
    ArrayMaxSize(LIMITED_GROUPS_MAX),
    ArrayUnique((item: GroupLimitsBody | null) => item?.group, { message: '$property must name each group once' }),
  ];
  return (target, property) => {
    for (const rule of rules) rule(target, property as string);
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

/** The same in a request. */
export class NewGroupLimitsBody extends GroupLimitsBody {}

/** The limits of everything together. */
class OverallLimitsBody extends RateLimitsBody {
  /** Downloads that fetch and uploads that are hashed at a time; the others are `queued`. */
  @IsLimit(1, ACTIVE_TRANSFERS_MAX, 'transfers')
  activeTransfers!: number | null;
}

/** GET /limits: what holds. */
export class LimitsBody extends OverallLimitsBody {
  @AreGroupLimits(() => GroupLimitsBody)
  groups!: GroupLimitsBody[];
}

/** PUT /limits: what is to hold in place of everything that held before. */
export class NewLimitsBody extends OverallLimitsBody {
  @AreGroupLimits(() => NewGroupLimitsBody)
  groups!: NewGroupLimitsBody[];
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
