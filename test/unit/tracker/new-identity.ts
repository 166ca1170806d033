// A tracker's identity for tests, without the certificate that only connections need.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Identity, idOfPublicKey } from '#identity/identity';

export function newIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey);
}

/** The identity of an Ed25519 key in PKCS #8, hex. */
export function identityOfSecret(secret: string): Identity {
  return identityOf(createPrivateKey({ key: Buffer.from(secret, 'hex'), format: 'der', type: 'pkcs8' }));
}

function identityOf(privateKey: KeyObject): Identity {
  const publicKeyDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { id: idOfPublicKey(publicKeyDer), privateKey, keyPem: '', certificatePem: '', publicKeyDer };
}
