// Facts about grants, with real Ed25519 keys: what a seeder may be shown, and what it must refuse.
import { sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkGrant,
  encodeGrantClaims,
  type GrantClaims,
  type GrantExpectation,
  grantFromText,
  grantToText,
  openGrant,
  sealGrant,
} from '#wire/grant';
import { GRANT_CLOCK_SKEW_MAX_MS, GRANT_LIFETIME_MS } from '#wire/limits';
import { CLAIMS, KNOWN_KEY, KNOWN_PUBLIC_KEY } from '../../signed-samples.ts';

const LONGEST_MS = GRANT_LIFETIME_MS + GRANT_CLOCK_SKEW_MAX_MS;

const CLAIMS_HEX =
  '636f686f7274206772616e742076310a' + // "cohort grant v1\n"
  '11'.repeat(32) +
  '22'.repeat(32) +
  '0000000000000005' +
  '0000010000000000' +
  '33'.repeat(32) +
  '44'.repeat(32) +
  '000000000000004d' +
  '000001a3185c5000' +
  '00047a6fc3ab';

const SIGNATURE_HEX =
  '6052ad0b53853f28bcb4e964d2090fe67fda3d02759ea1b6b1d7215659071433da5d46831850240ffe9a25cec6c4e89fba6dc5977e4a55cdcf7c9026d6123c09';

const signGrant = (message: Uint8Array): Uint8Array => sign(null, message, KNOWN_KEY);
const trust = {
  verify: (trackerId: string, message: Uint8Array, signature: Uint8Array): boolean =>
    trackerId === CLAIMS.trackerId && verify(null, message, KNOWN_PUBLIC_KEY, signature),
};
const sealed = sealGrant(CLAIMS, signGrant);

const hexId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex());
const anyClaims: fc.Arbitrary<GrantClaims> = fc.record({
  logId: hexId,
  trackerId: fc.constant(CLAIMS.trackerId),
  groupId: fc.maxSafeNat(),
  shareId: fc.maxSafeNat(),
  contentId: hexId,
  user: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((user) => Buffer.byteLength(user) <= 64),
  peerId: hexId,
  asOfOffset: fc.maxSafeNat(),
  expiresAtMs: fc.maxSafeNat(),
});

describe('sealing and opening', () => {
  it('the signed bytes are exactly these', () => {
    expect(encodeGrantClaims(CLAIMS).toHex()).toBe(CLAIMS_HEX);
    expect(sealed.toHex()).toBe(CLAIMS_HEX + SIGNATURE_HEX);
  });

  it('opening gives back what was sealed', () => {
    fc.assert(
      fc.property(anyClaims, (any) => {
        expect(openGrant(sealGrant(any, signGrant), trust)).toEqual({ ok: true, claims: any });
      }),
      { numRuns: 50 },
    );
  });

  it('a grant cut off anywhere or with a byte too many is malformed', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(openGrant(sealed.subarray(0, length), trust)).toEqual({ ok: false, reason: 'grant_malformed' });
    }
    expect(openGrant(new Uint8Array([...sealed, 0]), trust)).toEqual({ ok: false, reason: 'grant_malformed' });
    expect(openGrant(new Uint8Array(513), trust)).toEqual({ ok: false, reason: 'grant_malformed' });
  });

  it('a grant with any bit turned does not open', () => {
    for (let position = 0; position < sealed.length; position++) {
      const forged = sealed.slice();
      forged[position]! ^= 1;
      expect(openGrant(forged, trust), `byte ${position}`).toMatchObject({ ok: false });
    }
  });

  it('a tracker that is not trusted signs in vain', () => {
    const stranger = sealGrant({ ...CLAIMS, trackerId: '55'.repeat(32) }, signGrant);
    expect(openGrant(stranger, trust)).toEqual({ ok: false, reason: 'grant_not_signed' });
  });

  it('a signature made for something else does not make a grant', () => {
    const message = encodeGrantClaims(CLAIMS);
    const elsewhere = signGrant(message.subarray(16));
    expect(openGrant(new Uint8Array([...message, ...elsewhere]), trust)).toMatchObject({ reason: 'grant_not_signed' });
  });

  it.each([
    ['an empty user', ''],
    ['a user of 65 bytes', 'x'.repeat(65)],
  ])('a grant for %s is malformed', (_, user) => {
    expect(openGrant(sealGrant({ ...CLAIMS, user }, signGrant), trust)).toMatchObject({ reason: 'grant_malformed' });
  });

  it.each([
    ['an id that is no digest', { peerId: 'ab' }],
    ['a negative offset', { asOfOffset: -1 }],
    ['an expiry with a fraction', { expiresAtMs: 0.5 }],
  ])('sealing %s is a bug and throws', (_, wrong) => {
    expect(() => sealGrant({ ...CLAIMS, ...wrong }, signGrant)).toThrow(RangeError);
  });
});

describe('checking', () => {
  const expected: GrantExpectation = {
    nowMs: CLAIMS.expiresAtMs - 1,
    logId: CLAIMS.logId,
    groupId: CLAIMS.groupId,
    shareId: CLAIMS.shareId,
    contentId: CLAIMS.contentId,
    peerId: CLAIMS.peerId,
    revokedAsOf: null,
  };

  it.each<[string, Partial<GrantExpectation>]>([
    ['what it was made for', {}],
    ['a seeder whose clock is as far behind as may be', { nowMs: CLAIMS.expiresAtMs - LONGEST_MS }],
    ['a request after a revocation that its tracker had seen', { revokedAsOf: CLAIMS.asOfOffset }],
  ])('a grant allows %s', (_, change) => {
    expect(checkGrant(CLAIMS, { ...expected, ...change })).toBeNull();
  });

  const other = '66'.repeat(32);
  it.each<[string, Partial<GrantExpectation>, string]>([
    ['of another log', { logId: other }, 'other_log'],
    ['by another peer', { peerId: other }, 'other_peer'],
    ['in another group', { groupId: 6 }, 'other_group'],
    ['of another share', { shareId: 6 }, 'other_share'],
    ['of other content', { contentId: other }, 'other_content'],
    ['at its expiry', { nowMs: CLAIMS.expiresAtMs }, 'expired'],
    ['longer before its expiry than any is valid', { nowMs: CLAIMS.expiresAtMs - LONGEST_MS - 1 }, 'too_long'],
    ['older than a revocation', { revokedAsOf: CLAIMS.asOfOffset + 1 }, 'revoked'],
  ])('a request %s is refused', (_, change, reason) => {
    expect(checkGrant(CLAIMS, { ...expected, ...change })).toBe(reason);
  });
});

describe('as text', () => {
  it('text gives back the grant', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 512 }), (bytes) => {
        const text = grantToText(bytes);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(grantFromText(text)).toEqual(bytes);
      }),
    );
  });

  it.each(['', 'A', 'AA==', 'A A', 'AB', 'A+/A', 'ÄÄ', 'A'.repeat(700)])('"%s" is no grant', (text) => {
    expect(grantFromText(text)).toBeNull();
  });
});
