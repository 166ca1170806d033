// Owns the file of `--kafka-client`: how brokers are spoken to. One JSON object; what is secret stands in files of its own, which
// nobody but their owner may read, or are credentials of systemd; paths are relative to this one.
//
//   file = { ["tls": true | tls] ["sasl": sasl] }                 at least one of them
//   tls  = { ["ca": path] ["cert": path "key": path] ["serverName": text] }            PEM; the system's authorities without ca
//   sasl = { "mechanism": "plain" | "scram-sha-256" | "scram-sha-512" "username": text "passwordFile": path }
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LogFailure } from './command-log.ts';

/** What brokers are shown, and what they have to show. */
export interface KafkaClientSettings {
  /** Null without TLS. PEM; what is left out is the system's. */
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
  } | null;
  /** Null without a login. */
  readonly sasl: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string } | null;
}

/** How a login at the brokers is proved. */
export type SaslMechanism = (typeof MECHANISMS)[number];

/** Brokers of a network that is trusted. */
export const PLAINTEXT: KafkaClientSettings = { tls: null, sasl: null };

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** Permissions of anybody but the owner. */
const OTHERS_MODE = 0o077;
/** Group-read of a credential is no group's: from version 254 on systemd keeps it as root's, and lets the service's user read by an ACL. */
const CREDENTIAL_OTHERS_MODE = 0o037;

/** Reads the settings, or throws `log_misconfigured` that names the file, the field and what to write. */
export function readKafkaClient(path: string): KafkaClientSettings {
  const file = new SettingsFile(path);
  const { tls, sasl, ...unknown } = file.object('', file.json());
  file.refuseUnknown('', unknown);
  if (tls === undefined && sasl === undefined) throw file.wrong('', 'must have tls or sasl, or both');
  const settings = { tls: readTls(file, tls), sasl: readSasl(file, sasl) };
  if (settings.tls === null && settings.sasl?.mechanism === 'plain') {
    throw file.wrong('sasl.mechanism', 'sends the password as it is: give tls too, or a scram mechanism');
  }
  return settings;
}

function readTls(file: SettingsFile, value: unknown): KafkaClientSettings['tls'] {
  if (value === undefined) return null;
  if (value === true) return {};
  const { ca, cert, key, serverName, ...unknown } = file.object('tls', value);
  file.refuseUnknown('tls', unknown);
  if ((cert === undefined) !== (key === undefined)) throw file.wrong('tls', 'must have cert and key, or neither');
  return {
    ...(ca !== undefined && { ca: file.fileAt('tls.ca', ca) }),
    ...(cert !== undefined && { cert: file.fileAt('tls.cert', cert) }),
    ...(key !== undefined && { key: file.secretAt('tls.key', key) }),
    ...(serverName !== undefined && { serverName: file.text('tls.serverName', serverName) }),
  };
}

function readSasl(file: SettingsFile, value: unknown): KafkaClientSettings['sasl'] {
  if (value === undefined) return null;
  const { mechanism, username, passwordFile, ...unknown } = file.object('sasl', value);
  file.refuseUnknown('sasl', unknown);
  const known = MECHANISMS.find((candidate) => candidate === mechanism);
  if (known === undefined) throw file.wrong('sasl.mechanism', `must be one of ${MECHANISMS.join(', ')}`);
  const password = file.secretAt('sasl.passwordFile', passwordFile).replace(/\r?\n$/, '');
  if (password === '') throw file.wrong('sasl.passwordFile', 'leads to an empty file');
  return { mechanism: known, username: file.text('sasl.username', username), password };
}

/** The file, and how its mistakes are told. */
class SettingsFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  json(): unknown {
    try {
      return JSON.parse(this.fileAt('', this.#path));
    } catch (error) {
      if (error instanceof LogFailure) throw error;
      throw this.wrong('', 'is no JSON');
    }
  }

  object(field: string, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.wrong(field, 'must be an object');
  }

  text(field: string, value: unknown): string {
    if (typeof value === 'string' && value !== '') return value;
    throw this.wrong(field, 'must be a text');
  }

  /** What the file holds whose path a field gives. */
  fileAt(field: string, value: unknown): string {
    const path = this.#pathOf(field, value);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw this.wrong(field, `${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  /** The same of a file that nobody but its owner may read. */
  secretAt(field: string, value: unknown): string {
    const content = this.fileAt(field, value);
    const path = this.#pathOf(field, value);
    const forbidden = isCredential(path) ? CREDENTIAL_OTHERS_MODE : OTHERS_MODE;
    const isOpen = process.platform !== 'win32' && (statSync(path).mode & forbidden) !== 0;
    if (isOpen) throw this.wrong(field, `${path} can be read by others: chmod 600 ${path}`);
    return content;
  }

  refuseUnknown(field: string, unknown: object): void {
    const [name] = Object.keys(unknown).sort();
    if (name !== undefined) throw this.wrong(field === '' ? name : `${field}.${name}`, 'is no setting');
  }

  wrong(field: string, problem: string): LogFailure {
    const where = field === '' ? this.#path : `${this.#path}: ${field}`;
    return new LogFailure('log_misconfigured', `--kafka-client ${where} ${problem}.`);
  }

  #pathOf(field: string, value: unknown): string {
    return resolve(dirname(this.#path), this.text(field, value));
  }
}

/** Whether systemd keeps the file for this service. */
function isCredential(path: string): boolean {
  const directory = process.env['CREDENTIALS_DIRECTORY'];
  return directory !== undefined && directory !== '' && dirname(path) === resolve(directory);
}
