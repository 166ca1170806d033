// Owns what a peer can be told. What is secret stands in files, and only their paths stand here.
import { parseHostPort } from '#wire/host-port';
import { parseByteCount, parseByteRate, parseTransferCount } from '#wire/limit-text';
import { PROGRAM_SETTINGS, readHostPort, readPath, readSwitch } from './program-settings.ts';
import type { Given, Read, Setting } from './settings.ts';

const WORKERS_MAX = 64;
const { config, ...logging } = PROGRAM_SETTINGS;

/** Every setting of a peer. */
export const PEER_SETTINGS = {
  dataDir: {
    placeholder: 'folder',
    meaning: 'key, control token, and what its transfers need to go on after a restart',
    byDefault: '$XDG_DATA_HOME/cohort/peer',
    read: readPath,
  },
  control: {
    placeholder: 'host:port',
    meaning: 'the HTTP control endpoint; port 0 is a free one, in <data-dir>/control.json',
    byDefault: '127.0.0.1:7070',
    read: readHostPort,
  },
  controlTokenFile: {
    placeholder: 'file',
    meaning: 'where the bearer token is',
    byDefault: '<data-dir>/control-token',
    read: readPath,
  },
  allowHost: {
    placeholder: 'name',
    meaning: 'another name that the control endpoint answers to; with commas for several',
    byDefault: 'the control address',
    isList: true,
    read: readAllowedHost,
  },
  listen: {
    placeholder: 'host:port',
    meaning: 'where it accepts peers, when that is another address',
    byDefault: '<ip>:<port>',
    read: readHostPort,
  },
  advertise: {
    placeholder: 'host:port',
    meaning: 'where others are told to reach it; no port below 1024',
    byDefault: '<ip>:<port>',
    read: readHostPort,
  },
  workers: {
    placeholder: 'n',
    meaning: 'threads that move and verify bytes',
    byDefault: 'one for each processor, to 8',
    read: readWorkers,
  },
  uploadLimit: {
    placeholder: 'rate',
    meaning: 'bytes of pieces sent in a second, like 50MB, 512KiB or none',
    byDefault: 'as it was, at first none',
    read: readRate,
  },
  downloadLimit: {
    placeholder: 'rate',
    meaning: 'bytes of pieces that come in a second',
    byDefault: 'as it was, at first none',
    read: readRate,
  },
  activeTransfers: {
    placeholder: 'n',
    meaning: 'downloads that fetch and uploads that are hashed at a time; others wait',
    byDefault: 'as it was, at first none',
    read: readTransferCount,
  },
  scrubRate: {
    placeholder: 'rate',
    meaning: 'bytes a second of what it seeds that are read in search of damage; 0 for none',
    byDefault: '512KiB',
    read: readScrubRate,
  },
  keepCopies: {
    placeholder: 'folder',
    meaning: 'keep copies there of what groups want more copies of; needs the next one',
    byDefault: 'off',
    read: readPath,
  },
  keepCopiesLimit: {
    placeholder: 'bytes',
    meaning: 'how many bytes of them, like 50GB',
    byDefault: 'none',
    read: readBytes,
  },
  plain: {
    placeholder: null,
    meaning: 'no TLS between peers, for trusted networks; both sides must ask for it',
    byDefault: 'off',
    read: readSwitch,
  },
  config,
  ...logging,
} as const satisfies Record<string, Setting<unknown>>;

/** What a peer was told. */
export type PeerFlags = Given<typeof PEER_SETTINGS>;

/** A name, or `name:port`. */
function readAllowedHost(text: string): Read<string> {
  const parsed = parseHostPort(/:\d+$/.test(text) ? text : `${text}:0`);
  return parsed.ok ? { ok: true, value: text.toLowerCase() } : parsed;
}

function readWorkers(text: string): Read<number> {
  const value = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= WORKERS_MAX) return { ok: true, value };
  return { ok: false, message: `"${text}" is not a number of threads; give one from 1 to ${WORKERS_MAX}` };
}

function readRate(text: string): Read<number | null> {
  const parsed = parseByteRate(text);
  return parsed.ok ? { ok: true, value: parsed.bytesPerSecond } : parsed;
}

function readTransferCount(text: string): Read<number | null> {
  const parsed = parseTransferCount(text);
  return parsed.ok ? { ok: true, value: parsed.count } : parsed;
}

/** Null is not at all. */
function readScrubRate(text: string): Read<number | null> {
  if (text === '0') return { ok: true, value: null };
  const parsed = parseByteRate(text);
  if (parsed.ok && parsed.bytesPerSecond !== null) return { ok: true, value: parsed.bytesPerSecond };
  return { ok: false, message: `"${text}" is no rate; give 1KiB or more a second, like 1MB, or 0 to read nothing` };
}

function readBytes(text: string): Read<number> {
  const parsed = parseByteCount(text);
  return parsed.ok ? { ok: true, value: parsed.bytes } : parsed;
}
