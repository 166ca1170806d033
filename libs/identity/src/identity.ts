// Owns a node's key and self-signed certificate in its data directory. The key is the identity: the id of a peer or a
// tracker is the SHA-256 of its public key, so a certificate made anew for the same key changes nothing.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirUnusable } from './data-dir-lock.ts';
import { readTextIfThere, ReplacedFile } from './durable-file.ts';

/** A node's Ed25519 key pair with its certificate; `id` is 64 lowercase hex characters, SHA-256 of the SPKI DER. */
export interface Identity {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly publicKeyDer: Uint8Array;
}

const VALID_YEARS = 30;
const OWNER_MODE = 0o600;
/** Permissions of anybody but the owner. */
const OTHERS_MODE = 0o077;

/** The id that belongs to a public key in SPKI DER form: 64 lowercase hex characters. */
export function idOfPublicKey(publicKeyDer: Uint8Array): string {
  return createHash('sha256').update(publicKeyDer).digest('hex');
}

/** The public key in SPKI DER form, or null for bytes that are no Ed25519 key: keys of other kinds can cost much to check. */
export function ed25519KeyOf(publicKeyDer: Uint8Array): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}

/**
 * Reads `identity.key` and `identity.crt` (PEM) from the data directory, and makes what is missing (the directory too,
 * for its owner only). A key that others may read is theirs no more. Throws DataDirUnusable when a file is there and is not an
 * Ed25519 key or does not fit its certificate.
 */
export async function loadOrCreateIdentity(dataDirectory: string): Promise<Identity> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const keyFile = join(dataDirectory, 'identity.key');
  const certificateFile = join(dataDirectory, 'identity.crt');
  const keyPem = (await readTextIfThere(keyFile)) ?? (await storeNew(keyFile, await newKeyPem()));
  await keepPrivate(keyFile);
  const privateKey = parseKey(keyPem, keyFile);
  const certificatePem =
    (await readTextIfThere(certificateFile)) ?? (await storeNew(certificateFile, await newCertificatePem(privateKey)));
  const publicKeyDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  if (!fits(certificatePem, privateKey)) {
    throw new DataDirUnusable(
      `${certificateFile} is no certificate of the key in ${keyFile}: remove identity.crt and it is made anew`,
    );
  }
  return { id: idOfPublicKey(publicKeyDer), privateKey, keyPem, certificatePem, publicKeyDer };
}

/** A key that was copied here may have come with other permissions. Windows has none of this kind. */
async function keepPrivate(keyFile: string): Promise<void> {
  const isOpen = process.platform !== 'win32' && ((await stat(keyFile)).mode & OTHERS_MODE) !== 0;
  if (!isOpen) return;
  try {
    await chmod(keyFile, OWNER_MODE);
  } catch (error) {
    throw new DataDirUnusable(`others can read ${keyFile}: chmod 600 ${keyFile}`, { cause: error });
  }
}

function parseKey(pem: string, file: string): KeyObject {
  const key = readKey(pem);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new DataDirUnusable(
    `${file} holds no Ed25519 key: put a copy of it back, or remove it together with identity.crt to be somebody else`,
  );
}

function readKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function fits(certificatePem: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(key);
  } catch {
    return false;
  }
}

async function storeNew(file: string, text: string): Promise<string> {
  await new ReplacedFile(file).write(text);
  return text;
}

async function newKeyPem(): Promise<string> {
  const pair = (await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey));
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

async function newCertificatePem(privateKey: KeyObject): Promise<string> {
  // Loaded only when a certificate is made: every later start, and every worker, goes without it.
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const keys = {
    privateKey: await importKey(privateKey, 'pkcs8', 'sign'),
    publicKey: await importKey(createPublicKey(privateKey), 'spki', 'verify'),
  };
  const notBefore = new Date(Date.UTC(2020, 0, 1));
  const notAfter = new Date();
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + VALID_YEARS);
  const signingAlgorithm = { name: 'Ed25519' };
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=cohort', notBefore, notAfter, signingAlgorithm, keys },
    webcrypto as unknown as Crypto,
  );
  return `${certificate.toString('pem')}\n`;
}

function importKey(key: KeyObject, format: 'pkcs8' | 'spki', usage: 'sign' | 'verify'): Promise<CryptoKey> {
  const der = key.export({ type: format as 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey(format, der, 'Ed25519', true, [usage]) as Promise<CryptoKey>;
}
