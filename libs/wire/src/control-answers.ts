// Owns what the peer's HTTP control endpoint answers to a command: what it came to, or the problem, as classes that
// class-validator checks. `CommandResultBody` and `ProblemView` leave out what has no meaning; the others have every field.
import { Type } from 'class-transformer';
import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  ValidateNested,
} from 'class-validator';
import type { PieceHash } from '#domain/command';
import { CORRELATION_ID } from './correlation-id.ts';
import { IsDigest } from './name-validation.ts';
import { ERRORS, type ErrorCode, type FieldError, type Problem } from './wire-error.ts';

/** What a peer needs to fetch or to seed a share. Sizes in bytes. */
export class ShareView {
  @IsInt()
  groupId!: number;

  @IsInt()
  shareId!: number;

  @IsDigest()
  contentId!: string;

  @IsInt()
  totalBytes!: number;

  @IsInt()
  pieceBytes!: number;

  @IsInt()
  pieceCount!: number;

  @IsIn(['sha1', 'sha256'])
  hash!: PieceHash;

  /** Counts from 1. */
  @IsInt()
  version!: number;
}

/** What a command came to beside its offset; a field is there only where it has a meaning. */
export class CommandResultBody {
  /** create_group. */
  @IsOptional()
  @IsInt()
  groupId?: number;

  /** login. */
  @IsOptional()
  @IsInt()
  sessionId?: number;

  /** upload_file, download_file, seed_file. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ShareView)
  share?: ShareView;

  /** upload_file, download_file, seed_file: see /transfers/{id}. */
  @IsOptional()
  @IsUUID()
  transferId?: string;
}

/** The answer to a command: 200 when it is done, 202 when work that it began goes on. */
export class CommandView {
  @IsUUID()
  commandId!: string;

  /** Of the command's record in the log; null while an upload is still being hashed. */
  @IsOptional()
  @IsInt()
  offset!: number | null;

  @ValidateNested()
  @Type(() => CommandResultBody)
  result!: CommandResultBody;
}

/** One field of a request and what is wrong with it. */
export class FieldErrorView implements FieldError {
  @IsString()
  field!: string;

  @IsString()
  message!: string;
}

/** `application/problem+json` (RFC 9457). */
export class ProblemView implements Omit<Problem, 'commandId' | 'correlationId' | 'offset'> {
  @IsIn(['about:blank'])
  type!: 'about:blank';

  @IsString()
  title!: string;

  @IsInt()
  status!: number;

  /** What happened and what to do. */
  @IsString()
  detail!: string;

  @IsIn(Object.keys(ERRORS))
  code!: ErrorCode;

  /** Whether the same request with the same Idempotency-Key may succeed later. */
  @IsBoolean()
  retryable!: boolean;

  @IsOptional()
  @IsUUID()
  commandId?: string;

  /** What the request is known by in logs. */
  @IsOptional()
  @Matches(CORRELATION_ID)
  correlationId?: string;

  /** Of the record that was refused. */
  @IsOptional()
  @IsInt()
  offset?: number;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => FieldErrorView)
  errors!: FieldErrorView[];
}

/** GET /commands/{id}. `unknown`: no tracker has applied such a command of this peer or its user. */
export class CommandStateView {
  @IsIn(['pending', 'accepted', 'rejected', 'unknown'])
  state!: 'pending' | 'accepted' | 'rejected' | 'unknown';

  @IsOptional()
  @IsInt()
  offset!: number | null;

  /** When accepted. */
  @IsOptional()
  @ValidateNested()
  @Type(() => CommandResultBody)
  result!: CommandResultBody | null;

  /** When rejected. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ProblemView)
  problem!: ProblemView | null;
}
