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
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';
import { GLOB_CHARACTERS_MAX, GLOBS_MAX } from './limits.ts';

const GLOB = `must be a glob of 1 to ${GLOB_CHARACTERS_MAX} characters, like *.tmp or build/**`;

/** A glob on the paths below a share. */
function IsGlob(options: ValidationOptions = { message: `$property ${GLOB}` }): PropertyDecorator {
  const [isString, length] = [IsString(options), Length(1, GLOB_CHARACTERS_MAX, options)];
  return (target, property) => {
    isString(target, property);
    length(target, property);
  };
}

/** So many of them at least: one, or none where what they pick is left out. */
export function AreGlobs(countMin: 0 | 1 = 1): PropertyDecorator {
  const message = ({ value }: ValidationArguments): string => `$property${globsProblem(value, countMin)}`;
  const atLeast = countMin === 0 ? [] : [ArrayMinSize(countMin, { message })];
  const most = ArrayMaxSize(GLOBS_MAX, { message });
  const checks = [IsArray({ message }), ...atLeast, most, IsGlob({ each: true, message })];
  return (target, property) => {
    for (const check of checks) check(target, property);
  };
}

/** Which of them is wrong, or what is wrong with all of them. */
function globsProblem(value: unknown, countMin: number): string {
  if (!Array.isArray(value)) return ' must be a list of globs';
  if (value.length < countMin || value.length > GLOBS_MAX) return ` must hold ${countMin} to ${GLOBS_MAX} globs`;
  const isGlob = (glob: unknown): boolean =>
    typeof glob === 'string' && glob.length >= 1 && glob.length <= GLOB_CHARACTERS_MAX;
  return `[${value.findIndex((glob) => !isGlob(glob))}] ${GLOB}`;
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
