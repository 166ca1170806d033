// Owns how the control endpoint tells what would be lost to others with the copies of this peer: the query and the list, as classes
// that class-validator checks.
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { ListPage } from './control-api.ts';
import { ListQuery } from './control-requests.ts';
import { IsFileName, IsUserName } from './name-validation.ts';

/**
 * Query of /last-copies. Without a group: what logout takes away. With one: what leave_group takes away, from all peers of the user.
 * With a file, and maybe a version: what stop_share takes away.
 */
export class LastCopiesQuery extends ListQuery {
  @IsOptional()
  @IsUserName()
  group?: string;

  @IsOptional()
  @IsFileName()
  file?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  version?: number;
}

/** A version of a file that nobody else online has completely. */
export class LastCopyItem {
  @IsString()
  group!: string;

  @IsString()
  file!: string;

  @IsInt()
  version!: number;

  /** Complete copies online beside those that would go. */
  @IsInt()
  completeCopies!: number;

  /** Partial ones. */
  @IsInt()
  partialCopies!: number;
}

/** GET /last-copies: a page of them, the oldest share first. */
export class LastCopyListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => LastCopyItem)
  items!: LastCopyItem[];
}
