// Owns tracker_info.txt: one tracker a line, `host:port [sha256:<fingerprint>]`, `host port` as well, `#` to the end of a
// line is a comment. Every line that is wrong is reported with its number and what to write instead.
import { formatHostPort, type HostPort, parseHostPort } from './host-port.ts';
import { TRACKER_COUNT_MAX, TRACKER_INFO_CHARACTERS_MAX } from './limits.ts';

/** One tracker of the list; the n-th is the one that `cohort tracker <file> <n>` starts, counting from 1. */
export interface TrackerEntry extends HostPort {
  /** The tracker's id (64 lowercase hex characters) when the file pins it, else null. */
  readonly trackerId: string | null;
}

/** A line that is wrong, counting from 1 (0: the file as a whole), and a whole sentence that names the fix. */
export interface TrackerInfoError {
  readonly line: number;
  readonly message: string;
}

/** The trackers of the file, in its order, or everything that is wrong with it. */
export type ParsedTrackerInfo =
  | { readonly ok: true; readonly trackers: readonly TrackerEntry[] }
  | { readonly ok: false; readonly errors: readonly TrackerInfoError[] };

type ParsedLine =
  { readonly ok: true; readonly tracker: TrackerEntry } | { readonly ok: false; readonly message: string };

/** Reads the text of a tracker_info.txt: at least one tracker, each address and each fingerprint once. */
export function parseTrackerInfo(text: string): ParsedTrackerInfo {
  if (text.length > TRACKER_INFO_CHARACTERS_MAX) {
    return whole(`The file is longer than ${TRACKER_INFO_CHARACTERS_MAX} characters; keep one line for each tracker.`);
  }
  const trackers: TrackerEntry[] = [];
  const errors: TrackerInfoError[] = [];
  const lineByKey = new Map<string, number>();
  for (const [index, rawLine] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const content = rawLine.replace(/#.*$/, '').trim();
    if (content === '') continue;
    const line = index + 1;
    const parsed = parseLine(content);
    const message = parsed.ok ? repetition(parsed.tracker, lineByKey) : parsed.message;
    if (message !== null) errors.push({ line, message });
    if (!parsed.ok) continue;
    for (const key of keysOf(parsed.tracker)) lineByKey.set(key, lineByKey.get(key) ?? line);
    trackers.push(parsed.tracker);
  }
  if (errors.length > 0) return { ok: false, errors };
  if (trackers.length === 0) return whole('The file lists no tracker; add a line like 127.0.0.1:9001.');
  if (trackers.length > TRACKER_COUNT_MAX) return whole(`The file lists more than ${TRACKER_COUNT_MAX} trackers.`);
  return { ok: true, trackers };
}

/** The text of a tracker_info.txt that lists these trackers. */
export function formatTrackerInfo(trackers: readonly TrackerEntry[]): string {
  return trackers
    .map(({ trackerId, ...address }) => {
      const pin = trackerId === null ? '' : ` ${formatFingerprint(trackerId)}`;
      return `${formatHostPort(address)}${pin}\n`;
    })
    .join('');
}

/** A tracker's id as people read and write it: `sha256:` and the SHA-256 of its public key (SPKI DER) in lowercase hex. */
export function formatFingerprint(trackerId: string): string {
  return `sha256:${trackerId}`;
}

function parseLine(content: string): ParsedLine {
  const words = content.split(/\s+/);
  const addressWords = words[0]?.includes(':') && !isNumber(words[1]) ? words.slice(0, 1) : words.slice(0, 2);
  const [fingerprint, ...surplus] = words.slice(addressWords.length);
  const parsed = parseHostPort(addressText(addressWords));
  if (!parsed.ok) return parsed;
  const { host, port } = parsed.address;
  if (port === 0) return failed('A tracker needs a port of its own; give a number from 1 to 65535.');
  if (surplus.length > 0) return failed(`"${surplus[0]}" is too much; write host:port and at most one fingerprint.`);
  if (fingerprint === undefined) return { ok: true, tracker: { host, port, trackerId: null } };
  const trackerId = /^sha256:([0-9a-fA-F]{64})$/.exec(fingerprint)?.[1]?.toLowerCase();
  if (trackerId === undefined) {
    return failed(
      `"${fingerprint}" is not a fingerprint; write sha256: and 64 hex digits, as cohort fingerprint prints.`,
    );
  }
  return { ok: true, tracker: { host, port, trackerId } };
}

/** `host port` as `host:port`; a bare IPv6 address gets its brackets. */
function addressText(words: readonly string[]): string {
  const [host, port] = words;
  if (port === undefined) return host ?? '';
  return host?.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^[0-9]+$/.test(word);
}

/** Says on which line an address or a fingerprint already stands, or null. */
function repetition(tracker: TrackerEntry, lineByKey: ReadonlyMap<string, number>): string | null {
  for (const key of keysOf(tracker)) {
    const line = lineByKey.get(key);
    if (line !== undefined) return `"${key}" is on line ${line} already; list each tracker once.`;
  }
  return null;
}

function keysOf(tracker: TrackerEntry): string[] {
  const address = formatHostPort(tracker);
  return tracker.trackerId === null ? [address] : [address, formatFingerprint(tracker.trackerId)];
}

function whole(message: string): ParsedTrackerInfo {
  return { ok: false, errors: [{ line: 0, message }] };
}

function failed(message: string): ParsedLine {
  return { ok: false, message };
}
