// Owns what the peer's HTTP control endpoint shows: every list and view, as classes that class-validator checks. A view always has
// every field, and `IsOptional` means that it may be null.
import { Type } from 'class-transformer';
import {
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsRFC3339,
  IsString,
  IsUUID,
  Matches,
  ValidateNested,
} from 'class-validator';
import { RECHECK_VERDICTS, type RecheckVerdict } from '#domain/content-damage';
import { API_KEY_SCOPES, type ApiKeyScope } from './control-requests.ts';
import { PathPriorityBody } from './control-selection.ts';
import { SessionItem } from './control-sessions.ts';
import { IsDigest } from './name-validation.ts';

/** Where a transfer stands. */
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
/** Why a transfer does not go on. */
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
  'manifest_refused',
  'nothing_matches',
  'refused',
] as const;

/** One of `TRANSFER_STATES`. */
export type TransferState = (typeof TRANSFER_STATES)[number];
/** One of `TRANSFER_REASON_CODES`. */
export type TransferReasonCode = (typeof TRANSFER_REASON_CODES)[number];

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

/** A group, and how the caller stands to it. */
export class GroupItem {
  @IsString()
  group!: string;

  @IsString()
  owner!: string;

  @IsIn(['owner', 'member', 'pending', 'none'])
  membership!: 'owner' | 'member' | 'pending' | 'none';

  /** How many complete copies of each file the group wants; 0 for no wish, and for who is no member. */
  @IsInt()
  copies!: number;
}

/** GET /groups: a page of all groups. */
export class GroupListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => GroupItem)
  items!: GroupItem[];
}

/** A member of a group, with the time of the record that let it in. */
export class MemberItem {
  @IsString()
  user!: string;

  @IsIn(['owner', 'member'])
  role!: 'owner' | 'member';

  @IsRFC3339()
  since!: string;
}

/** GET /groups/{g}/members: a page of them. */
export class MemberListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => MemberItem)
  items!: MemberItem[];
}

/** Who asks to join a group, and since when. */
export class RequestItem {
  @IsString()
  user!: string;

  @IsRFC3339()
  since!: string;
}

/** GET /groups/{g}/requests: a page of them. */
export class RequestListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => RequestItem)
  items!: RequestItem[];
}

/** A file that a group has. */
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

  /** Counts from 1 under its name. */
  @IsInt()
  version!: number;

  /** Recorded seeders whose peer is online and can serve it, as far as it knows: the same as `completeCopies`. */
  @IsInt()
  seedersOnline!: number;

  /** Peers online that have all of it. One that knows that its copy is damaged, gone or paused is none of them. */
  @IsInt()
  completeCopies!: number;

  /** Peers online that have part of it, or are about to; also those that repair their copy now. */
  @IsInt()
  partialCopies!: number;

  /** How many complete copies the group wants; 0 for no wish. */
  @IsInt()
  wantedCopies!: number;
}

/** GET /groups/{g}/files: a page of them, the newest version of each or all. */
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

/** The same, and since when. */
export class DatedReasonView extends TransferReasonView {
  /** When this reason began; kept over restarts, and while nothing of the transfer moved. */
  @IsRFC3339()
  since!: string;
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

/** The recheck of a copy that this peer has: what is on disk against what was shared, piece by piece. */
export class RecheckView {
  @IsRFC3339()
  startedAt!: string;

  /** Null while it runs. */
  @IsOptional()
  @IsRFC3339()
  endedAt!: string | null;

  /**
   * Null while it runs. `sound`: all was as shared; `repaired`: it is now; `damaged`: something still is not, see the reason of
   * the transfer; `incomplete`: a file is not there or cannot be read.
   */
  @IsOptional()
  @IsIn(RECHECK_VERDICTS)
  verdict!: RecheckVerdict | null;

  @IsInt()
  checkedPieces!: number;

  @IsInt()
  damagedPieces!: number;

  /** Those of the damaged ones that were fetched again and are in place. */
  @IsInt()
  repairedPieces!: number;

  /** Files that were not there or could not be read: the first hundred. */
  @IsArray()
  @IsString({ each: true })
  absentFiles!: string[];

  /** Files that were longer or shorter than shared: the first hundred. */
  @IsArray()
  @IsString({ each: true })
  misfitFiles!: string[];

  /**
   * Of a folder: empty folders that were not there, and files that their owner could not run any more: the first hundred. They are
   * put right, unless it was only looked. Empty while the pieces are not all sound.
   */
  @IsArray()
  @IsString({ each: true })
  treeDifferences!: string[];

  /** Files whose SHA-1 is not what the sharer said, although their pieces are what was shared: the first hundred. */
  @IsArray()
  @IsString({ each: true })
  sha1Mismatches!: string[];
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

  /** Which version of the file it is; null while an upload is being hashed. */
  @IsOptional()
  @IsInt()
  version!: number | null;

  /** SHA-1 of the whole file as `sha1sum` prints it; null for a folder, and while the manifest is not there. */
  @IsOptional()
  @Matches(/^[0-9a-f]{40}$/)
  sha1!: string | null;

  /**
   * Whether each whole file has the SHA-1 that the sharer said; null until it was looked at, some time after completion. The
   * pieces prove the bytes either way.
   */
  @IsOptional()
  @IsBoolean()
  sha1Matches!: boolean | null;

  @IsIn(TRANSFER_STATES)
  state!: TransferState;

  @IsOptional()
  @ValidateNested()
  @Type(() => DatedReasonView)
  reason!: DatedReasonView | null;

  @IsInt()
  totalBytes!: number;

  /** Of the files that are wanted; all there is, unless a download takes only some of them. */
  @IsInt()
  wantedBytes!: number;

  /** Of the files that are wanted. Hashed so far while hashing; of a copy that is damaged, what is sound. */
  @IsInt()
  verifiedBytes!: number;

  /** Bytes of a download that were not fetched, because this peer had them in another copy; verified like all others. */
  @IsInt()
  reusedBytes!: number;

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

  /** Whether others are served what there is of it when it has come to its end; false once that was stopped. */
  @IsBoolean()
  served!: boolean;

  /** Whether it is there for who reads its content alone, and goes with all that it wrote a while after that. */
  @IsBoolean()
  temporary!: boolean;

  /**
   * Whether others get nothing of it: it came of what this peer has in another group, which does not show that this group has it.
   * `seed_file` with its path shares it all the same.
   */
  @IsBoolean()
  private!: boolean;

  /** Globs: everything else is skipped. Null when nothing is. */
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  only!: string[] | null;

  /** How much some files are wanted; where several match, the last one counts. */
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PathPriorityBody)
  priorities!: PathPriorityBody[];

  @IsRFC3339()
  startedAt!: string;

  @IsOptional()
  @IsRFC3339()
  completedAt!: string | null;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferPeerView)
  peers!: TransferPeerView[];

  /** Peers online that have all of it, this one left out; null while that is unknown. */
  @IsOptional()
  @IsInt()
  completeCopies!: number | null;

  /** The one that runs, or the last one. */
  @IsOptional()
  @ValidateNested()
  @Type(() => RecheckView)
  recheck!: RecheckView | null;
}

/** GET /transfers: a page of what this peer uploads and downloads. */
export class TransferListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => TransferView)
  items!: TransferView[];
}

/** GET /sessions: where the user is logged in. */
export class SessionListView extends ListPage {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => SessionItem)
  items!: SessionItem[];
}

/** A named key of the control endpoint, without the key itself. */
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

/** GET /api-keys: all of them. */
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
