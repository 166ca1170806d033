// Owns what is only read or concerns this peer alone: the views as tables, `show_downloads` in its fixed form, and what one
// can do to a transfer. Nothing here makes a record in the log.
import type {
  ApiKeyItem,
  FileItem,
  GroupItem,
  MemberItem,
  NewApiKeyView,
  RecheckView,
  RequestItem,
  TransferPeerView,
  TransferView,
} from '#wire/control-api';
import type { SessionItem } from '#wire/control-sessions';
import type { StatusView, TrackerView } from '#wire/control-status';
import type { TransferFileItem } from '#wire/control-transfer-files';
import type { KeepingView, ScrubView } from '#wire/control-upkeep';
import { formatByteRate } from '#wire/limit-text';
import type { Invocation } from './invocation.ts';
import { waitingFor } from './progress-bar.ts';
import { formatBytes, formatPercent, formatSeconds, formatTime, shortId } from './quantities.ts';
import { type Column, renderTable } from '#wire/text-table';
import { wantedInWords } from './selection-commands.ts';
import { transferPath, wholeTransferId } from './transfer-ids.ts';
import { quotedWord } from './words.ts';

const GROUP_COLUMNS: readonly Column<GroupItem>[] = [
  { heading: 'GROUP', text: ({ group }) => group },
  { heading: 'OWNER', text: ({ owner }) => owner },
  { heading: 'YOU', text: ({ membership }) => (membership === 'none' ? '-' : membership) },
  { heading: 'COPIES WANTED', text: ({ copies }) => (copies === 0 ? '-' : String(copies)), align: 'right' },
];
const MEMBER_COLUMNS: readonly Column<MemberItem>[] = [
  { heading: 'USER', text: ({ user }) => user },
  { heading: 'ROLE', text: ({ role }) => role },
  { heading: 'SINCE (UTC)', text: ({ since }) => formatTime(since) },
];
const REQUEST_COLUMNS: readonly Column<RequestItem>[] = [
  { heading: 'USER', text: ({ user }) => user },
  { heading: 'SINCE (UTC)', text: ({ since }) => formatTime(since) },
];
const FILE_COLUMNS: readonly Column<FileItem>[] = [
  { heading: 'FILE', text: ({ file }) => file },
  { heading: 'VERSION', text: ({ version }) => String(version), align: 'right' },
  { heading: 'SIZE', text: ({ totalBytes }) => formatBytes(totalBytes), align: 'right' },
  { heading: 'SHARED BY', text: ({ sharedBy }) => sharedBy },
  { heading: 'SHARED AT (UTC)', text: ({ sharedAt }) => formatTime(sharedAt) },
  { heading: 'COPIES ONLINE', text: copiesInWords, align: 'right' },
  { heading: 'PARTIAL', text: ({ partialCopies }) => String(partialCopies), align: 'right' },
];
const TRANSFER_COLUMNS: readonly Column<TransferView>[] = [
  { heading: 'TRANSFER', text: ({ transferId }) => shortId(transferId) },
  { heading: 'DIRECTION', text: ({ direction }) => direction },
  { heading: 'GROUP', text: ({ group }) => group },
  { heading: 'FILE', text: ({ file }) => file },
  { heading: 'SIZE', text: ({ totalBytes }) => formatBytes(totalBytes), align: 'right' },
  {
    heading: 'DONE',
    text: ({ verifiedBytes, wantedBytes }) => formatPercent(verifiedBytes, wantedBytes),
    align: 'right',
  },
  { heading: 'STATE', text: ({ state, reason }) => (reason === null ? state : `${state} (${reason.code})`) },
  { heading: 'RATE', text: ({ bytesPerSecond }) => formatRate(bytesPerSecond), align: 'right' },
  {
    heading: 'LEFT',
    text: ({ etaSeconds }) => (etaSeconds === null ? '-' : formatSeconds(etaSeconds)),
    align: 'right',
  },
];
const TRANSFER_FILE_COLUMNS: readonly Column<TransferFileItem>[] = [
  { heading: 'FILE', text: ({ path }) => (path === '' ? '(the only one)' : path) },
  { heading: 'SIZE', text: ({ totalBytes }) => formatBytes(totalBytes), align: 'right' },
  {
    heading: 'DONE',
    text: ({ verifiedBytes, totalBytes }) => formatPercent(verifiedBytes, totalBytes),
    align: 'right',
  },
  { heading: 'WANTED', text: ({ priority }) => (priority === 'skip' ? 'no' : priority) },
  { heading: '', text: ({ executable }) => (executable ? 'executable' : '') },
];
const SOURCE_COLUMNS: readonly Column<TransferPeerView>[] = [
  { heading: 'PEER', text: ({ peerId }) => shortId(peerId) },
  { heading: 'USER', text: ({ user }) => user },
  { heading: 'ADDRESS', text: ({ address }) => address },
  { heading: 'STATE', text: ({ state }) => state },
  { heading: 'DELIVERED', text: ({ deliveredBytes }) => formatBytes(deliveredBytes), align: 'right' },
  { heading: 'CORRUPT PIECES', text: ({ corruptPieces }) => String(corruptPieces), align: 'right' },
];
const SESSION_COLUMNS: readonly Column<SessionItem>[] = [
  { heading: 'PEER', text: ({ peerId }) => peerId },
  { heading: 'SINCE (UTC)', text: ({ startedAt }) => formatTime(startedAt) },
  { heading: 'EXPIRES (UTC)', text: ({ expiresAt }) => (expiresAt === null ? '-' : formatTime(expiresAt)) },
  { heading: '', text: ({ current }) => (current ? 'this peer' : '') },
];
const TRACKER_COLUMNS: readonly Column<TrackerView>[] = [
  { heading: 'TRACKER', text: ({ address }) => address },
  { heading: 'STATE', text: trackerStateInWords },
  { heading: 'READ TO', text: ({ appliedOffset }) => (appliedOffset === null ? '-' : String(appliedOffset)) },
  { heading: 'FINGERPRINT', text: ({ fingerprint }) => fingerprint ?? '-' },
];
const API_KEY_COLUMNS: readonly Column<ApiKeyItem>[] = [
  { heading: 'KEY', text: ({ keyId }) => keyId },
  { heading: 'NAME', text: ({ name }) => name },
  { heading: 'SCOPE', text: ({ scope }) => scope },
  { heading: 'MADE AT (UTC)', text: ({ createdAt }) => formatTime(createdAt) },
];

/** How the items of a list are shown, and what is said when there are none. */
interface ListShape<Item> {
  readonly columns: readonly Column<Item>[];
  readonly empty: string;
}

async function showList<Item>(
  invocation: Invocation,
  path: string,
  { columns, empty }: ListShape<Item>,
): Promise<void> {
  const list = await (await invocation.client()).list<Item>(path);
  invocation.show(list, () => renderTable(list.items, columns, empty));
}

const groupPath = (group: string, part: string): string => `/groups/${encodeURIComponent(group)}/${part}`;

/** list_groups. */
export function listGroups(invocation: Invocation): Promise<void> {
  const empty = `There is no group yet. Make one with: ${invocation.typed('create_group <group>')}`;
  return showList(invocation, '/groups', { columns: GROUP_COLUMNS, empty });
}

/** list_members. */
export function listMembers(invocation: Invocation, group: string): Promise<void> {
  return showList(invocation, groupPath(group, 'members'), { columns: MEMBER_COLUMNS, empty: 'Nobody.' });
}

/** list_requests. */
export function listRequests(invocation: Invocation, group: string): Promise<void> {
  const empty = `Nobody is waiting to join ${group}.`;
  return showList(invocation, groupPath(group, 'requests'), { columns: REQUEST_COLUMNS, empty });
}

/** list_files. */
export function listFiles(
  invocation: Invocation,
  group: string,
  { versions = false }: { readonly versions?: boolean },
): Promise<void> {
  const empty = `Nothing is shared in ${group}. Share with: ${invocation.typed(`upload_file ${quotedWord(group)} <path>`)}`;
  const path = `${groupPath(group, 'files')}${versions ? '?versions=all' : ''}`;
  return showList(invocation, path, { columns: FILE_COLUMNS, empty });
}

/** sessions. */
export function listSessions(invocation: Invocation): Promise<void> {
  return showList(invocation, '/sessions', { columns: SESSION_COLUMNS, empty: 'You are logged in nowhere.' });
}

/** show_downloads: `[D] [group] file` while downloading, `[C] [group] file` when complete, and nothing else. */
export async function showDownloads(invocation: Invocation): Promise<void> {
  const { items } = await (await invocation.client()).list<TransferView>('/transfers');
  // What comes for who watches it alone was not asked for as a download.
  const downloads = items.filter(({ direction, temporary }) => direction === 'download' && !temporary);
  invocation.show({ items: downloads }, () => downloads.map(downloadLine).join(''));
}

function downloadLine({ state, group, file }: TransferView): string {
  if (state === 'failed' || state === 'cancelled') return '';
  const mark = state === 'complete' || state === 'seeding' ? 'C' : 'D';
  return `[${mark}] [${group}] ${file}\n`;
}

/** Flags of `transfers`. */
export interface TransferFlags {
  readonly files?: boolean;
}

/** transfers: all of them, or one with where it comes from, or its files. */
export async function showTransfers(
  invocation: Invocation,
  id: string | undefined,
  { files = false }: TransferFlags = {},
): Promise<void> {
  const client = await invocation.client();
  if (id === undefined) {
    const empty = 'No uploads and no downloads.';
    return showList(invocation, '/transfers', { columns: TRANSFER_COLUMNS, empty });
  }
  const transferId = await wholeTransferId(client, id);
  if (files) {
    const empty = 'Its files are not known yet.';
    return showList(invocation, `${transferPath(transferId)}/files`, { columns: TRANSFER_FILE_COLUMNS, empty });
  }
  const transfer = await client.view<TransferView>(transferPath(transferId));
  invocation.show(transfer, () => transferInFull(transfer));
}

function transferInFull(transfer: TransferView): string {
  const { transferId, path, contentId, sha1, startedAt, completedAt, completeCopies, peers } = transfer;
  const facts = [
    ['transfer', transferId],
    ['path', path],
    ['content', contentId ?? '-'],
    [
      'sha1',
      `${sha1 ?? '-'}${transfer.sha1Matches === false ? ' (said by who shared it; the bytes have another one)' : ''}`,
    ],
    ['wanted', wantedInWords(transfer)],
    ['started', formatTime(startedAt)],
    ['completed', formatTime(completedAt)],
    ['others with all of it', completeCopies === null ? '-' : `${completeCopies} online`],
    ['private', transfer.private ? 'it came of a copy in another group: nobody here gets it until seed_file' : '-'],
    ['waits for', waitingFor(transfer) ?? '-'],
    ['rechecked', recheckInWords(transfer.recheck)],
  ] as const;
  const sources = peers.length === 0 ? '' : `\n${renderTable(peers, SOURCE_COLUMNS, '')}`;
  return `${renderTable([transfer], TRANSFER_COLUMNS, '')}\n${renderFacts(facts)}${sources}`;
}

function recheckInWords(recheck: RecheckView | null): string {
  if (recheck === null) return '-';
  const { verdict, endedAt, startedAt, damagedPieces, checkedPieces } = recheck;
  const damage = damagedPieces === 0 ? '' : `, ${damagedPieces} of ${checkedPieces} pieces were damaged`;
  return `${formatTime(endedAt ?? startedAt)} ${verdict ?? 'under way'}${damage}`;
}

/** pause, resume, cancel. */
export async function changeTransfer(
  invocation: Invocation,
  action: 'pause' | 'resume' | 'cancel',
  id: string,
): Promise<void> {
  const client = await invocation.client();
  const transferId = await wholeTransferId(client, id);
  const { body } = await client.change('POST', `${transferPath(transferId)}/${action}`);
  invocation.show(body, () => afterwards(action, body as TransferView));
}

/** What a transfer does now. One that goes on is answered as it was: what it comes to is not known yet. */
function afterwards(action: 'pause' | 'resume' | 'cancel', { group, file, state }: TransferView): string {
  const isAtRest = state === 'paused' || state === 'failed' || state === 'cancelled';
  return `${file} of ${group} ${action === 'resume' && isAtRest ? 'goes on' : `is ${state}`}.\n`;
}

/** remove: forgets a transfer, and with `--data delete` what it downloaded too. */
export async function removeTransfer(
  invocation: Invocation,
  id: string,
  { data }: { readonly data: string },
): Promise<void> {
  const client = await invocation.client();
  const transferId = await wholeTransferId(client, id);
  const path = `${transferPath(transferId)}?data=${encodeURIComponent(data)}`;
  const { body } = await client.change('DELETE', path);
  invocation.show(body, () => `Removed ${transferId}.\n`);
}

/** status. */
export async function showStatus(invocation: Invocation): Promise<void> {
  const status = await (await invocation.client()).view<StatusView>('/status');
  invocation.show(status, () => statusInWords(status, invocation.typed('login <user>')));
}

function trackerStateInWords({ state, active, trouble }: TrackerView): string {
  const why = trouble === null || trouble.reason === state ? '' : ` (${trouble.reason})`;
  return `${state}${why}${active ? ', in use' : ''}`;
}

function statusInWords(status: StatusView, login: string): string {
  const { peerId, user, endedSession, listen, advertise, reachable, transport, outage, trackers } = status;
  const reach =
    reachable === null
      ? 'not known yet'
      : reachable
        ? 'yes'
        : `no: others cannot connect to ${advertise} (--advertise)`;
  const facts = [
    ['peer', peerId],
    ['user', user ?? `nobody is logged in: ${login}`],
    ...(endedSession === null ? [] : [['session', endedSession.detail] as const]),
    ['listens on', `${listen}${transport === 'plain' ? ' (plain)' : ''}`],
    ['told to others', advertise],
    ['reachable', reach],
    ['scrubbing', scrubInWords(status.scrub)],
    ...(status.keeping === null ? [] : [['keeps', keepingInWords(status.keeping)] as const]),
    ['commands', outage === null ? 'are taken' : `fail now: ${outage.detail} (${outage.code})`],
  ] as const;
  const troubles = trackers.flatMap(({ address, trouble }) =>
    trouble === null || trouble.detail === outage?.detail ? [] : [`\n${address}: ${trouble.detail}\n`],
  );
  return `${renderFacts(facts)}\n${renderTable(trackers, TRACKER_COLUMNS, 'No trackers.')}${troubles.join('')}`;
}

/** `2`, or with a wish of the group `2 of 3`. */
function copiesInWords({ completeCopies, wantedCopies }: FileItem): string {
  return wantedCopies === 0 ? String(completeCopies) : `${completeCopies} of ${wantedCopies}`;
}

function scrubInWords({ bytesPerSecond, copy, roundEndedAt, damagedPieces }: ScrubView): string {
  if (bytesPerSecond === null) return 'off (--scrub-rate)';
  const pieces = copy === null ? '' : `${copy.checkedPieces} of ${copy.pieceCount} pieces`;
  const now = copy === null ? '' : `, reads ${copy.file} of ${copy.group} (${pieces})`;
  const round = roundEndedAt === null ? '' : `, all read at ${formatTime(roundEndedAt)}`;
  const damage = damagedPieces === 0 ? '' : `, ${damagedPieces} damaged pieces found`;
  return `${formatByteRate(bytesPerSecond)}${now}${round}${damage}`;
}

function keepingInWords({ copyCount, keptBytes, limitBytes, folder, withoutRoom }: KeepingView): string {
  const lack = withoutRoom === 0 ? '' : `; no room for ${withoutRoom} more that lack copies`;
  const copies = copyCount === 1 ? '1 copy' : `${copyCount} copies`;
  return `${copies}, ${formatBytes(keptBytes)} of ${formatBytes(limitBytes)}, in ${folder}${lack}`;
}

/** api_keys. */
export function listApiKeys(invocation: Invocation): Promise<void> {
  return showList(invocation, '/api-keys', { columns: API_KEY_COLUMNS, empty: 'There are no keys.' });
}

/** create_api_key: the key itself is shown this once. */
export async function createApiKey(invocation: Invocation, name: string, scope: string): Promise<void> {
  const { body } = await (await invocation.client()).change('POST', '/api-keys', { name, scope });
  const { key, keyId } = body as NewApiKeyView;
  const revoke = invocation.typed(`delete_api_key ${keyId}`);
  invocation.show(body, () => `${key}\nIt is not shown again. Revoke it with: ${revoke}\n`);
}

/** delete_api_key. */
export async function deleteApiKey(invocation: Invocation, keyId: string): Promise<void> {
  const { body } = await (await invocation.client()).change('DELETE', `/api-keys/${encodeURIComponent(keyId)}`);
  invocation.show(body, () => `Key ${keyId} is no longer valid.\n`);
}

function formatRate(bytesPerSecond: number): string {
  return bytesPerSecond === 0 ? '-' : `${formatBytes(bytesPerSecond)}/s`;
}

function renderFacts(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}
