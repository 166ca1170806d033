// Owns what the peer's HTTP control endpoint takes: the body of every command, every query, and their limits, as classes
// that class-validator checks. In them `IsOptional` means that a field may be left out.
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import type { CommandName, PieceHash } from '#domain/command';
import { PIECE_STRATEGIES, type PieceStrategy } from '#domain/source-choice';
import { FileVersionBody, UNCHANGED_COMMAND_BODIES } from './command-bodies.ts';
import { AreGlobs } from './control-selection.ts';
import {
  EVENT_POLL_SECONDS_MAX,
  EVENT_WATCHES_MAX,
  LIST_CURSOR_CHARACTERS_MAX,
  LIST_LIMIT_MAX,
  PATH_CHARACTERS_MAX,
  WAIT_SECONDS_MAX,
} from './limits.ts';
import { AreUserNames, IsFileName, IsUserName, IsVersion } from './name-validation.ts';

/** How long `wait` waits unless told otherwise. */
export const WAIT_SECONDS_DEFAULT = 3600;
/** Items of a list when `limit` is left out. */
export const LIST_LIMIT_DEFAULT = 100;

/** What a key may be made for, from the least to everything. */
export const API_KEY_SCOPES = ['read', 'transfer', 'admin'] as const;

/** `read` is every GET but that of content; `transfer` also moves files; `admin` is everything, as the control token is. */
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** An absolute path on the machine of the peer. */
function IsAbsolutePath(): PropertyDecorator {
  const isString = IsString();
  const length = Length(1, PATH_CHARACTERS_MAX);
  // oxlint-disable-next-line no-control-regex -- NUL is exactly what no path may hold
  const absolute = Matches(/^(?:\/|[A-Za-z]:[\\/])[^\u0000]*$/, {
    message: '$property must be an absolute path, like /home/me/file (the command line makes one of a relative path)',
  });
  return (target, property) => {
    isString(target, property);
    length(target, property);
    absolute(target, property);
  };
}

/** Waiting for the end of the work that a request began. */
export class WaitBody {
  /** Answer when it is over, not as soon as it has begun. */
  @IsOptional()
  @IsBoolean()
  wait?: boolean;

  /** With `wait`: answer 202 when it takes longer than this. 3600 by default. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(WAIT_SECONDS_MAX)
  timeoutSeconds?: number;
}

/** The same of a command about a group. */
class GroupWaitBody extends WaitBody {
  @IsUserName()
  group!: string;
}

/** upload_file: hash what is at `path`, publish it in the group, serve it. */
export class UploadFileBody extends GroupWaitBody {
  /** Absolute path of a file or folder on the peer's machine. */
  @IsAbsolutePath()
  path!: string;

  /** The name in the group; the last component of `path` by default. */
  @IsOptional()
  @IsFileName()
  name?: string;

  @IsOptional()
  @IsIn(['sha1', 'sha256'])
  hash?: PieceHash;

  /** Globs: what they match in a folder, by its path within it, is left out; a folder with everything in it. */
  @IsOptional()
  @AreGlobs(0)
  exclude?: string[];

  /** Where the group has other content of that name, publish this as its next version. */
  @IsOptional()
  @IsBoolean()
  update?: boolean;
}

/** download_file: fetch a share from those who have it. */
export class DownloadFileBody extends GroupWaitBody {
  @IsFileName()
  file!: string;

  /**
   * Absolute: an existing folder gives `<folder>/<name>`, unless it is this peer's copy of the same file, which is meant itself;
   * otherwise the file's own path, whose parent exists.
   */
  @IsAbsolutePath()
  destination!: string;

  @IsOptional()
  @IsIn(PIECE_STRATEGIES)
  strategy?: PieceStrategy;

  /** Replace what is at the destination. */
  @IsOptional()
  @IsBoolean()
  overwrite?: boolean;

  /** The newest by default. */
  @IsOptional()
  @IsVersion()
  version?: number;

  /**
   * Of a folder, fetch only what one of these globs matches, in the path below it; a folder stands for all that lies in it. What
   * matches nothing is refused, or ends the transfer when it is known only later what there is.
   */
  @IsOptional()
  @AreGlobs()
  only?: string[];
}

/** seed_file: adopt and verify a copy that is on disk already, and serve it; of the newest version when none is named. */
export class SeedFileBody extends FileVersionBody {
  /** Absolute path of the copy on the peer's machine. */
  @IsAbsolutePath()
  path!: string;
}

/** stop_share: end this peer's own seeding, or with `everywhere` take the file out of the group; all versions, or one. */
export class StopShareBody extends FileVersionBody {
  @IsOptional()
  @IsBoolean()
  everywhere?: boolean;
}

/** POST /transfers/{id}/recheck: check a copy on disk, and repair what is damaged from others. */
export class RecheckBody extends WaitBody {
  /** False only looks. True by default: what differs from what was shared is fetched again and written over it. */
  @IsOptional()
  @IsBoolean()
  repair?: boolean;
}

/** POST /api-keys. */
export class NewApiKeyBody {
  @IsUserName()
  name!: string;

  @IsIn(API_KEY_SCOPES)
  scope!: ApiKeyScope;
}

/** The body of every command that the control endpoint takes. */
export const CONTROL_COMMAND_BODIES = {
  ...UNCHANGED_COMMAND_BODIES,
  upload_file: UploadFileBody,
  download_file: DownloadFileBody,
  seed_file: SeedFileBody,
  stop_share: StopShareBody,
} as const satisfies Partial<Record<CommandName, unknown>>;

/** The names of the commands of the control endpoint. */
export type ControlCommandName = keyof typeof CONTROL_COMMAND_BODIES;
/** The body of a command of the control endpoint. */
export type ControlCommandBody<Name extends ControlCommandName> = InstanceType<(typeof CONTROL_COMMAND_BODIES)[Name]>;

/** Query of a list: the items after `after` (the `next` of the page before), at most `limit` of them. */
export class ListQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(LIST_LIMIT_MAX)
  limit?: number;

  @IsOptional()
  @IsString()
  @Length(1, LIST_CURSOR_CHARACTERS_MAX)
  after?: string;
}

/** Query of a list of files. */
export class FileListQuery extends ListQuery {
  /** All versions that there are, of each file the newest first, and not the newest alone. */
  @IsOptional()
  @IsIn(['all'])
  versions?: 'all';
}

/** Query of `/events`: what a stream watches; or of the long poll: what came after `since`, waiting up to `timeout` seconds. */
export class EventsQuery {
  /** Groups of whose files the stream tells what changes, each with a `watch` of its own. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value))
  @IsArray()
  @ArrayMaxSize(EVENT_WATCHES_MAX)
  @AreUserNames()
  watch?: string[];

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  since?: number;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(EVENT_POLL_SECONDS_MAX)
  timeout?: number;
}

/** Query of DELETE /transfers/{id}. The file of an upload is never deleted. */
export class DeleteTransferQuery {
  @IsOptional()
  @IsIn(['keep', 'delete'])
  data?: 'keep' | 'delete';
}
