// Owns asking the trackers who has a share, and for the permission to fetch it.
import { randomUUID } from 'node:crypto';
import type { TransferReasonView } from '#wire/control-api';
import { grantFromText } from '#wire/grant';
import { parseHostPort } from '#wire/host-port';
import type { SourceView } from '#wire/tracker-api';
import type { Source } from '../swarm/transfer-engine.ts';
import type { TransferContext } from './transfer-context.ts';
import { reasonOfRefusal, SHARE_REMOVED, TRACKERS_UNREACHABLE } from './transfer-reasons.ts';
import type { TransferRecord } from './transfer-record.ts';

/** From whom to fetch, and with which grant. */
export interface FetchPermission {
  readonly grant: Uint8Array;
  readonly grantExpiresAtMs: number;
  readonly sources: readonly Source[];
}

type Parts = Pick<TransferContext, 'link' | 'transport'>;

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
export async function findPermission(
  { link, transport }: Parts,
  { group, file, share }: TransferRecord,
): Promise<FetchPermission | TransferReasonView | null> {
  const answer = await link.findSources({ group, file });
  if (answer.status !== 'accepted') return reasonOfRefusal(answer);
  const { view } = answer;
  if (view.share.shareId !== share?.shareId) return SHARE_REMOVED;
  const grant = view.grant === null ? null : grantFromText(view.grant);
  if (grant === null) return null;
  // Only sources that speak as this peer does can be used.
  const sources = view.sources.filter((source) => source.transport === transport).map(sourceOf);
  return { grant, grantExpiresAtMs: view.grantExpiresAtMs ?? 0, sources };
}

/** Asks the log for permission to fetch. Null when it gives it, or why not. */
export async function recordPermission(
  { link }: Parts,
  { group, file, user }: TransferRecord,
): Promise<TransferReasonView | null> {
  const answer = await link.command('download_file', { group, file }, { commandId: randomUUID(), user });
  return answer.status === 'accepted' ? null : reasonOfRefusal(answer);
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
