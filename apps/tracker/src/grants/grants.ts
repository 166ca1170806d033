// Owns the grants: a tracker signs one only for a logged-in member's peer whose `download_file` of the share stands in the
// log, and signs none once the log has been silent for ten minutes, since it may not have heard of a revocation, nor while
// a checkpoint disputes what it has.
import { sign } from 'node:crypto';
import type { Group, Share, State } from '#domain/state';
import type { Identity } from '#identity/identity';
import { grantToText, sealGrant } from '#wire/grant';
import { GRANT_LIFETIME_MS } from '#wire/limits';
import type { GrantView } from '#wire/tracker-api';
import type { Replica } from '../replica/replica.ts';

/** How long grants are given without hearing from the log. */
export const LOG_SILENCE_MAX_MS = 600_000;

/** Who asks for a grant, and for what. */
export interface GrantRequest {
  readonly group: Group;
  readonly share: Share;
  readonly user: string;
  readonly peerId: string;
}

/** Signs grants with this tracker's key. */
export class GrantIssuer {
  readonly #replica: Pick<Replica, 'state' | 'logSilentMs' | 'isDisputed'>;
  readonly #identity: Pick<Identity, 'id' | 'privateKey'>;
  readonly #now: () => number;

  constructor(from: {
    replica: Pick<Replica, 'state' | 'logSilentMs' | 'isDisputed'>;
    identity: Pick<Identity, 'id' | 'privateKey'>;
    now: () => number;
  }) {
    this.#replica = from.replica;
    this.#identity = from.identity;
    this.#now = from.now;
  }

  /** Whether no grants are given at all: the log has been silent for too long, or a checkpoint disputes the state. */
  get isSuspended(): boolean {
    return this.#replica.isDisputed || this.#replica.logSilentMs() > LOG_SILENCE_MAX_MS;
  }

  /** A grant of two minutes; null when nothing allows this peer to download, or grants are suspended. */
  issue(request: GrantRequest): GrantView | null {
    const { state } = this.#replica;
    if (this.isSuspended || state.logId === null || !mayDownload(state, request)) return null;
    const grantExpiresAtMs = this.#now() + GRANT_LIFETIME_MS;
    const claims = {
      logId: state.logId,
      trackerId: this.#identity.id,
      groupId: request.group.id,
      shareId: request.share.id,
      contentId: request.share.contentId,
      user: request.user,
      peerId: request.peerId,
      asOfOffset: state.appliedOffset,
      expiresAtMs: grantExpiresAtMs,
    };
    const grant = sealGrant(claims, (message) => sign(null, message, this.#identity.privateKey));
    return { grant: grantToText(grant), grantExpiresAtMs };
  }
}

function mayDownload(state: State, { group, share, user, peerId }: GrantRequest): boolean {
  const isLoggedIn = state.sessions.get(peerId)?.user === user;
  return isLoggedIn && group.members.has(user) && share.downloaders?.get(peerId) === user;
}
