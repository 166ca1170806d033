// Identities for tests, without the certificate that only connections need.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Identity, idOfPublicKey } from '#identity/identity';

/** RFC 8410: a PKCS #8 Ed25519 key is this and 32 bytes. */
const PKCS8_PREFIX = '302e020100300506032b657004220420';

/** An identity that nobody has had before. */
export function newIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey);
}

/** The identity of an Ed25519 secret of 32 bytes, hex. */
export function identityOfSecret(secret: string): Identity {
  const key = Buffer.from(PKCS8_PREFIX + secret, 'hex');
  return identityOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
}

function identityOf(privateKey: KeyObject): Identity {
  const publicKeyDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { id: idOfPublicKey(publicKeyDer), privateKey, keyPem: '', certificatePem: '', publicKeyDer };
}
