// Owns how a request says which files of a share are wanted, and how a transfer shows it.
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Length,
  ValidateNested,
} from 'class-validator';
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';
import { GLOB_CHARACTERS_MAX, GLOBS_MAX } from './limits.ts';

/** A glob on the paths below a share. */
function IsGlob(options: { readonly each?: boolean } = {}): PropertyDecorator {
  const [isString, length] = [IsString(options), Length(1, GLOB_CHARACTERS_MAX, options)];
  return (target, property) => {
    isString(target, property);
    length(target, property);
  };
}

/** So many of them at least: one, or none where what they pick is left out. */
export function AreGlobs(countMin: 0 | 1 = 1): PropertyDecorator {
  const atLeast = countMin === 0 ? [] : [ArrayMinSize(countMin)];
  const checks = [IsArray(), ...atLeast, ArrayMaxSize(GLOBS_MAX), IsGlob({ each: true })];
  return (target, property) => {
    for (const check of checks) check(target, property);
  };
}

/** How much the files that a glob matches are wanted. */
export class PathPriorityBody {
  /** Matched against the path below the share, its components joined with `/`; a folder stands for all that lies in it. */
  @IsGlob()
  path!: string;

  /** `skip` is not fetched at all. */
  @IsIn(Object.keys(PRIORITIES))
  priority!: PriorityName;
}

/** PATCH /transfers/{id}: what is wanted of a share from now on. */
export class SelectionBody {
  /** Only what one of these globs matches is fetched; priorities that were set before are forgotten. `**` is everything. */
  @IsOptional()
  @AreGlobs()
  only?: string[];

  /** Added to those that were set before; where several match a file, the last one counts. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(GLOBS_MAX)
  @ValidateNested({ each: true })
  @Type(() => PathPriorityBody)
  priorities?: PathPriorityBody[];
}
