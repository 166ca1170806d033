// Owns asking the trackers who has a share, and for the permission to fetch it.
import { randomUUID } from 'node:crypto';
import type { TransferReasonView } from '#wire/control-api';
import { grantFromText } from '#wire/grant';
import { parseHostPort } from '#wire/host-port';
import type { SourcesView, SourceView } from '#wire/tracker-api';
import type { Source } from '../swarm/transfer-engine.ts';
import type { TrackerLink, ViewAnswer } from '../tracker-link/tracker-link.ts';
import type { TransferContext } from './transfer-context.ts';
import { reasonOfRefusal, TRACKERS_UNREACHABLE, VERSION_GONE } from './transfer-reasons.ts';
import { namedShare, type TransferRecord } from './transfer-record.ts';

/** From whom to fetch, and with which grant. */
export interface FetchPermission {
  readonly grant: Uint8Array;
  readonly grantExpiresAtMs: number;
  readonly sources: readonly Source[];
}

type Parts = Pick<TransferContext, 'link' | 'transport' | 'counts'>;

/** Permission to fetch a share, recorded first where this peer has none yet; or why there is none. */
export async function askPermission(
  parts: Parts,
  record: TransferRecord,
): Promise<FetchPermission | TransferReasonView> {
  const known = await findPermission(parts, record);
  if (known !== null) return known;
  return (await recordPermission(parts, record)) ?? (await findPermission(parts, record)) ?? TRACKERS_UNREACHABLE;
}

/** What the trackers say now: permission, null where they give none without a record of `download_file`, or why not. */
async function findPermission(
  { link, transport, counts }: Parts,
  record: TransferRecord,
): Promise<FetchPermission | TransferReasonView | null> {
  const answer = await sourcesOf(link, record);
  if (answer.status !== 'accepted') return reasonOfRefusal(answer);
  const { view } = answer;
  if (view.share.shareId !== record.share?.shareId) return VERSION_GONE;
  // Also which version it is, which one that was begun before there were any does not know.
  record.share = view.share;
  counts.note(view.share.shareId, view.sources.filter(({ role }) => role === 'seeder').length);
  const grant = view.grant === null ? null : grantFromText(view.grant);
  if (grant === null) return null;
  // Only sources that speak as this peer does can be used.
  const sources = view.sources.filter((source) => source.transport === transport).map(sourceOf);
  return { grant, grantExpiresAtMs: view.grantExpiresAtMs ?? 0, sources };
}

/** Permission to go on fetching. Null while what there is holds, although no tracker gives another; or why it ended. */
export async function renewedPermission(
  parts: Parts & Pick<TransferContext, 'now'>,
  record: TransferRecord,
  grantExpiresAtMs: number,
): Promise<FetchPermission | TransferReasonView | null> {
  const known = await findPermission(parts, record);
  if (known !== null || grantExpiresAtMs > parts.now()) return known;
  return recordPermission(parts, record);
}

/** Asks the log for permission to fetch. Null when it gives it, or why not. */
async function recordPermission({ link }: Parts, record: TransferRecord): Promise<TransferReasonView | null> {
  const stamp = { commandId: randomUUID(), user: record.user };
  const answer = await link.command('download_file', namedShare(record), stamp);
  return answer.status === 'accepted' ? null : reasonOfRefusal(answer);
}

/** Of the version that the transfer is of, also when it is the first and not the newest any more without knowing it. */
export async function sourcesOf(link: TrackerLink, record: TransferRecord): Promise<ViewAnswer<SourcesView>> {
  const answer = await link.findSources(namedShare(record));
  if (answer.status !== 'accepted' || record.share?.version !== undefined) return answer;
  const { shareId, version } = answer.view.share;
  if (version === undefined || shareId === record.share?.shareId) return answer;
  return link.findSources({ ...namedShare(record), version: 1 });
}

/** A share as the trackers name it now: one that was shared before there were versions is the first. Null when they do not say. */
export async function namedAsNow(
  link: TrackerLink,
  record: TransferRecord,
): Promise<ReturnType<typeof namedShare> | null> {
  const named = namedShare(record);
  if (named.version !== undefined) return named;
  const answer = await link.findSources(named);
  if (answer.status !== 'accepted') return null;
  return answer.view.share.version === undefined ? named : { ...named, version: 1 };
}

function sourceOf({ peerId, user, addresses }: SourceView): Source {
  return {
    peerId,
    user,
    addresses: addresses.flatMap((text) => {
      const parsed = parseHostPort(text);
      return parsed.ok ? [parsed.address] : [];
    }),
  };
}
