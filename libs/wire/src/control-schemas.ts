// Owns which classes are the contract of the control endpoint: bodies, queries, answers, views and events. The OpenAPI file is
// generated from them.
import {
  CommandResultBody,
  CommandStateView,
  CommandView,
  FieldErrorView,
  ProblemView,
  ShareView,
} from './control-answers.ts';
import {
  ApiKeyItem,
  ApiKeyListView,
  DatedReasonView,
  FileItem,
  FileListView,
  GroupItem,
  GroupListView,
  MemberItem,
  MemberListView,
  NewApiKeyView,
  RecheckView,
  RequestItem,
  RequestListView,
  SessionListView,
  TransferListView,
  TransferPeerView,
  TransferView,
} from './control-api.ts';
import { ContentLinkBody, ContentLinkView, ContentPlace, ContentQuery } from './control-content.ts';
import { LastCopiesQuery, LastCopyItem, LastCopyListView } from './control-copies.ts';
import { PeerEventListView, PeerEventView } from './control-events.ts';
import { GroupLimitsBody, LimitsBody, NewGroupLimitsBody, NewLimitsBody, RateLimitsBody } from './control-limits.ts';
import {
  FilesChangedView,
  LiveEventView,
  RemovedFileView,
  TrafficView,
  TransferProgressView,
} from './control-live-events.ts';
import { OutageView, TrackerTroubleView } from './control-outages.ts';
import {
  DroppedFileQuery,
  DroppedFileView,
  DroppedFolderPlace,
  PageSessionBody,
  PageTicketView,
} from './control-page.ts';
import {
  CONTROL_COMMAND_BODIES,
  DeleteTransferQuery,
  EventsQuery,
  FileListQuery,
  ListQuery,
  NewApiKeyBody,
  RecheckBody,
} from './control-requests.ts';
import { PathPriorityBody, SelectionBody } from './control-selection.ts';
import { EndedSessionView, SessionItem } from './control-sessions.ts';
import { StatusView, TrackerView } from './control-status.ts';
import { TransferFileItem, TransferFileListView } from './control-transfer-files.ts';
import { KeepingView, KeptCopyView, ScrubbedCopyView, ScrubView } from './control-upkeep.ts';

/** Every class of the contract. What `IsOptional` means differs between them: left out, null, or either. */
export const CONTROL_SCHEMAS = {
  withOptionalFields: [
    ...new Set([...Object.values(CONTROL_COMMAND_BODIES), NewApiKeyBody, CommandResultBody, ProblemView]),
    ...[ListQuery, FileListQuery, LastCopiesQuery, EventsQuery, DeleteTransferQuery, RecheckBody],
    ...[ContentPlace, ContentQuery, ContentLinkBody],
    ...[SelectionBody, PathPriorityBody],
    ...[PageSessionBody, DroppedFileQuery, DroppedFolderPlace],
  ],
  withOptionalNullableFields: [NewGroupLimitsBody, NewLimitsBody],
  withNullableFields: [
    ...[ShareView, CommandView, FieldErrorView, CommandStateView],
    ...[GroupItem, GroupListView, MemberItem, MemberListView, RequestItem, RequestListView, FileItem, FileListView],
    ...[DatedReasonView, TransferPeerView, RecheckView, TransferView, TransferListView],
    ...[TransferFileItem, TransferFileListView],
    ...[TrackerTroubleView, TrackerView, OutageView, EndedSessionView, StatusView],
    ...[ScrubbedCopyView, ScrubView, KeptCopyView, KeepingView],
    ...[RateLimitsBody, GroupLimitsBody, LimitsBody],
    ...[SessionItem, SessionListView, ApiKeyItem, ApiKeyListView, NewApiKeyView, PeerEventView, PeerEventListView],
    ...[LiveEventView, TransferProgressView, TrafficView, FilesChangedView, RemovedFileView],
    ...[LastCopyItem, LastCopyListView],
    ...[ContentLinkView, PageTicketView, DroppedFileView],
  ],
} as const;
