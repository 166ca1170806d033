// Owns the peer's HTTP control endpoint: the body of every command, every query, and every view, as classes that
// class-validator checks. The OpenAPI file beside this one is generated from them. In a body `IsOptional` means that a field
// may be left out; a view always has every field, and `IsOptional` there means that it may be null (`CommandResultBody` and
// `ProblemView` leave out what has no meaning).
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsRFC3339,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import type { CommandName, PieceHash } from '#domain/command';
import {
  ChangePasswordBody,
  CredentialsBody,
  EmptyBody,
  EndSessionBody,
  GroupBody,
  GroupFileBody,
  GroupUserBody,
  NewUserBody,
} from './command-bodies.ts';
import { IsDigest, IsFileName, IsUserName } from './name-validation.ts';
import { ERRORS, type ErrorCode, type FieldError, type Problem } from './wire-error.ts';

/** Longest body of a request in bytes. */
export const CONTROL_BODY_BYTES_MAX = 64 * 1024;
/** How long `wait` waits unless told otherwise, and at most. */
export const WAIT_SECONDS_DEFAULT = 3600;
export const WAIT_SECONDS_MAX = 7 * 24 * 3600;
/** Longest absolute path that a body may name, in characters. */
export const PATH_CHARACTERS_MAX = 4096;
/** Items of a list when `limit` is left out, and at most. */
export const LIST_LIMIT_DEFAULT = 100;
export const LIST_LIMIT_MAX = 1000;
/** Longest wait of the long poll of `/events`. */
export const EVENT_POLL_SECONDS_MAX = 60;

export const PIECE_STRATEGIES = ['random', 'rarest-first', 'sequential'] as const;
export const API_KEY_SCOPES = ['read', 'transfer', 'admin'] as const;
export const TRANSFER_STATES = [
  'queued',
  'hashing',
  'downloading',
  'stalled',
  'paused',
  'complete',
  'seeding',
  'failed',
  'cancelled',
] as const;
export const TRANSFER_REASON_CODES = [
  'no_seeder_online',
  'pieces_missing',
  'not_a_member',
  'logged_out',
  'disk_full',
  'destination_unwritable',
  'destination_exists',
  'trackers_unreachable',
  'source_changed',
  'source_missing',
  'refused',
] as const;
export const TRACKER_STATES = ['connecting', 'ready', 'catching_up', 'unreachable', 'refused'] as const;
export const PEER_EVENT_TYPES = [
  'transfer_changed',
  'transfer_removed',
  'session_changed',
  'group_changed',
  'tracker_changed',
  'trackers_disagree',
  'tracker_key_changed',
  'reachability_changed',
  'reset',
] as const;

export type PieceStrategyName = (typeof PIECE_STRATEGIES)[number];
/** `read` is every GET; `transfer` also moves files; `admin` is everything, as the control token is. */
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];
export type TransferState = (typeof TRANSFER_STATES)[number];
export type TransferReasonCode = (typeof TRANSFER_REASON_CODES)[number];
/** `catching_up`: connected, and still replaying the log. `refused`: it showed another key than the pinned one. */
export type TrackerState = (typeof TRACKER_STATES)[number];
export type PeerEventType = (typeof PEER_EVENT_TYPES)[number];

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

/** Waiting for the end of the work that a command began. */
export class WaitBody extends GroupBody {
  /** Answer when the transfer is complete, not as soon as it has begun. */
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

/** upload_file: hash what is at `path`, publish it in the group, serve it. */
export class UploadFileBody extends WaitBody {
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
}

/** download_file: fetch a share from those who have it. */
export class DownloadFileBody extends WaitBody {
  @IsFileName()
  file!: string;

  /** Absolute: an existing folder gives `<folder>/<name>`, otherwise the file's own path, whose parent exists. */
  @IsAbsolutePath()
  destination!: string;

  @IsOptional()
  @IsIn(PIECE_STRATEGIES)
  strategy?: PieceStrategyName;

  /** Replace what is at the destination. */
  @IsOptional()
  @IsBoolean()
  overwrite?: boolean;
}

/** seed_file: adopt and verify a copy that is on disk already, and serve it. */
export class SeedFileBody extends GroupFileBody {
  /** Absolute path of the copy on the peer's machine. */
  @IsAbsolutePath()
  path!: string;
}

/** stop_share: end this peer's own seeding, or with `everywhere` take the file out of the group. */
export class StopShareBody extends GroupFileBody {
  @IsOptional()
  @IsBoolean()
  everywhere?: boolean;
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
  upload_file: UploadFileBody,
  download_file: DownloadFileBody,
  seed_file: SeedFileBody,
  stop_share: StopShareBody,
} as const satisfies Partial<Record<CommandName, unknown>>;

export type ControlCommandName = keyof typeof CONTROL_COMMAND_BODIES;
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
  @Length(1, 300)
  after?: string;
}

/** Query of the long poll of `/events`: what came after the event `since`, waiting up to `timeout` seconds. */
export class EventsQuery {
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
export class ProblemView implements Omit<Problem, 'commandId' | 'offset'> {
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

/** What every list says beside its items. */
export class ListPage {
  /** The `after` of the next page, null on the last one. */
  @IsOptional()
  @IsString()
  next!: string | null;

  /** How much of the log the list reflects; null where it does not come from the log. */
  @IsOptional()
  @IsInt()
  asOfOffset!: number | null;
}

export class GroupItem {
  @IsString()
  group!: string;

  @IsString()
  owner!: string;

  @IsIn(['owner', 'member', 'pending', 'none'])
  membership!: 'owner' | 'member' | 'pending' | 'none';
}

export class GroupListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => GroupItem)
  items!: GroupItem[];
}

export class MemberItem {
  @IsString()
  user!: string;

  @IsIn(['owner', 'member'])
  role!: 'owner' | 'member';

  @IsRFC3339()
  since!: string;
}

export class MemberListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => MemberItem)
  items!: MemberItem[];
}

export class RequestItem {
  @IsString()
  user!: string;

  @IsRFC3339()
  since!: string;
}

export class RequestListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => RequestItem)
  items!: RequestItem[];
}

export class FileItem {
  @IsString()
  file!: string;

  @IsDigest()
  contentId!: string;

  @IsString()
  sharedBy!: string;

  @IsRFC3339()
  sharedAt!: string;

  @IsInt()
  totalBytes!: number;

  @IsInt()
  pieceBytes!: number;

  @IsInt()
  pieceCount!: number;

  /** Recorded seeders whose peer is online. */
  @IsInt()
  seedersOnline!: number;
}

export class FileListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => FileItem)
  items!: FileItem[];
}

/** Why a transfer does not move: what happened, and what would help. */
export class TransferReasonView {
  @IsIn(TRANSFER_REASON_CODES)
  code!: TransferReasonCode;

  @IsString()
  detail!: string;

  @IsString()
  action!: string;
}

/** Another peer's part in a download. */
export class TransferPeerView {
  @IsDigest()
  peerId!: string;

  @IsString()
  user!: string;

  @IsString()
  address!: string;

  @IsString()
  state!: string;

  /** Bytes of verified pieces that it delivered. */
  @IsInt()
  deliveredBytes!: number;

  /** Pieces of it that failed verification; one is enough to drop it for this content. */
  @IsInt()
  corruptPieces!: number;
}

/** One upload or download of this peer. */
export class TransferView {
  @IsUUID()
  transferId!: string;

  @IsIn(['upload', 'download'])
  direction!: 'upload' | 'download';

  @IsString()
  group!: string;

  @IsString()
  file!: string;

  /** Null while an upload is being hashed. */
  @IsOptional()
  @IsDigest()
  contentId!: string | null;

  /** SHA-1 of the whole file as `sha1sum` prints it; null for a folder, and while the manifest is not there. */
  @IsOptional()
  @Matches(/^[0-9a-f]{40}$/)
  sha1!: string | null;

  @IsIn(TRANSFER_STATES)
  state!: TransferState;

  @IsOptional()
  @ValidateNested()
  @Type(() => TransferReasonView)
  reason!: TransferReasonView | null;

  @IsInt()
  totalBytes!: number;

  /** Hashed so far while hashing. */
  @IsInt()
  verifiedBytes!: number;

  @IsInt()
  bytesPerSecond!: number;

  /** Null while nothing moves. */
  @IsOptional()
  @IsNumber()
  etaSeconds!: number | null;

  /** Base64; one bit a piece, the first piece is the highest bit of the first byte. */
  @IsBase64()
  bitfield!: string;

  /** What is shared, or where the download goes. */
  @IsString()
  path!: string;

  @IsRFC3339()
  startedAt!: string;

  @IsOptional()
  @IsRFC3339()
  completedAt!: string | null;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferPeerView)
  peers!: TransferPeerView[];
}

export class TransferListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferView)
  items!: TransferView[];
}

export class TrackerView {
  /** As in tracker_info.txt. */
  @IsString()
  address!: string;

  /** `sha256:` and the hash of its key; null until one is known. */
  @IsOptional()
  @IsString()
  fingerprint!: string | null;

  @IsIn(TRACKER_STATES)
  state!: TrackerState;

  /** Whether commands and views go to this one at the moment. */
  @IsBoolean()
  active!: boolean;

  @IsOptional()
  @IsInt()
  appliedOffset!: number | null;
}

/** GET /status. */
export class StatusView {
  @IsDigest()
  peerId!: string;

  /** Who is logged in on this peer. */
  @IsOptional()
  @IsString()
  user!: string | null;

  /** Where this peer accepts connections of other peers, `host:port`. */
  @IsString()
  listen!: string;

  /** Where others are told to reach it. */
  @IsString()
  advertise!: string;

  /** Whether a tracker could connect to `advertise`; null while unknown. */
  @IsOptional()
  @IsBoolean()
  reachable!: boolean | null;

  @IsOptional()
  @IsDigest()
  logId!: string | null;

  @IsIn(['tls', 'plain'])
  transport!: 'tls' | 'plain';

  @IsArray()
  @ArrayMaxSize(64)
  @ValidateNested({ each: true })
  @Type(() => TrackerView)
  trackers!: TrackerView[];
}

export class SessionItem {
  @IsInt()
  sessionId!: number;

  @IsDigest()
  peerId!: string;

  @IsRFC3339()
  startedAt!: string;

  /** Whether it is the session of this very peer. */
  @IsBoolean()
  current!: boolean;
}

export class SessionListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => SessionItem)
  items!: SessionItem[];
}

export class ApiKeyItem {
  @IsUUID()
  keyId!: string;

  @IsString()
  name!: string;

  @IsIn(API_KEY_SCOPES)
  scope!: ApiKeyScope;

  @IsRFC3339()
  createdAt!: string;
}

export class ApiKeyListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ApiKeyItem)
  items!: ApiKeyItem[];
}

/** POST /api-keys: the only time that the key itself is shown. */
export class NewApiKeyView extends ApiKeyItem {
  @IsString()
  key!: string;
}

/** One event; `reset` says that older ones than asked for are gone: read the views anew. */
export class PeerEventView {
  @IsInt()
  id!: number;

  @IsRFC3339()
  time!: string;

  @IsIn(PEER_EVENT_TYPES)
  type!: PeerEventType;

  @IsObject()
  data!: object;
}

/** The long poll of /events; `last` is the next `since`. */
export class PeerEventListView {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PeerEventView)
  items!: PeerEventView[];

  @IsInt()
  last!: number;
}

/**
 * Every class of the contract, for the schemas of the OpenAPI file: what `IsOptional` means differs between them, see the
 * top of this file.
 */
export const CONTROL_SCHEMAS = {
  withOptionalFields: [
    ...new Set([...Object.values(CONTROL_COMMAND_BODIES), NewApiKeyBody, CommandResultBody, ProblemView]),
    ...[ListQuery, EventsQuery, DeleteTransferQuery],
  ],
  withNullableFields: [
    ...[ShareView, CommandView, FieldErrorView, CommandStateView],
    ...[GroupItem, GroupListView, MemberItem, MemberListView, RequestItem, RequestListView, FileItem, FileListView],
    ...[TransferReasonView, TransferPeerView, TransferView, TransferListView, TrackerView, StatusView],
    ...[SessionItem, SessionListView, ApiKeyItem, ApiKeyListView, NewApiKeyView, PeerEventView, PeerEventListView],
  ],
} as const;
