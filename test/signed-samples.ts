// Owns what tests of signatures sign by way of example, and the key that they sign it with.
import { createPublicKey } from 'node:crypto';
import type { Checkpoint } from '#domain/checkpoint';
import type { GrantClaims } from '#wire/grant';
import { identityOfSecret } from './unit/tracker/new-identity.ts';

/** The secret key of test 1 in RFC 8032, section 7.1. */
export const KNOWN_KEY = identityOfSecret(
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
).privateKey;
export const KNOWN_PUBLIC_KEY = createPublicKey(KNOWN_KEY);

/** What a grant may claim. */
export const CLAIMS: GrantClaims = {
  logId: '11'.repeat(32),
  trackerId: '22'.repeat(32),
  groupId: 5,
  shareId: 2 ** 40,
  contentId: '33'.repeat(32),
  user: 'zoë',
  peerId: '44'.repeat(32),
  asOfOffset: 77,
  expiresAtMs: 1_800_000_000_000,
};

/** What the note of a checkpoint may say. */
export const CHECKPOINT: Checkpoint = {
  logId: '11'.repeat(32),
  size: 20_852_163,
  root: '22'.repeat(32),
  digest: '33'.repeat(32),
  rulesVersion: 1,
  build: 'cohort 0.1.0',
};
