// Owns the events that only a stream tells while it is open: how transfers move and who has which file. They have no id, are not
// kept, and whoever was not listening reads the views anew.
import { Type } from 'class-transformer';
import {
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsRFC3339,
  IsString,
  IsUUID,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { FileItem, TRANSFER_STATES, TransferPeerView, type TransferState } from './control-api.ts';

/** First and last number of each of some runs of pieces. */
function ArePieceRuns(): PropertyDecorator {
  const isRun = (value: unknown): boolean =>
    Array.isArray(value) && value.length === 2 && value.every(Number.isInteger);
  const defaultMessage = (): string => '$property must be pairs of the first and the last number of a run';
  return ValidateBy({ name: 'arePieceRuns', validator: { validate: isRun, defaultMessage } }, { each: true });
}

/** What only streams tell; `group_changed` without an id: read the files of that group anew; `sessions_changed`: the sessions. */
export const LIVE_EVENT_TYPES = [
  'transfer_progress',
  'traffic',
  'files_changed',
  'group_changed',
  'sessions_changed',
] as const;

/** One of `LIVE_EVENT_TYPES`. */
export type LiveEventType = (typeof LIVE_EVENT_TYPES)[number];

/** An event without an id. */
export class LiveEventView {
  @IsRFC3339()
  time!: string;

  @IsIn(LIVE_EVENT_TYPES)
  type!: LiveEventType;

  @IsObject()
  data!: object;
}

/**
 * The data of `transfer_progress`: how a transfer stands, and what of it is new since the last one, at most two in a second. Whoever
 * does not know the transfer, or sees fewer verified bytes than before, reads it anew.
 */
export class TransferProgressView {
  @IsUUID()
  transferId!: string;

  @IsIn(TRANSFER_STATES)
  state!: TransferState;

  @IsInt()
  verifiedBytes!: number;

  @IsInt()
  wantedBytes!: number;

  @IsInt()
  bytesPerSecond!: number;

  @IsOptional()
  @IsNumber()
  etaSeconds!: number | null;

  /** First and last number of each run of pieces that are newly verified. */
  @ArePieceRuns()
  pieces!: (readonly [first: number, last: number])[];

  /** Those of which anything changed. */
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferPeerView)
  peers!: TransferPeerView[];

  /** Peers online that have all of it, this one left out; null while that is unknown. */
  @IsOptional()
  @IsInt()
  completeCopies!: number | null;
}

/** The data of `traffic`: bytes of pieces that come and are sent, in a second, of all transfers together; once a second while any do. */
export class TrafficView {
  @IsInt()
  downloadBytesPerSecond!: number;

  @IsInt()
  uploadBytesPerSecond!: number;
}

/** A version of a file that its group has no more. */
export class RemovedFileView {
  @IsString()
  file!: string;

  @IsInt()
  version!: number;
}

/** The data of `files_changed`: rows of a watched group that are new or have changed, of all versions, and those that are gone. */
export class FilesChangedView {
  @IsString()
  group!: string;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => FileItem)
  items!: FileItem[];

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => RemovedFileView)
  removed!: RemovedFileView[];
}
