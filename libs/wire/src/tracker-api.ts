// Owns what peers and trackers say to each other over Nest's TCP transport: one pattern for each command and view, one
// payload class each, and the replies. A reply always carries the log id, so that a peer notices trackers of two logs.
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import type { CommandName } from '#domain/command';
import type { CommandResult, SharedContent } from '#domain/outcome';
import type { RejectionReason } from '#domain/rejection';
import type { GroupView, MemberView, RequestView, SessionView } from '#domain/views';
import {
  EmptyBody,
  FileVersionBody,
  GroupFileBody,
  PublishedFileBody,
  SeededFileBody,
  StoppedShareBody,
  UNCHANGED_COMMAND_BODIES,
} from './command-bodies.ts';
import { CORRELATION_ID } from './correlation-id.ts';
import {
  LIST_CURSOR_CHARACTERS_MAX,
  LIST_LIMIT_MAX,
  PRESENCE_DOWNLOADS_MAX,
  PRESENCE_UNSERVED_RUNS_MAX,
  WATCHED_GROUPS_MAX,
} from './limits.ts';
import { AreHostPorts, AreIdRuns, AreUserNames, IsCommandId, IsFileName, IsUserName } from './name-validation.ts';
import type { TrackerTrouble } from './tracker-trouble.ts';
import type { ErrorCode, FieldError } from './wire-error.ts';

/** Commands that a peer may send, with the class of their body. The message pattern is the command's name. */
export const PEER_COMMAND_BODIES = {
  ...UNCHANGED_COMMAND_BODIES,
  renew_session: EmptyBody,
  upload_file: PublishedFileBody,
  download_file: FileVersionBody,
  seed_file: SeededFileBody,
  stop_share: StoppedShareBody,
} as const satisfies Partial<Record<CommandName, unknown>>;

/** The names of the commands that peers send. */
export type PeerCommandName = keyof typeof PEER_COMMAND_BODIES;

/** Every command that a peer may send. */
export const PEER_COMMAND_NAMES = Object.keys(PEER_COMMAND_BODIES) as readonly PeerCommandName[];

/** A body of a peer's command, checked. */
export type PeerCommandBody<Name extends PeerCommandName> = InstanceType<(typeof PEER_COMMAND_BODIES)[Name]>;

/** Message patterns beside those of the commands. */
export const TRACKER_PATTERNS = {
  hello: 'hello',
  presence: 'presence',
  subscribe: 'subscribe',
  watchGroups: 'watch_groups',
  commandOutcome: 'command_outcome',
  listGroups: 'list_groups',
  listMembers: 'list_members',
  listRequests: 'list_requests',
  listFiles: 'list_files',
  listSessions: 'list_sessions',
  listCopies: 'list_copies',
  findSources: 'find_sources',
  renewGrant: 'renew_grant',
} as const;

/** What every request says but those that register a peer or listen. */
class RequestHead {
  /** Highest offset that this peer has seen, -1 for none. */
  @IsInt()
  @Min(-1)
  @Max(Number.MAX_SAFE_INTEGER)
  seenOffset!: number;
}

/** The envelope of every command. `body` is checked against the class that `PEER_COMMAND_BODIES` names. */
export class CommandRequest extends RequestHead {
  @IsCommandId()
  commandId!: string;

  @Matches(CORRELATION_ID)
  correlationId!: string;

  /** Whom the peer believes to be logged in on it: scopes a repeated command id after a logout. */
  @IsOptional()
  @IsUserName()
  user!: string | null;

  @IsObject()
  body!: object;
}

/** A view shows at least what the peer has seen; the tracker waits up to 1.5 s to get there. */
export class ViewRequest extends RequestHead {}

/** Paging of a list by name: items after `after`, at most `limit` of them. */
export class ListRequest extends ViewRequest {
  @IsOptional()
  @IsString()
  @Length(1, LIST_CURSOR_CHARACTERS_MAX)
  after?: string;

  @IsInt()
  @Min(1)
  @Max(LIST_LIMIT_MAX)
  limit!: number;
}

/** list_members, list_requests. */
export class GroupListRequest extends ListRequest {
  @IsUserName()
  group!: string;
}

/** list_files: the newest version of each file, or all that there are; a cursor of these is `<file>/<version>`. */
export class FileListRequest extends GroupListRequest {
  @IsOptional()
  @IsIn(['all'])
  versions?: 'all';
}

/**
 * watch_groups: from now on `files_changed` of these groups is pushed over the stream that `subscribe` opened on this connection, and of
 * no others. Trackers of an older build do not know it.
 */
export class WatchGroupsRequest extends ViewRequest {
  @IsArray()
  @ArrayMaxSize(WATCHED_GROUPS_MAX)
  @AreUserNames()
  groups!: string[];
}

/**
 * list_copies: the shares that are recorded as seeded here, or one of their groups, files or versions, with how many others online have
 * each. Trackers of an older build do not know it.
 */
export class CopyListRequest extends ListRequest {
  @IsOptional()
  @IsUserName()
  group?: string;

  /** Of that group. */
  @IsOptional()
  @IsFileName()
  file?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  version?: number;

  /** Whose copies they are: those of this peer alone, or of all peers of its user. */
  @IsIn(['peer', 'user'])
  of!: 'peer' | 'user';

  /** Only those of which nobody else online has all. */
  @IsOptional()
  @IsIn(['last'])
  only?: 'last';
}

/**
 * find_sources: who has a version of a file, and a grant when an accepted `download_file` of this peer stands. It is the newest
 * when none is named.
 */
export class FindSourcesRequest extends ViewRequest {
  @IsUserName()
  group!: string;

  @IsFileName()
  file!: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  version?: number;
}

/** renew_grant, by share id. */
export class RenewGrantRequest extends ViewRequest {
  @IsUserName()
  group!: string;

  @IsInt()
  @Min(0)
  shareId!: number;
}

/** command_outcome. */
export class CommandOutcomeRequest extends ViewRequest {
  @IsCommandId()
  commandId!: string;

  /** Who sent the command from this peer, when that is not who is logged in on it now. */
  @IsOptional()
  @IsUserName()
  user?: string | null;
}

/** What a peer is downloading right now: it serves what it has of it. */
export class DownloadPresence extends GroupFileBody {
  @IsInt()
  @Min(0)
  shareId!: number;
}

/** presence: one message a peer, every 10 s and on change, whatever it shares. */
export class PresenceRequest {
  /** `host:port` where other peers reach this one, best first. */
  @IsArray()
  @ArrayMaxSize(8)
  @AreHostPorts()
  addresses!: string[];

  @IsArray()
  @ArrayMaxSize(PRESENCE_DOWNLOADS_MAX)
  @ValidateNested({ each: true })
  @Type(() => DownloadPresence)
  downloading!: DownloadPresence[];

  /**
   * Runs of share ids, as first and last of each, in ascending order: of what lies in one this peer can serve nothing complete now,
   * although the log has it as a seeder. Left out when there is none, by peers of an older build, and to trackers of one.
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(2 * PRESENCE_UNSERVED_RUNS_MAX)
  @AreIdRuns()
  unserved?: number[];

  /** Whether this peer takes and asks for connections without TLS. */
  @IsIn(['tls', 'plain'])
  transport!: 'tls' | 'plain';
}

/**
 * What every reply says first. Offsets are the tracker's at the time of the reply; `logId` is empty while a tracker that is
 * not ready has not yet read the first record of the log.
 */
export interface ReplyHead {
  readonly logId: string;
  readonly trackerId: string;
  readonly appliedOffset: number;
  /** What keeps the tracker from taking commands now, as far as it knows; null while nothing does. */
  readonly trouble: TrackerTrouble | null;
}

/** A refusal that the log decided, or a failure before it; nothing else is an error on this transport. */
export type Refused =
  | { readonly status: 'rejected'; readonly reason: RejectionReason; readonly offset: number | null }
  | {
      readonly status: 'failed';
      readonly code: ErrorCode;
      readonly detail?: string;
      readonly errors?: readonly FieldError[];
    };

/** The answer to a command: the outcome at its offset. `user` is who is logged in on the peer afterwards. */
export type CommandReply = ReplyHead &
  (Refused | { readonly status: 'accepted'; readonly offset: number; readonly result: CommandResult });

/** The answer to a view. */
export type ViewReply<View> = ReplyHead & (Refused | { readonly status: 'accepted'; readonly view: View });

/** A page of a list; `next` is the `after` of the following one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** A tracker as the log knows it. The key is base64 of the SPKI DER, the address as in tracker_info.txt. */
export interface KnownTracker {
  readonly trackerId: string;
  readonly publicKey: string;
  readonly address: string;
}

/** hello: who the tracker is, and who is logged in on this peer. */
export interface HelloView {
  readonly trackers: readonly KnownTracker[];
  readonly user: string | null;
  /** Whether it answers views; a command may still be refused. */
  readonly ready: boolean;
  /** The tracker's clock, in milliseconds since 1970. Left out by trackers of an older build. */
  readonly nowMs?: number;
  /** The newest rules that its build knows. Left out by trackers of an older one. */
  readonly newestRulesVersion?: number;
  /** Whether a presence may have `unserved`. Left out by trackers of an older build, which refuse it. */
  readonly takesUnserved?: boolean;
}

/** Until when the session on a peer lasts, and whether it is time for the peer to renew it, by the tracker's clock. */
export interface SessionTerm {
  readonly expiresAtMs: number;
  readonly isRenewalDue: boolean;
}

/** presence. `reachable` tells whether the tracker could connect to the first address; null while unknown. */
export interface PresenceView {
  readonly reachable: boolean | null;
  readonly user: string | null;
  /** Left out while nobody is logged in, or sessions do not expire. */
  readonly term?: SessionTerm;
}

/** A share as the members of its group see it. */
export interface FileView extends SharedContent {
  readonly file: string;
  readonly sharedBy: string;
  readonly sharedAtMs: number;
  /** Recorded seeders whose peer is online, and knows nothing that keeps it from serving all of it. */
  readonly seedersOnline: number;
  /** Peers online that are downloading it. Left out by trackers of an older build. */
  readonly partialCopies?: number;
  /** How many complete copies the group wants, 0 for no wish. Left out by trackers of an older build. */
  readonly wantedCopies?: number;
}

/** A peer that has a share or part of it, and is online. */
export interface SourceView {
  readonly peerId: string;
  readonly user: string;
  readonly addresses: readonly string[];
  readonly role: 'seeder' | 'downloader';
  /** As the source's presence says: without TLS both sides must ask for it. */
  readonly transport: 'tls' | 'plain';
}

/** find_sources. `grant` (base64url) and its expiry are null when this peer has no accepted `download_file` of it. */
export interface SourcesView {
  readonly share: SharedContent;
  readonly sources: readonly SourceView[];
  readonly grant: string | null;
  readonly grantExpiresAtMs: number | null;
}

/** renew_grant. */
export interface GrantView {
  readonly grant: string;
  readonly grantExpiresAtMs: number;
}

/** command_outcome. */
export type CommandOutcomeView =
  | { readonly state: 'unknown' }
  | { readonly state: 'accepted'; readonly offset: number; readonly result: CommandResult }
  | { readonly state: 'rejected'; readonly offset: number; readonly reason: RejectionReason };

/** list_groups. Trackers of an older build leave out what a group wants. */
export type GroupPage = Page<Omit<GroupView, 'copies'> & Partial<Pick<GroupView, 'copies'>>>;
/** list_members. */
export type MemberPage = Page<MemberView>;
/** list_requests. */
export type RequestPage = Page<RequestView>;
/** list_files. */
export type FilePage = Page<FileView>;
/** watch_groups: those of them that are watched, because the caller's user is a member. */
export interface WatchView {
  readonly groups: readonly string[];
}

/** A version of a file that its group has no more. */
export interface RemovedFile {
  readonly file: string;
  readonly version: number;
}

/** A share that the caller seeds, and how many others online have all or part of it. */
export interface CopyView {
  readonly shareId: number;
  readonly group: string;
  readonly file: string;
  readonly version: number;
  readonly completeCopies: number;
  readonly partialCopies: number;
}

/** list_copies: the oldest share first. */
export type CopyPage = Page<CopyView>;

/** list_sessions: all of them, oldest first. */
export interface SessionList {
  readonly items: readonly SessionView[];
}

/** What a tracker pushes over `subscribe`, in order of offsets. A peer that lost the stream asks anew and resynchronises. */
export type Push =
  /** Sent first: pushes after this offset follow. */
  | { readonly type: 'subscribed'; readonly offset: number }
  /** Peers of a user, or one peer, lose what they may fetch: of a group, of a share, or of everything. */
  | {
      readonly type: 'revoked';
      readonly offset: number;
      readonly groupId: number | null;
      readonly shareId: number | null;
      readonly user: string | null;
      readonly peerId: string | null;
    }
  /** A share that this peer is downloading has new sources: ask find_sources. */
  | { readonly type: 'sources_changed'; readonly offset: number; readonly shareId: number }
  /** Something in a group that this peer's user belongs to, or owns, has changed. */
  | { readonly type: 'group_changed'; readonly offset: number; readonly group: string }
  /** Rows of a watched group that are new or may have changed, of all versions, and those that are gone. */
  | {
      readonly type: 'files_changed';
      readonly offset: number;
      readonly group: string;
      readonly items: readonly FileView[];
      readonly removed: readonly RemovedFile[];
    }
  /** More of a watched group has changed than is told: read its files anew. */
  | { readonly type: 'files_reset'; readonly offset: number; readonly group: string }
  /** The session on this peer began or ended. */
  | { readonly type: 'session_changed'; readonly offset: number; readonly user: string | null }
  /** A session of this peer's user began or ended, on this peer or on another one. */
  | { readonly type: 'sessions_changed'; readonly offset: number };
