// Owns what a broker and its clients show each other: an authority that signs one certificate and is thrown away, that certificate,
// and a password. Trackers trust the authority; nobody can have it sign anything else. Made once: remove both volumes for new ones.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const broker = '/first-start/kafka-broker';
const client = '/first-start/kafka-client';
const VALID_YEARS = 10;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const OWNER_MODE = 0o600;
/** The broker runs as somebody else, whom its group lets read. */
const GROUP_MODE = 0o640;
const ANYBODY_MODE = 0o644;
const names = process.argv.slice(2);

// The last file that is written tells that all are there.
if (!existsSync(join(client, 'client.json'))) await make();

async function make() {
  const { authority, certificate, key } = await certify();
  const password = randomBytes(32).toString('base64url');
  write(join(broker, 'broker.pem'), { text: `${key}\n${certificate}\n${authority}\n`, mode: GROUP_MODE });
  // As it is, without an end of line: it becomes a part of a line of the broker's configuration.
  write(join(broker, 'password'), { text: password, mode: GROUP_MODE });
  write(join(client, 'ca.pem'), { text: `${authority}\n`, mode: ANYBODY_MODE });
  write(join(client, 'password'), { text: `${password}\n`, mode: OWNER_MODE });
  const sasl = { mechanism: 'plain', username: 'cohort', passwordFile: 'password' };
  write(join(client, 'client.json'), { text: JSON.stringify({ tls: { ca: 'ca.pem' }, sasl }), mode: ANYBODY_MODE });
}

/** The certificate of a broker with these names, its key, and the authority that signed it, as PEM. */
async function certify() {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const signing = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const notBefore = new Date();
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + VALID_YEARS);
  const common = { notBefore, notAfter, signingAlgorithm: ALGORITHM };
  const authority = await X509CertificateGenerator.createSelfSigned(
    {
      ...common,
      name: 'CN=Cohort Kafka authority',
      keys: signing,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const certificate = await X509CertificateGenerator.create(
    {
      ...common,
      subject: `CN=${names[0]}`,
      issuer: authority.subject,
      publicKey: keys.publicKey,
      signingKey: signing.privateKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      ],
    },
    webcrypto,
  );
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { authority: authority.toString('pem'), certificate: certificate.toString('pem'), key };
}

function write(path, { text, mode }) {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}
