// How brokers are spoken to: what the file of --kafka-client says reaches kafkajs, and what is wrong with it is told by field.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadOrCreateIdentity } from '#identity/identity';
import { PLAINTEXT, readKafkaClient } from '../../../../apps/tracker/src/command-log/kafka-client-file.ts';
import { kafkaConfigOf, openKafkaCommandLog } from '../../../../apps/tracker/src/command-log/kafka-command-log.ts';
import { openCommandLog } from '../../../../apps/tracker/src/command-log/open-command-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'cohort-kafka-client-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'kafka-client.json');
const onWarning = (): void => {};

const written = (settings: unknown): string => {
  writeFileSync(path, typeof settings === 'string' ? settings : JSON.stringify(settings));
  return path;
};
const sasl = { mechanism: 'scram-sha-512', username: 'cohort', passwordFile: 'password' };
const configOf = (settings: unknown) =>
  kafkaConfigOf({ brokers: ['b:1'], client: readKafkaClient(written(settings)), onWarning });

beforeEach(() => {
  for (const [name, content] of Object.entries({
    password: 'the word\n',
    'ca.pem': 'CA',
    'own.pem': 'OWN',
    'own.key': 'KEY',
    empty: '',
  })) {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    chmodSync(join(folder, name), 0o600);
  }
});

describe('kafkajs is told', () => {
  it('nothing of TLS and a login without a file', () => {
    const config = kafkaConfigOf({ brokers: ['b:1'], client: PLAINTEXT, onWarning });
    expect(config).not.toHaveProperty('ssl');
    expect(config).not.toHaveProperty('sasl');
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'who logs in, with the password of the file, by %s',
    (mechanism) => {
      expect(configOf({ tls: true, sasl: { ...sasl, mechanism } })).toMatchObject({
        ssl: {},
        sasl: { mechanism, username: 'cohort', password: 'the word' },
      });
    },
  );

  it('which authorities count, what this tracker shows, and which name the brokers have', () => {
    const tls = { ca: 'ca.pem', cert: join(folder, 'own.pem'), key: 'own.key', serverName: 'broker' };
    const { ssl } = configOf({ tls });
    expect(ssl).toEqual({ ca: 'CA', cert: 'OWN', key: 'KEY', servername: 'broker' });
  });
});

describe('a file is refused', () => {
  it.each([
    ['that is no JSON', '{', / is no JSON\.$/],
    ['that is no object', [], / must be an object\.$/],
    ['with nothing in it', {}, / must have tls or sasl, or both\.$/],
    ['with a field too much', { tls: true, ssl: true }, /: ssl is no setting\.$/],
    ['whose tls is none', { tls: 'yes' }, /: tls must be an object\.$/],
    [
      'that skips the check of certificates',
      { tls: { rejectUnauthorized: false } },
      /: tls\.rejectUnauthorized is no setting\.$/,
    ],
    ['with a certificate without its key', { tls: { cert: 'own.pem' } }, /: tls must have cert and key, or neither\.$/],
    [
      'whose authority is not there',
      { tls: { ca: 'none.pem' } },
      /: tls\.ca \/.*none\.pem cannot be read \(ENOENT\)\.$/,
    ],
    [
      'with another mechanism',
      { tls: true, sasl: { ...sasl, mechanism: 'oauthbearer' } },
      /: sasl\.mechanism must be one of plain, /,
    ],
    [
      'that would send a password in clear',
      { sasl: { ...sasl, mechanism: 'plain' } },
      /: sasl\.mechanism sends the password as it is/,
    ],
    ['without a user', { sasl: { ...sasl, username: '' } }, /: sasl\.username must be a text\.$/],
    ['with the password itself', { sasl: { ...sasl, password: 'the word' } }, /: sasl\.password is no setting\.$/],
    [
      'without a password',
      { sasl: { ...sasl, passwordFile: 'empty' } },
      /: sasl\.passwordFile leads to an empty file\.$/,
    ],
  ])('%s', (_what, settings, message) => {
    expect(() => readKafkaClient(written(settings))).toThrow(
      expect.objectContaining({ code: 'log_misconfigured', message: expect.stringMatching(message) as string }),
    );
    expect(() => readKafkaClient(written(settings))).not.toThrow('the word');
  });

  it.each([
    ['password', { sasl }, 'sasl.passwordFile'],
    ['own.key', { tls: { cert: 'own.pem', key: 'own.key' } }, 'tls.key'],
  ])('whose %s others can read', (name, settings, field) => {
    chmodSync(join(folder, name), 0o640);
    expect(() => readKafkaClient(written(settings))).toThrow(
      `${field} ${join(folder, name)} can be read by others: chmod 600`,
    );
  });

  it('that is not there, or that a SQLite log is given', async () => {
    expect(() => readKafkaClient(join(folder, 'none.json'))).toThrow(/none\.json cannot be read \(ENOENT\)/);
    const url = `sqlite:${join(folder, 'log.sqlite')}`;
    const open = openCommandLog({ url, trackerInfoPath: null, kafkaClientFile: written({ tls: true }) });
    await expect(open).rejects.toThrow('--kafka-client is for --log kafka:');
  });
});

describe('a password that systemd keeps', () => {
  const credentials = join(folder, 'credentials');
  beforeEach(() => {
    mkdirSync(credentials, { recursive: true });
    writeFileSync(join(credentials, 'password'), 'the word\n');
    writeFileSync(join(credentials, 'kafka-client.json'), JSON.stringify({ sasl }));
    vi.stubEnv('CREDENTIALS_DIRECTORY', credentials);
  });
  afterEach(() => vi.unstubAllEnvs());
  const readWith = (mode: number): string | undefined => {
    chmodSync(join(credentials, 'password'), mode);
    return readKafkaClient(join(credentials, 'kafka-client.json')).sasl?.password;
  };

  it.each([0o400, 0o440])('is read with the mode %o that it gets there', (mode) => {
    expect(readWith(mode)).toBe('the word');
  });

  it.each([0o444, 0o460, 0o450])('is refused with the mode %o', (mode) => {
    expect(() => readWith(mode)).toThrow('can be read by others: chmod 600');
  });

  it('gives a group no other file', () => {
    chmodSync(join(folder, 'password'), 0o440);
    expect(() => readKafkaClient(written({ sasl }))).toThrow('can be read by others: chmod 600');
  });
});

it('a broker is spoken to when an authority of the file vouches for it, and otherwise not', async () => {
  const { keyPem, certificatePem } = await loadOrCreateIdentity(join(folder, 'broker'));
  const heard = Promise.withResolvers<string>();
  const refused = Promise.withResolvers<void>();
  const server = createServer({ key: keyPem, cert: certificatePem }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (request: Buffer) => heard.resolve(request.toString('latin1')));
  });
  server.on('tlsClientError', () => refused.resolve());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  const attempt = (tls: { ca?: string }) =>
    openKafkaCommandLog({
      brokers,
      topic: 't',
      client: { tls: { ...tls, serverName: 'cohort' }, sasl: null },
      onWarning,
    }).catch((error: unknown) => error);
  const [stranger, known] = [attempt({}), attempt({ ca: certificatePem })];
  await refused.promise;
  // The first request of a client names it.
  expect(await heard.promise).toContain('cohort-tracker');
  server.close();
  expect(await Promise.all([stranger, known])).toMatchObject([{ retryable: true }, { retryable: true }]);
});
