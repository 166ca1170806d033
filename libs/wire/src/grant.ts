// Owns the grant: a tracker's signed permission for one peer to fetch one content, checked by a seeder offline. The signed
// bytes begin with a text of their own, so a signature made for anything else can never pass for a grant.
//
//   grant     = claims signature
//   claims    = "cohort grant v1" 0x0a logId:32*u8 trackerId:32*u8 groupId:u64 shareId:u64 contentId:32*u8 peerId:32*u8
//               asOfOffset:u64 expiresAtMs:u64 userBytes:u16 user:userBytes*UTF-8     integers big-endian
//   signature = 64*u8                                                                  Ed25519 over claims
import { USER_NAME_BYTES_MAX } from '#domain/names';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { GRANT_BYTES_MAX, GRANT_CLOCK_SKEW_MAX_MS, GRANT_LIFETIME_MS } from './limits.ts';

/** What a grant says. Ids that are digests are 64 lowercase hex characters; times are milliseconds since 1970. */
export interface GrantClaims {
  readonly logId: string;
  /** The tracker that signed. */
  readonly trackerId: string;
  /** A group's and a share's id is the offset that made it. */
  readonly groupId: number;
  readonly shareId: number;
  readonly contentId: string;
  readonly user: string;
  /** The downloader. */
  readonly peerId: string;
  /** Last record that the tracker had applied when it signed. */
  readonly asOfOffset: number;
  readonly expiresAtMs: number;
}

/** Ed25519 signature of a message, 64 bytes. */
export type SignGrant = (message: Uint8Array) => Uint8Array;
/** Whether `trackerId` is a trusted tracker and the signature is its own. */
export type VerifyGrant = (trackerId: string, message: Uint8Array, signature: Uint8Array) => boolean;

/** What a seeder knows about the request that a grant has to allow. */
export interface GrantExpectation {
  readonly nowMs: number;
  readonly logId: string;
  readonly groupId: number;
  readonly shareId: number;
  readonly contentId: string;
  /** The caller's id by its TLS key. */
  readonly peerId: string;
  /** Offset of the latest revocation that concerns this share, peer or user; null when there is none. */
  readonly revokedAsOf: number | null;
}

/** Why a grant that a tracker signed opens nothing here and now. */
export type GrantRefusal =
  'other_log' | 'other_peer' | 'other_group' | 'other_share' | 'other_content' | 'expired' | 'too_long' | 'revoked';

/** What a sealed grant says, or why it says nothing. */
export type OpenedGrant =
  | { readonly ok: true; readonly claims: GrantClaims }
  | { readonly ok: false; readonly reason: 'grant_malformed' | 'grant_not_signed' };

const DOMAIN = new TextEncoder().encode('cohort grant v1\n');
const ID_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The bytes that a tracker signs. Throws on claims out of their range: a tracker never has such. */
export function encodeGrantClaims(claims: GrantClaims): Uint8Array {
  return new ByteWriter()
    .bytes(DOMAIN)
    .hex(claims.logId, ID_BYTES)
    .hex(claims.trackerId, ID_BYTES)
    .u64(claims.groupId)
    .u64(claims.shareId)
    .hex(claims.contentId, ID_BYTES)
    .hex(claims.peerId, ID_BYTES)
    .u64(claims.asOfOffset)
    .u64(claims.expiresAtMs)
    .text16(claims.user)
    .finish();
}

/** A grant: the claims with their signature. */
export function sealGrant(claims: GrantClaims, sign: SignGrant): Uint8Array {
  const message = encodeGrantClaims(claims);
  return new ByteWriter().bytes(message).bytes(sign(message)).finish();
}

/** The claims of a grant whose signature holds. It says nothing yet about what is asked for: see `checkGrant`. */
export function openGrant(bytes: Uint8Array, { verify }: { readonly verify: VerifyGrant }): OpenedGrant {
  const claims = decodeClaims(bytes);
  if (claims === null) return { ok: false, reason: 'grant_malformed' };
  const message = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES);
  return verify(claims.trackerId, message, signature)
    ? { ok: true, claims }
    : { ok: false, reason: 'grant_not_signed' };
}

/** Why a genuine grant does not allow this request now, or null when it does. */
export function checkGrant(claims: GrantClaims, expected: GrantExpectation): GrantRefusal | null {
  if (claims.logId !== expected.logId) return 'other_log';
  if (claims.peerId !== expected.peerId) return 'other_peer';
  if (claims.groupId !== expected.groupId) return 'other_group';
  if (claims.shareId !== expected.shareId) return 'other_share';
  if (claims.contentId !== expected.contentId) return 'other_content';
  if (expected.nowMs >= claims.expiresAtMs) return 'expired';
  // No tracker signs for so long, nor for a time so far ahead: a key in wrong hands opens no door for good.
  if (claims.expiresAtMs > expected.nowMs + GRANT_LIFETIME_MS + GRANT_CLOCK_SKEW_MAX_MS) return 'too_long';
  if (expected.revokedAsOf !== null && claims.asOfOffset < expected.revokedAsOf) return 'revoked';
  return null;
}

/** A grant as text for JSON: base64url without padding. */
export function grantToText(grant: Uint8Array): string {
  return grant.toBase64({ alphabet: 'base64url', omitPadding: true });
}

/** The grant that `grantToText` wrote, or null when it would not have written this text. */
export function grantFromText(text: string): Uint8Array | null {
  if (text.length > Math.ceil((GRANT_BYTES_MAX * 4) / 3) || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) {
    return null;
  }
  const grant = Uint8Array.fromBase64(text, { alphabet: 'base64url' });
  return grantToText(grant) === text ? grant : null;
}

function decodeClaims(bytes: Uint8Array): GrantClaims | null {
  if (bytes.length > GRANT_BYTES_MAX) return null;
  const reader = new ByteReader(bytes);
  const isGrant = reader.hex(DOMAIN.length) === DOMAIN.toHex();
  const logId = reader.hex(ID_BYTES);
  const trackerId = reader.hex(ID_BYTES);
  const groupId = reader.u64();
  const shareId = reader.u64();
  const contentId = reader.hex(ID_BYTES);
  const peerId = reader.hex(ID_BYTES);
  const asOfOffset = reader.u64();
  const expiresAtMs = reader.u64();
  const userBytes = reader.u16();
  const user = reader.text(userBytes);
  const isWhole = reader.problem === null && reader.remainingBytes === SIGNATURE_BYTES;
  if (!isGrant || !isWhole || userBytes === 0 || userBytes > USER_NAME_BYTES_MAX) return null;
  return { logId, trackerId, groupId, shareId, contentId, user, peerId, asOfOffset, expiresAtMs };
}
