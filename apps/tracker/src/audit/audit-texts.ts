// Owns what the audit prints for people: tables and sentences that hold what `--json` says.
import { printable } from '#wire/printable-text';
import { type Column, renderTable } from '#wire/text-table';
import { formatFingerprint } from '#wire/tracker-info';
import type { Fetch, ReadingRight, SharedOnce } from './access.ts';
import type { Cause } from './cause.ts';
import type { Fact } from './facts.ts';
import type { LogEntry } from './log-entry.ts';
import type { Place } from './place.ts';
import type { JudgedProof } from './proof.ts';
import type { Change } from './state-difference.ts';
import type { Comparison } from './tracker-comparison.ts';
import type { Verification } from './verification.ts';

/** What `access` found, at one place or from one to another. */
export type AccessAnswer = {
  readonly readers: readonly ReadingRight[];
  readonly fetches: readonly Fetch[];
} & (
  | { readonly at: Place; readonly contentId: string | null }
  | { readonly from: Place; readonly to: Place; readonly shares: readonly SharedOnce[] }
);

/** One record of the history of something. */
export interface HistoryItem extends Cause {
  readonly outcome: 'accepted' | 'rejected';
  readonly reason: string | null;
  readonly effects: readonly { readonly type: string }[];
}

const SHORT_ID_CHARACTERS = 12;

/** A record on one line. */
export function entryText({ offset, time, type, actor, outcome, reason, body }: LogEntry): string {
  const came = outcome === 'accepted' ? 'accepted' : `rejected (${reason})`;
  const who = actor === null ? '-' : withShortIds(actor);
  const what = type === null ? 'no record' : `${type} ${printable(JSON.stringify(body))}`;
  return `${String(offset).padStart(8)}  ${time ?? '-'}  ${who}  ${what}  ${came}`;
}

/** Facts as a table, under what they are of. */
export function factsText(facts: readonly Fact[], { at, digest }: { at: Place; digest: string }): string {
  const columns: Column<Fact>[] = [
    { heading: 'what', text: ({ kind }) => kind },
    { heading: 'name', text: ({ name }) => withShortIds(name) },
    { heading: 'is', text: ({ value }) => valueText(value) },
  ];
  return `${placeText('as of', at)}, effect digest ${digest}\n\n${renderTable(facts, columns, 'nothing')}`.trimEnd();
}

/** Who could read a file, and who fetched it. */
export function accessText(answer: AccessAnswer): string {
  const head =
    'at' in answer
      ? `${placeText('at', answer.at)}: ${answer.contentId === null ? 'the group had no such file' : `content ${answer.contentId}`}`
      : `${placeText('from', answer.from)} ${placeText('to', answer.to)}: shared ${answer.shares.length} times`;
  const isOfVersions = [...answer.readers, ...answer.fetches].some(({ version }) => version > 1);
  const versions = isOfVersions ? [{ heading: 'version', text: versionText }] : [];
  const readers: Column<ReadingRight>[] = [
    { heading: 'could read', text: ({ user }) => printable(user) },
    ...versions,
    { heading: 'from', text: ({ from }) => causeText(from) },
    { heading: 'until', text: ({ until }) => (until === null ? 'still' : causeText(until)) },
  ];
  const fetches: Column<Fetch>[] = [
    { heading: 'fetched by', text: ({ user }) => printable(user) },
    ...versions,
    { heading: 'on peer', text: ({ peerId }) => peerId.slice(0, SHORT_ID_CHARACTERS) },
    { heading: 'at', text: ({ offset, time }) => `${offset}, ${time}` },
  ];
  const tables = [
    renderTable(answer.readers, readers, 'nobody could read it'),
    renderTable(answer.fetches, fetches, 'nobody fetched it'),
  ];
  return `${head}\n\n${tables.join('\n')}`.trimEnd();
}

function versionText({ version }: { readonly version: number }): string {
  return String(version);
}

/** What is different, and through which record. */
export function changesText(changes: readonly Change[], { from, to }: { from: Place; to: Place }): string {
  const columns: Column<Change>[] = [
    { heading: 'change', text: ({ change }) => change },
    { heading: 'what', text: ({ kind }) => kind },
    { heading: 'name', text: ({ name }) => withShortIds(name) },
    { heading: 'now', text: ({ after, before }) => valueText(after ?? before!) },
    { heading: 'through', text: ({ cause }) => causeText(cause) },
  ];
  const table = renderTable(changes, columns, 'nothing is different');
  return `${placeText('from', from)} ${placeText('to', to)}\n\n${table}`.trimEnd();
}

/** The history of something, one record a line. */
export function historyText(history: readonly HistoryItem[]): string {
  const columns: Column<HistoryItem>[] = [
    { heading: 'offset', text: ({ offset }) => String(offset), align: 'right' },
    { heading: 'time', text: ({ time }) => time },
    { heading: 'by', text: ({ by }) => withShortIds(by) },
    { heading: 'command', text: ({ command }) => command },
    { heading: 'came to', text: cameTo },
  ];
  return renderTable(history, columns, 'nothing').trimEnd();
}

/** The verdict, what it rests on, and what is wrong. `namesTrackers`: keys were given that count. */
export function verificationText(found: Verification, { namesTrackers }: { readonly namesTrackers: boolean }): string {
  const { verdict, records, signedRecords, root, digest, trust, signers, trackers, kept, auditor, problem } = found;
  const lines = [`${verdict}: ${records} records, ${signedRecords} of them under a checkpoint that agrees`];
  if (trust === 'signed' && signedRecords < records) {
    lines.push(`nobody whom you trust has signed what follows from offset ${signedRecords} on`);
  }
  if (problem !== null) lines.push(`${problem}${suspectText(found)}`);
  const isUnsigned = namesTrackers && trust !== 'signed';
  lines.push(`root ${root}`, `digest ${digest}`, isUnsigned ? UNSIGNED_TEXT : trustText(trust));
  const counting = trust === 'signed' ? signers.filter(({ trusted }) => trusted) : signers;
  if (counting.length > 0) {
    lines.push(`signed by ${counting.length} of ${trackers} trackers${trust === 'signed' ? ' that you trust' : ''}:`);
  }
  for (const { tracker, records: signed, trusted } of signers) {
    lines.push(`signed by ${formatFingerprint(tracker)} up to ${signed} records${trusted ? ', a key you gave' : ''}`);
  }
  for (const { name, records: size, signers: keepers } of kept) {
    lines.push(
      `${name}: its first ${size} records, signed by ${keepers.map(formatFingerprint).join(', ') || 'nobody'}`,
    );
  }
  if (auditor !== null) lines.push(`exported by the auditor with the key ${formatFingerprint(auditor)}`);
  return lines.join('\n');
}

/** Whether two trackers have the same, and where not. */
export function comparisonText({ verdict, offset, left, right, problem }: Comparison): string {
  const lines = [`${verdict} at offset ${offset}`];
  if (problem !== null) lines.push(problem);
  if (left !== null && right !== null) lines.push(`digests ${left.digest}`, `        ${right.digest}`);
  return lines.join('\n');
}

/** What a proof proves, or why it proves nothing. */
export function provedText({ verdict, problem, trust, proved }: JudgedProof): string {
  if (proved === null || problem !== null) return `${verdict}: ${problem}`;
  const { offset, size, trackerId, logId, olderSize, record } = proved;
  const lines = [
    `sound: the record at offset ${offset} is in the ${size} records of log ${logId.slice(0, SHORT_ID_CHARACTERS)} that ${formatFingerprint(trackerId)} signed`,
  ];
  if (olderSize !== null)
    lines.push(`they go on from the first ${olderSize} of them, as the checkpoint says that the proof was made with`);
  return [printable(record.toString()), ...lines, trustText(trust)].join('\n');
}

const UNSIGNED_TEXT = 'trust: consistent in itself only; no tracker whose key you gave has signed it';

function trustText(trust: Verification['trust']): string {
  return trust === 'signed'
    ? 'trust: signed by trackers whose keys you gave'
    : 'trust: consistent in itself only; give the keys that you know with --trackers <tracker_info.txt>';
}

function suspectText({ verdict, firstBadOffset, lastSuspectOffset }: Verification): string {
  if (firstBadOffset === null) return '';
  if (lastSuspectOffset === null || lastSuspectOffset === firstBadOffset)
    return `; look from offset ${firstBadOffset} on`;
  // Nothing speaks against what only nobody has signed.
  if (verdict === 'incomplete') return `; this is about offsets ${firstBadOffset} to ${lastSuspectOffset}`;
  return `; the first bad record is one of ${firstBadOffset} to ${lastSuspectOffset}`;
}

function cameTo({ outcome, reason, effects }: HistoryItem): string {
  const refusal = outcome === 'rejected' ? [`refused: ${reason}`] : [];
  return [...refusal, ...effects.map(({ type }) => type)].join(', ');
}

function causeText({ offset, time, by, command }: Cause): string {
  return `${offset} ${time} ${command} by ${withShortIds(by)}`;
}

function placeText(word: string, { offset, time }: Place): string {
  return `${word} offset ${offset}, ${time}`;
}

function valueText(value: Readonly<Record<string, unknown>>): string {
  return Object.entries(value)
    .map(([name, part]) => `${name} ${typeof part === 'string' ? withShortIds(part) : JSON.stringify(part)}`)
    .join(', ');
}

/** Ids and digests by their first characters, as people tell them apart; `--json` has all of them. */
function withShortIds(text: string): string {
  return printable(text).replace(/\b[0-9a-f]{64}\b/g, (id) => id.slice(0, SHORT_ID_CHARACTERS));
}
