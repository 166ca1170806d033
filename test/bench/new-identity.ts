// Owns keys that live in memory alone, for the many peers of a benchmark, and for hostile ones.
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import { idOfPublicKey } from '#identity/identity';
import type { CrowdIdentity } from './crowd-peer.ts';

/** A key with its certificate and its id. */
export async function newIdentity(): Promise<CrowdIdentity & { readonly id: string }> {
  const keys = (await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=cohort', notAfter: new Date(Date.now() + 86_400_000), signingAlgorithm: { name: 'Ed25519' }, keys },
    webcrypto as unknown as Crypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  const id = idOfPublicKey(new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey)));
  return { keyPem, certificatePem: certificate.toString('pem'), id };
}
