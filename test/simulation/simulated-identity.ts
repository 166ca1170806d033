// Owns keys that follow from a name and a seed, so that ids, signatures and digests replay. There are no certificates here:
// the simulated network shows whose key it is by itself.
import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import { type Identity, idOfPublicKey } from '#identity/identity';

/** RFC 8410: a PKCS #8 Ed25519 key is this and 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The identity of a peer or tracker. */
export function identityOf(name: string): Identity {
  const der = Buffer.concat([PKCS8_PREFIX, hash('sha256', `simulated ${name}`, 'buffer')]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKeyDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { id: idOfPublicKey(publicKeyDer), privateKey, publicKeyDer, keyPem: '', certificatePem: '' };
}
