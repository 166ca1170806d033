// Owns how the control endpoint shows what a peer does by itself for the copies that it has.
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsRFC3339, IsString, IsUUID, ValidateNested } from 'class-validator';

/** The copy that is being read. */
export class ScrubbedCopyView {
  @IsUUID()
  transferId!: string;

  @IsString()
  group!: string;

  @IsString()
  file!: string;

  /** How many pieces were read of it in this round. */
  @IsInt()
  checkedPieces!: number;

  @IsInt()
  pieceCount!: number;
}

/** How far this peer is with reading what it seeds in search of damage, over and over. */
export class ScrubView {
  /** What may be read in a second; null when nothing is. */
  @IsOptional()
  @IsInt()
  bytesPerSecond!: number | null;

  /** Since the peer was started. */
  @IsInt()
  readBytes!: number;

  /** Pieces that were not what was shared, since the peer was started. */
  @IsInt()
  damagedPieces!: number;

  /** Null between two copies. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ScrubbedCopyView)
  copy!: ScrubbedCopyView | null;

  /** When everything had been read last; null before the first time. */
  @IsOptional()
  @IsRFC3339()
  roundEndedAt!: string | null;
}

/** A copy in the folder of kept ones. */
export class KeptCopyView {
  @IsUUID()
  transferId!: string;

  @IsString()
  group!: string;

  @IsString()
  file!: string;

  @IsInt()
  totalBytes!: number;

  /** As that of its transfer. */
  @IsString()
  state!: string;
}

/** What this peer keeps for its groups, because it was started with --keep-copies. */
export class KeepingView {
  @IsString()
  folder!: string;

  @IsInt()
  limitBytes!: number;

  /** Of all copies in the folder, when they are complete. */
  @IsInt()
  keptBytes!: number;

  @IsInt()
  copyCount!: number;

  /** Files with too few copies that this peer has no room for. */
  @IsInt()
  withoutRoom!: number;

  /** The first hundred. */
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => KeptCopyView)
  copies!: KeptCopyView[];
}
