// Owns the bodies of the commands as peers send them to trackers, and those that the control endpoint takes unchanged.
// Unknown fields are refused wherever these are validated (`whitelist` and `forbidNonWhitelisted`).
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Max, Min, ValidateBy } from 'class-validator';
import { type CommandName, COPIES_MAX, type PieceHash, type UploadFileData } from '#domain/command';
import { geometryOf, geometryProblem } from '#domain/piece-geometry';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from './limits.ts';
import { IsDigest, IsFileName, IsUserName, IsVersion } from './name-validation.ts';

/** logout, renew_session. */
export class EmptyBody {}

/** create_user. */
export class NewUserBody {
  @IsUserName()
  user!: string;

  @IsString()
  @Length(PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX)
  password!: string;
}

/** login: any password may be tried, a short one is simply wrong. */
export class CredentialsBody {
  @IsUserName()
  user!: string;

  @IsString()
  @Length(1, PASSWORD_CHARACTERS_MAX)
  password!: string;
}

/** change_password. */
export class ChangePasswordBody {
  @IsString()
  @Length(1, PASSWORD_CHARACTERS_MAX)
  password!: string;

  @IsString()
  @Length(PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX)
  newPassword!: string;
}

/** create_group, join_group, leave_group. */
export class GroupBody {
  @IsUserName()
  group!: string;
}

/** accept_request, reject_request, remove_member, transfer_ownership. */
export class GroupUserBody extends GroupBody {
  @IsUserName()
  user!: string;
}

/** set_copies. */
export class CopiesBody extends GroupBody {
  @IsInt()
  @Min(0)
  @Max(COPIES_MAX)
  copies!: number;
}

/** A file of a group. */
export class GroupFileBody extends GroupBody {
  @IsFileName()
  file!: string;
}

/** download_file, as a tracker takes it: a version of a file, the newest when none is named. */
export class FileVersionBody extends GroupFileBody {
  @IsOptional()
  @IsVersion()
  version?: number;
}

/** upload_file, as a tracker takes it: the content is hashed already. Sizes in bytes. */
export class PublishedFileBody extends GroupFileBody implements UploadFileData {
  @IsDigest()
  contentId!: string;

  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  totalBytes!: number;

  @IsInt()
  @Max(2 ** 40)
  @FitsGeometry(pieceBytesProblem)
  pieceBytes!: number;

  @IsInt()
  @FitsGeometry(pieceCountProblem)
  pieceCount!: number;

  @IsIn(['sha1', 'sha256'])
  hash!: PieceHash;

  /** The version that this is to be the next one of. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  replaces?: number;
}

/** seed_file, as a tracker takes it: the copy is verified already. Without a version it is the newest of that content. */
export class SeededFileBody extends FileVersionBody {
  @IsDigest()
  contentId!: string;
}

/** stop_share, as a tracker takes it: without a version it is all of them. */
export class StoppedShareBody extends FileVersionBody {
  @IsBoolean()
  everywhere!: boolean;
}

/** end_session. */
export class EndSessionBody {
  @IsDigest()
  peerId!: string;
}

/** The bodies that control endpoint and trackers take alike; a command that moves files has one of its own for each. */
export const UNCHANGED_COMMAND_BODIES = {
  create_user: NewUserBody,
  login: CredentialsBody,
  logout: EmptyBody,
  end_session: EndSessionBody,
  change_password: ChangePasswordBody,
  create_group: GroupBody,
  join_group: GroupBody,
  leave_group: GroupBody,
  accept_request: GroupUserBody,
  reject_request: GroupUserBody,
  remove_member: GroupUserBody,
  transfer_ownership: GroupUserBody,
  set_copies: CopiesBody,
} as const satisfies Partial<Record<CommandName, unknown>>;

type Sizes = Pick<UploadFileData, 'totalBytes' | 'pieceBytes' | 'pieceCount'>;

/** Checks a size together with the others: who adopts a copy splits it as the share says, before there is a manifest. */
function FitsGeometry(problem: (sizes: Sizes) => string | null): PropertyDecorator {
  return ValidateBy({
    name: 'fitsGeometry',
    validator: {
      validate: (_value, about) => problem(about!.object as Sizes) === null,
      defaultMessage: (about) => `$property ${problem(about!.object as Sizes)}`,
    },
  });
}

function pieceBytesProblem(sizes: Sizes): string | null {
  const problem = geometryProblem(sizes);
  return problem?.field === 'pieceBytes' ? problem.message : null;
}

function pieceCountProblem(sizes: Sizes): string | null {
  if (geometryProblem(sizes) !== null) return null;
  const { pieceCount } = geometryOf(sizes);
  return sizes.pieceCount === pieceCount ? null : `must be ${pieceCount} for these lengths`;
}
