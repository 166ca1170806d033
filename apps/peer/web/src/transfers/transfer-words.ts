// Owns what the page says of a transfer: its state, what may be done with it, what removing it takes away, and the news that it
// ended. Pure.
import type { DatedReasonView, RecheckView, TransferState, TransferView } from '#wire/control-api';
import { bytesText, countText, durationText, percentText, rateText } from '../lists/amounts.ts';
import type { TransferChange } from './transfer-deltas.ts';

/** How a state is coloured; the word beside it says the same. */
export type StateTone = 'accent' | 'good' | 'warn' | 'bad' | 'plain';

/** What can be done with a transfer. */
export type TransferAction = 'pause' | 'resume' | 'cancel' | 'recheck' | 'remove';

const WORDS: Readonly<Record<TransferState, readonly [word: string, tone: StateTone]>> = {
  queued: ['Queued', 'warn'],
  hashing: ['Hashing', 'accent'],
  downloading: ['Downloading', 'accent'],
  stalled: ['Stalled', 'warn'],
  paused: ['Paused', 'plain'],
  complete: ['Complete', 'good'],
  seeding: ['Sharing', 'good'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', 'plain'],
};

/** Where the peer puts what is dropped on the page; it takes away there what no transfer refers to. */
const DROPPED = /[\\/]dropped[\\/][0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[\\/]/;

const NAMED_MOST = 5;
const UNDER_WAY: ReadonlySet<TransferState> = new Set(['queued', 'hashing', 'downloading', 'stalled']);
const BEGUN_AGAIN: ReadonlySet<TransferState> = new Set(['paused', 'failed', 'cancelled']);

/** A transfer that is whole and that something is wrong with is no good news. */
export function stateWords({ state, reason, recheck }: TransferView): {
  readonly word: string;
  readonly tone: StateTone;
} {
  if (recheck !== null && recheck.endedAt === null) return { word: 'Rechecking', tone: 'accent' };
  const [word, tone] = WORDS[state];
  return { word, tone: reason !== null && tone === 'good' ? 'bad' : tone };
}

/** Whether bytes of it may come by themselves. */
export function isUnderWay({ state }: Pick<TransferView, 'state'>): boolean {
  return UNDER_WAY.has(state);
}

/** Whether it is a whole copy on this disk. */
export function isWhole({ state, direction, verifiedBytes, totalBytes }: TransferView): boolean {
  return state === 'seeding' || (state === 'complete' && (direction === 'upload' || verifiedBytes >= totalBytes));
}

/** Whether others are served a whole copy: not any more once that was stopped, although the copy is still there. */
export function isServedWhole(transfer: TransferView): boolean {
  return transfer.served && isWhole(transfer);
}

/** What can be done with it now, in the order of its buttons. */
export function actionsOf(transfer: TransferView): TransferAction[] {
  const { state, recheck, direction } = transfer;
  const isRechecking = recheck !== null && recheck.endedAt === null;
  const actions: (TransferAction | null)[] = [
    UNDER_WAY.has(state) || state === 'seeding' ? 'pause' : null,
    BEGUN_AGAIN.has(state) || (state === 'complete' && transfer.reason !== null) ? 'resume' : null,
    UNDER_WAY.has(state) || isRechecking ? 'cancel' : null,
    isWhole(transfer) && !isRechecking && (direction === 'download' || state === 'seeding') ? 'recheck' : null,
    state === 'failed' && transfer.contentId !== null && direction === 'upload' ? 'recheck' : null,
    'remove',
  ];
  return actions.filter((action) => action !== null);
}

/** What it means that a download is private. */
export const PRIVATE_TEXT =
  'It came, at least in part, of what this peer has in another group. This group gets nothing of it, unless seed_file shares it here.';

/** How far it is, in one line: `412.0 MiB of 1.0 GiB (40 %), 12.0 MiB/s, 51 s left`. */
export function progressText(transfer: TransferView): string {
  const { verifiedBytes, wantedBytes, bytesPerSecond, etaSeconds, state } = transfer;
  const rate = rateText(bytesPerSecond);
  const whole = bytesText(wantedBytes);
  if (!isUnderWay(transfer) && verifiedBytes >= wantedBytes) return whole;
  const verb = state === 'hashing' ? 'hashed' : null;
  const amount = `${bytesText(verifiedBytes)} of ${whole} (${percentText(verifiedBytes, wantedBytes)})`;
  const parts = [verb === null ? amount : `${amount} ${verb}`, rate, etaSeconds === null ? '' : etaText(etaSeconds)];
  return parts.filter((part) => part !== '').join(', ');
}

/** `51 s left`. */
export function etaText(etaSeconds: number): string {
  return `${durationText(etaSeconds)} left`;
}

/** For how long a reason has held: `for 12 min`. */
export function sinceText({ since }: DatedReasonView, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(since)) / 1000);
  return seconds < 60 ? 'since just now' : `for ${durationText(seconds)}`;
}

/** What removing a transfer does, exactly; `deletes` is null where nothing of it may be deleted. */
export interface RemovalWords {
  readonly keeps: string;
  readonly deletes: string | null;
}

/** The words for both ways to remove a transfer. */
export function removalWords(transfer: TransferView): RemovalWords {
  const { direction, path, verifiedBytes, state } = transfer;
  const ends = isServedWhole(transfer) ? ' This peer stops sharing it.' : '';
  if (direction === 'upload' && DROPPED.test(path)) {
    const goes = 'is the copy of what was dropped here, and goes in about an hour unless it is shared again before.';
    return { keeps: `${path} ${goes}${ends}`, deletes: null };
  }
  if (direction === 'upload') return { keeps: `${path} stays on this disk as it is.${ends}`, deletes: null };
  if (state === 'complete') {
    const deletes = `${path} (${bytesText(verifiedBytes)}) is deleted from this disk. It cannot be undone.`;
    return { keeps: `${path} stays on this disk.${ends}`, deletes: `${deletes}${ends}` };
  }
  const part = `what came so far (${bytesText(verifiedBytes)} in ${path}.part)`;
  return {
    keeps: `${upperFirst(part)} stays on this disk; the same download to the same place goes on from there.`,
    deletes: `${upperFirst(part)} is deleted. What was at ${path} before stays.`,
  };
}

/** What a recheck came to, or how far it is; null when there was none. */
export function recheckText({ recheck }: TransferView): string | null {
  if (recheck === null) return null;
  const { verdict, checkedPieces, damagedPieces, repairedPieces, absentFiles, misfitFiles, sha1Mismatches } = recheck;
  const all = `all ${countText(checkedPieces, 'piece')}`;
  if (verdict === null) return `${countText(checkedPieces, 'piece')} checked, ${damagedPieces} damaged so far.`;
  const sha1 =
    sha1Mismatches.length === 0
      ? ''
      : ` The pieces are what was shared, but the SHA-1 of ${countText(sha1Mismatches.length, 'file')} is not what the sharer said.`;
  switch (verdict) {
    case 'sound':
      return `Sound: ${all} are as they were shared.${sha1}`;
    case 'repaired':
      if (isOnlyTree(recheck))
        return `Repaired: ${all} were as they were shared. It lacked ${treeText(recheck)}${sha1}`;
      return `Repaired: ${countText(repairedPieces, 'piece')} fetched again from others, and all is as it was shared.${sha1}`;
    case 'damaged': {
      if (isOnlyTree(recheck)) return `Damaged: ${all} are as they were shared. It lacks ${treeText(recheck)}${sha1}`;
      const misfits = misfitFiles.length === 0 ? '' : ` ${countText(misfitFiles.length, 'file')} of another length.`;
      return `Damaged: ${countText(damagedPieces - repairedPieces, 'piece')} still not as shared.${misfits}`;
    }
    case 'incomplete':
      return `Incomplete: ${countText(absentFiles.length, 'file')} not there or not to be read, the first is ${absentFiles[0] ?? 'the whole'}.`;
  }
}

/** Nothing else is wrong with it, or was, than what a folder is beside its bytes. */
function isOnlyTree({ damagedPieces, absentFiles, misfitFiles, treeDifferences }: RecheckView): boolean {
  return damagedPieces + absentFiles.length + misfitFiles.length === 0 && treeDifferences.length > 0;
}

function treeText({ treeDifferences }: RecheckView): string {
  const more = treeDifferences.length - NAMED_MOST;
  const names = treeDifferences.slice(0, NAMED_MOST).join(', ');
  return `empty folders, or the right to run files: ${names}${more > 0 ? ` and ${more} more` : ''}.`;
}

/** News for a person. */
export interface TransferNews {
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

/** What is worth a notification in a change of a transfer: that a download is complete, or that something failed. */
export function newsOf(before: TransferState | undefined, after: TransferChange): TransferNews | null {
  // What has not been seen before has not just ended.
  if (before === undefined || before === after.state || after.temporary) return null;
  const { state, direction, file, group, reason } = after;
  if (state === 'complete' && direction === 'download' && reason === null && UNDER_WAY.has(before)) {
    return { kind: 'good', text: `${file} of ${group} is complete: ${bytesText(after.wantedBytes)}.` };
  }
  if (state === 'seeding' && direction === 'upload' && before === 'hashing') {
    return { kind: 'good', text: `${file} is shared in ${group}.` };
  }
  if (state !== 'failed') return null;
  const what = direction === 'download' ? 'The download' : 'The upload';
  return { kind: 'bad', text: `${what} of ${file} (${group}) failed. ${reason?.detail ?? ''}`.trim() };
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
