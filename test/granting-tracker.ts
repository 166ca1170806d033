// Owns a tracker that is only a key, for engines that are tested and measured without one: it signs whatever grant is asked for.
import { generateKeyPairSync, sign } from 'node:crypto';
import { idOfPublicKey } from '#identity/identity';
import { type GrantClaims, sealGrant } from '#wire/grant';
import { GRANT_CLOCK_SKEW_MAX_MS, GRANT_LIFETIME_MS } from '#wire/limits';

/** As long as seeders take one. */
const GRANT_MS = GRANT_LIFETIME_MS + GRANT_CLOCK_SKEW_MAX_MS - 10_000;
const keys = generateKeyPairSync('ed25519');
const publicKeyDer = keys.publicKey.export({ type: 'spki', format: 'der' });

export const LOG_ID = 'ab'.repeat(32);
export const TRACKER = { trackerId: idOfPublicKey(publicKeyDer), publicKeyDer };

type StampedClaims = 'logId' | 'trackerId' | 'asOfOffset' | 'expiresAtMs';

/** A grant as that tracker would sign it, for almost seven minutes from now unless the claims say otherwise. */
export function signedGrant(
  claims: Omit<GrantClaims, StampedClaims> & Partial<Pick<GrantClaims, StampedClaims>>,
): Uint8Array {
  const stamps = { logId: LOG_ID, trackerId: TRACKER.trackerId, asOfOffset: 10, expiresAtMs: Date.now() + GRANT_MS };
  return sealGrant({ ...stamps, ...claims }, (message) => sign(null, message, keys.privateKey));
}
