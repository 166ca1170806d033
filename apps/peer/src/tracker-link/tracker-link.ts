// The port of the tracker link: what the rest of the peer asks of the trackers, whichever of them answers. Refusals are data;
// an operating failure (no tracker, no answer) is a refusal with its code as well, so callers have one way to look at both.
import type { CommandResult } from '#domain/outcome';
import type {
  CommandOutcomeView,
  CopyListRequest,
  CopyPage,
  DownloadPresence,
  FilePage,
  FileView,
  GroupPage,
  MemberPage,
  PeerCommandBody,
  PeerCommandName,
  Push,
  Refused,
  RemovedFile,
  RequestPage,
  SessionList,
  SourcesView,
} from '#wire/tracker-api';
import type { TrackerState } from '#wire/control-status';
import type { SessionEndReason } from '#wire/control-sessions';
import type { TrackerTrouble } from '#wire/tracker-trouble';
import type { ErrorCode } from '#wire/wire-error';

/** Nest's name for the port. */
export const TRACKER_LINK = Symbol('TrackerLink');

/** A command as the log accepted it. */
export interface AcceptedCommand {
  readonly status: 'accepted';
  readonly offset: number;
  readonly result: CommandResult;
}

/** A view, and how much of the log it reflects. */
export interface AcceptedView<View> {
  readonly status: 'accepted';
  readonly asOfOffset: number;
  readonly view: View;
}

/** What came of a command: what the log decided, or a failure with its code. */
export type CommandAnswer = AcceptedCommand | Refused;
/** What came of a question for a view. */
export type ViewAnswer<View> = AcceptedView<View> | Refused;

/** What names a command for good: a repeat carries the same id, and the user who was logged in the first time. */
export interface CommandStamp {
  readonly commandId: string;
  readonly user: string | null;
  /** What the command is known by in logs, and in its record: its id when it is left out. */
  readonly correlationId?: string | undefined;
}

/** A page of a list. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

/** A page of files: the newest version of each, or all that there are. */
export interface FilePageRequest extends PageRequest {
  readonly versions?: 'all';
}

/** A page of the copies of this peer or its user, of all groups or what is named. */
export type CopyPageRequest = PageRequest & Pick<CopyListRequest, 'group' | 'file' | 'version' | 'of' | 'only'>;

/** A file of a group: that version, or the newest. */
export interface WantedShare {
  readonly group: string;
  readonly file: string;
  readonly version?: number;
}

/** Groups that are watched until `stop`. */
export interface GroupsWatch {
  /** Resolves when the trackers push what changes, or cannot be asked to; what was read before that may be old. Never rejects. */
  readonly begun: Promise<void>;
  stop(): void;
}

/** A tracker of tracker_info.txt, as this peer sees it. */
export interface TrackerStatus {
  /** `host:port`. */
  readonly address: string;
  /** 64 lowercase hex characters, or null while no key is known. */
  readonly trackerId: string | null;
  readonly state: TrackerState;
  readonly active: boolean;
  readonly appliedOffset: number | null;
  /** What keeps it from taking commands, by its last answer. */
  readonly trouble: TrackerTrouble | null;
}

/** Why commands fail: what they fail with, and what helps. */
export interface Outage {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** A session that was on this peer and ended without a logout here. */
export interface EndedSession {
  readonly user: string;
  readonly reason: SessionEndReason;
  /** What it is, and what helps. */
  readonly detail: string;
}

/** What the trackers tell of their own accord, and what happens to the connections to them. */
export type LinkEvent =
  | { readonly type: 'session_changed'; readonly user: string | null; readonly ended: EndedSession | null }
  /** A session of the user began or ended, here or elsewhere. */
  | { readonly type: 'sessions_changed' }
  | { readonly type: 'group_changed'; readonly group: string }
  | { readonly type: 'sources_changed'; readonly shareId: number }
  /** Rows of a watched group that are new or may have changed, of all versions, and those that are gone. */
  | {
      readonly type: 'files_changed';
      readonly group: string;
      readonly items: readonly FileView[];
      readonly removed: readonly RemovedFile[];
    }
  /** What is known of the files of a watched group may not be true any more: read them anew. */
  | { readonly type: 'files_reset'; readonly group: string }
  | Extract<Push, { readonly type: 'revoked' }>
  | { readonly type: 'tracker_changed'; readonly tracker: TrackerStatus }
  | {
      readonly type: 'tracker_key_changed';
      readonly address: string;
      readonly expected: string;
      /** Null for none. */
      readonly shown: string | null;
    }
  | { readonly type: 'trackers_disagree'; readonly logIds: readonly string[] }
  | { readonly type: 'outage_changed'; readonly outage: Outage | null }
  | { readonly type: 'reachability_changed'; readonly reachable: boolean | null }
  /** The keys that sign grants, or the log that they are for, are other ones now. */
  | { readonly type: 'trust_changed' };

/** The trackers whose grants hold: id and public key (SPKI DER) of each, and the log that they serve. */
export interface LinkTrust {
  readonly logId: string;
  readonly trackers: readonly { readonly trackerId: string; readonly publicKeyDer: Uint8Array }[];
}

/** The trackers, as one that answers: what cannot be is a refusal with its code, and so is what fails. */
export interface TrackerLink {
  /** Who is logged in on this peer, as far as the log is known here. Survives restarts. */
  user(): string | null;
  /** The last session, when it ended without a logout here; null once somebody logs in. Survives restarts. */
  endedSession(): EndedSession | null;
  /** Null until a tracker answered for the first time; survives restarts. */
  logId(): string | null;
  /** Null until a tracker answered for the first time. */
  trust(): LinkTrust | null;
  trackers(): readonly TrackerStatus[];
  /** Why commands fail now, as far as this peer knows; null while nothing speaks against them. */
  outage(): Outage | null;
  /** Whether a tracker could connect to this peer; null while unknown. */
  reachable(): boolean | null;
  /** Sends one command to one tracker after the other, under the same id, until one answers. */
  command<Name extends PeerCommandName>(
    name: Name,
    body: PeerCommandBody<Name>,
    stamp: CommandStamp,
  ): Promise<CommandAnswer>;
  commandOutcome(stamp: CommandStamp): Promise<ViewAnswer<CommandOutcomeView>>;
  listGroups(page: PageRequest): Promise<ViewAnswer<GroupPage>>;
  listMembers(group: string, page: PageRequest): Promise<ViewAnswer<MemberPage>>;
  listRequests(group: string, page: PageRequest): Promise<ViewAnswer<RequestPage>>;
  listFiles(group: string, page: FilePageRequest): Promise<ViewAnswer<FilePage>>;
  listSessions(): Promise<ViewAnswer<SessionList>>;
  /** What is recorded as seeded here, with how many others online have it. */
  listCopies(request: CopyPageRequest): Promise<ViewAnswer<CopyPage>>;
  /** The union of what all trackers know, soft state differs between them; with a fresh grant each time. */
  findSources(share: WantedShare): Promise<ViewAnswer<SourcesView>>;
  /** Has `files_changed` and `files_reset` told of these groups. */
  watchGroups(groups: readonly string[]): GroupsWatch;
  /**
   * Tells every tracker what this peer is downloading now, and, as runs of ids (first and last of each, ascending), of which shares it can
   * serve nothing complete although it is recorded for them; none when left out.
   */
  announce(downloading: readonly DownloadPresence[], unserved?: readonly number[]): void;
  /** Returns the way to stop. */
  onEvent(listener: (event: LinkEvent) => void): () => void;
}
