// Owns the sealed text that travels beside a record which sets a password, and the commitment that ties the two:
//
//   sealed     = nonce:base64url(32 bytes) SP phc       phc = "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>"
//   commitment = hex(SHA-256(nonce ‖ phc as UTF-8))     stands in the record
//
// Without the sealed text a log still verifies and no password can be guessed: the nonce hides the hash.
import { hash, randomBytes } from 'node:crypto';

/** A password hash with what binds it to its record. */
export interface SealedPassword {
  /** What travels beside the record. */
  readonly sealed: string;
  /** What stands in the record: 64 lowercase hex characters. */
  readonly commitment: string;
}

const NONCE_BYTES = 32;
const SEALED = /^([A-Za-z0-9_-]{43}) (\$argon2id\$\S{1,200})$/;

/** Seals a password hash (PHC text) under a fresh nonce. */
export function sealPassword(phc: string): SealedPassword {
  const nonce = randomBytes(NONCE_BYTES);
  return { sealed: `${nonce.toString('base64url')} ${phc}`, commitment: commitmentOf(nonce, phc) };
}

/** The password hash (PHC text) of a sealed text that the commitment fits, or null. */
export function openSealed(sealed: string | null, commitment: string): string | null {
  const match = sealed === null ? null : SEALED.exec(sealed);
  if (match === null) return null;
  const nonce = Buffer.from(match[1]!, 'base64url');
  const phc = match[2]!;
  return commitmentOf(nonce, phc) === commitment ? phc : null;
}

function commitmentOf(nonce: Uint8Array, phc: string): string {
  return hash('sha256', Buffer.concat([nonce, Buffer.from(phc)]), 'hex');
}
