// A broker that wants TLS with a certificate on both sides, and a login: what the file of --kafka-client says lets a log in, and
// nothing else does.
import { KeyObject, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { type Broker, ownBrokerSkipReason, startBroker } from '../../infra/kafka/broker.mjs';
import { recordOf, take, textsOf } from './command-log.ts';

const skipReason = ownBrokerSkipReason();
if (skipReason !== null && process.env['COHORT_REQUIRE_KAFKA'] === '1') {
  throw new Error(`COHORT_REQUIRE_KAFKA=1, but ${skipReason}`);
}

const PASSWORD = 'what the brokers know';
const folder = mkdtempSync(join(tmpdir(), 'cohort-kafka-door-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const kept = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return name;
};

/** A key and a certificate that it signed itself, in PEM; Java's TLS does not know Ed25519. */
async function certified(name: string): Promise<{ key: string; certificate: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const extensions = [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])];
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: `CN=${name}`, signingAlgorithm: algorithm, keys, extensions },
    webcrypto as unknown as Crypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string;
  return { key, certificate: `${certificate.toString('pem')}\n` };
}

async function startClosedBroker(): Promise<Broker> {
  const [server, client] = [await certified('broker'), await certified('tracker')];
  kept('ca.pem', server.certificate);
  kept('tracker.pem', client.certificate);
  kept('tracker.key', client.key);
  kept('stranger.pem', (await certified('stranger')).certificate);
  const own = 'listener.name.broker';
  const properties = {
    'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    [`${own}.scram-sha-256.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    [`${own}.scram-sha-512.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    [`${own}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required user_cohort="${PASSWORD}";`,
    [`${own}.ssl.client.auth`]: 'required',
    [`${own}.ssl.keystore.type`]: 'PEM',
    [`${own}.ssl.keystore.key`]: server.key,
    [`${own}.ssl.keystore.certificate.chain`]: server.certificate,
    [`${own}.ssl.truststore.type`]: 'PEM',
    // A broker has to be able to speak to itself.
    [`${own}.ssl.truststore.certificates`]: server.certificate + client.certificate,
  };
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((name) => `${name}=[name=cohort,password=${PASSWORD}]`);
  return startBroker({ door: { protocol: 'SASL_SSL', properties, scram } });
}

describe.skipIf(skipReason !== null)('a broker that wants TLS and a login', { timeout: 60_000 }, () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startClosedBroker();
  }, 180_000);
  afterAll(() => broker?.stop());

  const tls = { ca: 'ca.pem', cert: 'tracker.pem', key: 'tracker.key' };
  const loginBy = (mechanism: string, password = PASSWORD) => ({
    ...{ mechanism, username: 'cohort' },
    passwordFile: kept(`password of ${mechanism}`, `${password}\n`),
  });
  const open = (topic: string, settings: object | null) =>
    openCommandLog({
      url: `kafka:${broker.brokers}/${topic}`,
      trackerInfoPath: null,
      kafkaClientFile: settings && join(folder, kept('client.json', JSON.stringify(settings))),
    });

  test.each(['scram-sha-512', 'scram-sha-256', 'plain'])('takes a log that logs in by %s', async (mechanism) => {
    const log = await open(`log-${mechanism}`, { tls, sasl: loginBy(mechanism) });
    await log.append([recordOf('{"a":1}', 'hash'), recordOf('{"b":2}')]);
    expect(textsOf(await take(log, { count: 2 }))).toEqual(['{"a":1}', '{"b":2}']);
    await log.close();
  });

  test('refuses a wrong password, and what to correct is told', async () => {
    const opening = open('t', { tls, sasl: loginBy('scram-sha-512', 'something else') });
    await expect(opening).rejects.toMatchObject({
      code: 'log_misconfigured',
      message: expect.stringMatching(/^(?!.*something else).*correct sasl in the file of --kafka-client$/s) as string,
    });
  });

  test('is not believed when another authority is trusted', async () => {
    const opening = open('t', { tls: { ...tls, ca: 'stranger.pem' }, sasl: loginBy('plain') });
    await expect(opening).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('nobody whom it trusts vouches for that broker') as string,
    });
  });

  test.each([
    ['without a certificate', { tls: { ca: 'ca.pem' }, sasl: loginBy('plain') }],
    ['without a login', { tls }],
    ['without the file', null],
  ])('lets nobody in %s', async (_what, settings) => {
    await expect(open('t', settings)).rejects.toMatchObject({ code: expect.stringMatching(/^log_/) as string });
  });
});
