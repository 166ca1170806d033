// Owns asking the trackers who has a share, and for the permission to fetch it.
import { randomUUID } from 'node:crypto';
import type { TransferReasonView } from '#wire/control-api';
import { grantFromText } from '#wire/grant';
import { parseHostPort } from '#wire/host-port';
import type { SourcesView, SourceView } from '#wire/tracker-api';
import type { Source } from '../swarm/transfer-engine.ts';
import type { TransferContext } from './transfer-context.ts';
import { reasonOfRefusal, SHARE_REMOVED, TRACKERS_UNREACHABLE } from './transfer-reasons.ts';
import type { TransferRecord } from './transfer-record.ts';

/** From whom to fetch, and with which grant. */
export interface FetchPermission {
  readonly grant: Uint8Array;
  readonly sources: readonly Source[];
}

type Parts = Pick<TransferContext, 'link' | 'transport'>;

/** The sources that speak as this peer does. */
export function usableSources({ sources }: SourcesView, transport: Parts['transport']): Source[] {
  return sources.filter((source) => source.transport === transport).map(sourceOf);
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

/** Permission to fetch a share, by a record of `download_file` where this peer has none yet; or why there is none. */
export async function askPermission(
  { link, transport }: Parts,
  { group, file, user, share }: TransferRecord,
): Promise<FetchPermission | TransferReasonView> {
  for (let isRecorded = false; ; isRecorded = true) {
    const answer = await link.findSources({ group, file });
    if (answer.status !== 'accepted') return reasonOfRefusal(answer);
    if (answer.view.share.shareId !== share?.shareId) return SHARE_REMOVED;
    const grant = answer.view.grant === null ? null : grantFromText(answer.view.grant);
    if (grant !== null) return { grant, sources: usableSources(answer.view, transport) };
    if (isRecorded) return TRACKERS_UNREACHABLE;
    const recorded = await link.command('download_file', { group, file }, { commandId: randomUUID(), user });
    if (recorded.status !== 'accepted') return reasonOfRefusal(recorded);
  }
}
