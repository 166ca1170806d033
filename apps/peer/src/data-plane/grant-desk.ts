// Owns whether a caller may have a share: trusted trackers, the log they belong to, and revocations. Offline: nothing is asked
// of a tracker. A revocation is forgotten when every grant that is older has expired for certain.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { checkGrant, type GrantClaims, openGrant } from '#wire/grant';
import { GRANT_CLOCK_SKEW_MAX_MS, GRANT_LIFETIME_MS } from '#wire/limits';
import type { CloseCode } from '#wire/transfer-frame';
import type { LaneRevocation, LaneShare, LaneTrust } from './lane-messages.ts';

/** Longer than a tracker that has lost the log goes on renewing (10 minutes), and what it signs last is taken after that. */
const REVOCATION_LIFETIME_MS = 10 * 60_000 + GRANT_LIFETIME_MS + 2 * GRANT_CLOCK_SKEW_MAX_MS;

/** What a caller asks for, as the listening side knows it. */
export interface Admission {
  readonly share: LaneShare;
  readonly contentId: string;
  readonly peerId: string;
}

interface HeldRevocation {
  readonly revocation: LaneRevocation;
  readonly untilMs: number;
}

/** The grant checks of one worker. */
export class GrantDesk {
  #logId: string | null = null;
  #keys = new Map<string, KeyObject>();
  #revocations: HeldRevocation[] = [];

  trust(trust: LaneTrust): void {
    this.#logId = trust.logId;
    this.#keys = new Map(
      trust.trackers.map(({ trackerId, publicKeyDer }) => [
        trackerId,
        createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' }),
      ]),
    );
  }

  revoke(revocation: LaneRevocation, nowMs: number): void {
    this.#revocations = this.#revocations.filter(({ untilMs }) => untilMs > nowMs);
    this.#revocations.push({ revocation, untilMs: nowMs + REVOCATION_LIFETIME_MS });
  }

  /** The claims of a grant that a trusted tracker signed, or why there are none. */
  open(grant: Uint8Array): GrantClaims | CloseCode {
    const opened = openGrant(grant, {
      verify: (trackerId, message, signature) => {
        const key = this.#keys.get(trackerId);
        return key !== undefined && verify(null, message, key, signature);
      },
    });
    return opened.ok ? opened.claims : opened.reason;
  }

  /** Why genuine claims do not admit this caller now, or null. */
  refusal(claims: GrantClaims, { share, contentId, peerId }: Admission, nowMs: number): CloseCode | null {
    const reason = checkGrant(claims, {
      nowMs,
      logId: this.#logId ?? '',
      ...share,
      contentId,
      peerId,
      revokedAsOf: this.#revokedAsOf(claims),
    });
    if (reason === null) return null;
    if (reason === 'expired') return 'grant_expired';
    return reason === 'revoked' ? 'grant_revoked' : 'grant_mismatch';
  }

  #revokedAsOf(claims: GrantClaims): number | null {
    let latest: number | null = null;
    for (const { revocation } of this.#revocations) {
      if (concerns(revocation, claims)) latest = Math.max(latest ?? 0, revocation.asOfOffset);
    }
    return latest;
  }
}

/** Whether every field that a revocation names fits the claims. */
export function concerns(revocation: LaneRevocation, claims: GrantClaims): boolean {
  const { groupId, shareId, peerId, user } = revocation;
  return (
    (groupId === undefined || groupId === claims.groupId) &&
    (shareId === undefined || shareId === claims.shareId) &&
    (peerId === undefined || peerId === claims.peerId) &&
    (user === undefined || user === claims.user)
  );
}
