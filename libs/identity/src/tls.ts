// Owns how two nodes know each other on a connection: mutual TLS 1.3 with self-signed certificates, where TLS itself
// checks nothing, so whoever uses these options compares the key's id before the first byte.
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';
import { type Identity, idOfPublicKey } from './identity.ts';

/** AES-128-GCM first: the fastest suite on processors with AES instructions. */
const CIPHER_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';

/** TLS options for both ends. `rejectUnauthorized` is off because the caller compares `idOfSocket` with the id it expects. */
export function mutualTlsOptions(
  identity: Pick<Identity, 'keyPem' | 'certificatePem'>,
): SecureContextOptions & Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'> {
  return {
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHER_SUITES,
    requestCert: true,
    rejectUnauthorized: false,
  };
}

/** The id of whoever is at the other end of a connected TLS socket, or null when it showed no Ed25519 certificate. */
export function idOfSocket(socket: TLSSocket): string | null {
  const key = socket.getPeerX509Certificate()?.publicKey;
  if (key?.asymmetricKeyType !== 'ed25519') return null;
  return idOfPublicKey(key.export({ type: 'spki', format: 'der' }));
}
