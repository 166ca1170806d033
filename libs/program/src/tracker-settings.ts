// Owns what a tracker can be told. What is secret stands in files, and only their paths stand here.
import { resolve } from 'node:path';
import { PROGRAM_SETTINGS, readHostPort, readPath } from './program-settings.ts';
import type { Given, Read, Setting } from './settings.ts';

const { config, ...logging } = PROGRAM_SETTINGS;

/** Every setting of a tracker. */
export const TRACKER_SETTINGS = {
  dataDir: {
    placeholder: 'folder',
    meaning: 'key, snapshots, id of the log; used by one process at a time',
    byDefault: '$XDG_DATA_HOME/cohort/tracker',
    read: readPath,
  },
  log: {
    placeholder: 'url',
    meaning: 'the log of commands: sqlite:<file> or kafka:<host:port,...>[/<topic>]',
    byDefault: 'cohort-log.sqlite beside tracker_info.txt',
    read: readLogUrl,
  },
  kafkaClient: {
    placeholder: 'file',
    meaning: 'TLS and login for the brokers of --log kafka: (JSON)',
    byDefault: 'plain',
    read: readPath,
  },
  http: {
    placeholder: 'host:port',
    meaning: 'health, status, digests, metrics and audit',
    byDefault: 'a free loopback port, in <data-dir>/http',
    read: readHostPort,
  },
  config,
  ...logging,
} as const satisfies Record<string, Setting<unknown>>;

/** The same for who works beside a tracker, on its log or with its key. */
export const BESIDE_TRACKER_SETTINGS = {
  ...TRACKER_SETTINGS,
  dataDir: { ...TRACKER_SETTINGS.dataDir, meaning: 'of the tracker whose log, or key, it is' },
  log: { ...TRACKER_SETTINGS.log, byDefault: 'the log that this tracker last used' },
};
/** Of these what names a tracker's key. */
export const KEY_SETTINGS = ['dataDir', 'config'];
/** Of these what names its log as well. */
export const LOG_SETTINGS = ['dataDir', 'log', 'kafkaClient', 'config'];

/** What a tracker was told. */
export type TrackerFlags = Given<typeof TRACKER_SETTINGS>;

/** The address is remembered for operators, who may stand in another folder. */
function readLogUrl(text: string, folder: string): Read<string> {
  const file = /^sqlite:(.+)$/s.exec(text)?.[1];
  return { ok: true, value: file === undefined ? text : `sqlite:${resolve(folder, file)}` };
}
