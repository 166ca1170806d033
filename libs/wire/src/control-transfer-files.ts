// Owns what the control endpoint shows of the files of one transfer. A view always has every field, and `IsOptional` means that it
// may be null.
import { Type } from 'class-transformer';
import { IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';

/** A file of a share, and how much of it is there. */
export class TransferFileItem {
  /** Within the folder, its components joined with `/`; empty for a share that is one file. */
  @IsString()
  path!: string;

  @IsInt()
  totalBytes!: number;

  /** Bytes of it in pieces that are verified. */
  @IsInt()
  verifiedBytes!: number;

  /** Whether its owner may run it. */
  @IsBoolean()
  executable!: boolean;

  /** How much it is wanted, by `only` and `priorities` of the transfer; `skip` is not fetched. */
  @IsIn(Object.keys(PRIORITIES))
  priority!: PriorityName;
}

/** GET /transfers/{id}/files: a page of them, sorted by path; none before the list of files is known. */
export class TransferFileListView {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferFileItem)
  items!: TransferFileItem[];

  /** The `after` of the next page, null on the last one. */
  @IsOptional()
  @IsString()
  next!: string | null;

  /** It does not come from the log. */
  @IsOptional()
  @IsInt()
  asOfOffset!: number | null;
}
