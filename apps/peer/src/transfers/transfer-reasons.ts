// Owns why a transfer stands still or failed, in a person's words: what happened, and what would help.
import { damagedPieces, piecesInWords } from '#domain/content-damage';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import type { TransferReasonView } from '#wire/control-api';
import type { Refused } from '#wire/tracker-api';
import { ERRORS } from '#wire/wire-error';
import type { TransferReason } from '../swarm/download-view.ts';
import type { Inspected } from '../swarm/transfer-engine.ts';
import { sentence } from './reason-since.ts';

/** A download whose placed files change begins anew so often: what changes again and again would have it begin without end. */
export const BEGUN_ANEW_MAX = 8;

export const LOGGED_OUT: TransferReasonView = {
  code: 'logged_out',
  detail: 'The user who began this transfer is not logged in on this peer.',
  action: 'Log in as that user: it goes on by itself.',
};

export const TRACKERS_UNREACHABLE: TransferReasonView = {
  code: 'trackers_unreachable',
  detail: 'No tracker answers, so there is no permission to fetch this and nobody to fetch it from.',
  action: 'It goes on by itself when a tracker of tracker_info.txt answers.',
};

export const OTHER_LOG: TransferReasonView = {
  code: 'not_a_member',
  detail: 'The trackers serve another log than the one that this share belongs to.',
  action: 'Share or download it anew.',
};

export const NOT_A_MEMBER: TransferReasonView = {
  code: 'not_a_member',
  detail: 'The user who began this transfer does not belong to the group any more.',
  action: 'Ask to join the group with join_group, then resume the transfer.',
};

export const SHARE_REMOVED: TransferReasonView = {
  code: 'source_missing',
  detail: 'The file was taken out of the group.',
  action: 'Ask who shared it to share it again.',
};

export const VERSION_GONE: TransferReasonView = {
  code: 'source_missing',
  detail: 'This version of the file is not in the group any more: a newer one took its place, or it was taken out.',
  action:
    'Download the file again, if list_files still shows it: of a newer version only what differs from this one is fetched.',
};

export const SOURCE_CHANGED: TransferReasonView = {
  code: 'source_changed',
  detail: 'What is at this path is not what was shared, so it is not served any more.',
  action:
    'Recheck it to get back from others what was shared, or put it back and resume, or share the new content as its next version, with update.',
};

export const SOURCE_MISSING: TransferReasonView = {
  code: 'source_missing',
  detail: 'There is nothing at this path any more, so it is not served.',
  action: 'Recheck it to fetch it from others, or put the shared content back and resume, or remove the transfer.',
};

/** Why what is at a path is not served any more, and what was seen of it. */
export function changedReason(code: string, detail: string): TransferReasonView {
  const known = code === 'source_missing' ? SOURCE_MISSING : SOURCE_CHANGED;
  return { ...known, detail: `${known.detail} (${detail})` };
}

export const UNSHAREABLE: TransferReasonView = {
  code: 'refused',
  detail: 'What is at this path cannot be shared.',
  action: 'Put that right, or leave it out with exclude, then share it again.',
};

/** What `update` is refused with before there are versions. */
export const VERSIONS_UNKNOWN: Refused = {
  status: 'failed',
  code: 'invalid_request',
  errors: [
    {
      field: 'update',
      message: 'needs version 3 of the rules: an operator of the trackers runs cohort operator activate_rules 3',
    },
  ],
};

export const NO_ROOM: TransferReasonView = {
  code: 'disk_full',
  detail: 'The data directory of the peer cannot be written to.',
  action: 'Make room there, then resume the transfer.',
};

/** What helps when it is this disk that keeps a copy from being repaired. */
const REPAIR_ACTIONS: Readonly<Record<string, string>> = {
  disk_full: 'Make room on this disk, then recheck it: what came so far is kept.',
  destination_unwritable: 'Make way for it there, then recheck it.',
};

/** What is wrong with a copy, and, once that was tried, why it was not repaired. */
export function damageReason(
  found: Inspected,
  { manifest, path }: { readonly manifest: Manifest; readonly path: string },
  notRepaired: TransferReasonView | null,
): TransferReasonView {
  const code = found.absentFiles.length > 0 ? 'source_missing' : 'source_changed';
  const why = notRepaired === null ? '' : ` It was not repaired: ${notRepaired.detail}`;
  const action =
    REPAIR_ACTIONS[notRepaired?.code ?? ''] ??
    'Recheck it when another peer that has it is online, or put the shared content back and resume.';
  const detail = `${damageInWords(found, manifest, path)}, so it is not served any more.${why}`;
  return { code, detail, action: code === 'source_missing' || notRepaired !== null ? action : SOURCE_CHANGED.action };
}

function damageInWords(found: Inspected, manifest: Manifest, path: string): string {
  if (!found.isThere) return `There is nothing at ${path}`;
  const { absentFiles, misfitFiles } = found;
  if (absentFiles.length > 0) {
    return manifest.files.length === 1
      ? `What is at ${path} cannot be read as a file`
      : `${absentFiles.length} of ${manifest.files.length} files cannot be read, the first is ${absentFiles[0]}`;
  }
  const damaged = damagedPieces(manifest, found.bitfield);
  const { pieceCount } = manifestGeometry(manifest);
  if (damaged.length > 0) {
    return `${damaged.length} of ${pieceCount} pieces (${piecesInWords(damaged)}) are not what was shared`;
  }
  return `${misfitFiles.length} of ${manifest.files.length} files are longer than what was shared`;
}

/** Why what there is of a download of some files is not served any more. */
export function restReason(code: string, detail: string): TransferReasonView {
  return {
    code: code === 'source_missing' ? 'source_missing' : 'source_changed',
    detail: `Not everything that was downloaded is there as it was, so it is not served any more. (${detail})`,
    action:
      'Resume it to fetch again what is missing: a file that was changed is left as it is, and comes once it was moved away.',
  };
}

/** Whether it is about the copy on disk. */
export function isAboutCopy(reason: TransferReasonView | null): boolean {
  return reason?.code === 'source_changed' || reason?.code === 'source_missing';
}

/** Why a download ended, as it is shown. */
export function reasonView({ code, detail, action }: TransferReason): TransferReasonView {
  return { code, detail, action };
}

/** Why a refusal of the trackers ends a transfer that had begun. */
export function reasonOfRefusal(refused: Refused): TransferReasonView {
  if (refused.status === 'failed') return refused.code === 'not_logged_in' ? LOGGED_OUT : TRACKERS_UNREACHABLE;
  switch (refused.reason) {
    case 'not_logged_in':
      return LOGGED_OUT;
    case 'file_not_found':
      return SHARE_REMOVED;
    case 'version_not_found':
      return VERSION_GONE;
    case 'not_a_member':
    case 'request_pending':
    case 'group_not_found':
      return NOT_A_MEMBER;
    default: {
      const detail = refused.reason in ERRORS ? ERRORS[refused.reason as keyof typeof ERRORS].detail : refused.reason;
      return { code: 'refused', detail, action: 'Remove this transfer and begin it anew.' };
    }
  }
}

/** What is said to who reads a transfer's content that cannot be read because of this; null is no reason but its end. */
export function refusalOfReason(reason: TransferReasonView | null): Refused {
  if (reason?.code === 'not_a_member') return { status: 'failed', code: 'not_a_member' };
  if (reason?.code === 'logged_out') return { status: 'failed', code: 'not_logged_in' };
  return { status: 'failed', code: 'content_unavailable', detail: reasonText(reason) };
}

/** A reason as one sentence of a problem document. */
export function reasonText(reason: TransferReasonView | null): string {
  return reason === null
    ? 'The transfer was cancelled.'
    : `${reason.code}: ${sentence(reason.detail)} ${sentence(reason.action)}`;
}
