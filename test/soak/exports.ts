// `npm run soak:exports`: every single byte of an exported log of a thousand records is changed, every record is taken out, doubled
// and exchanged with the next one, and the export is cut at every length, one after the other, and each time it has to be found
// to be another one; the lines before the change are read once. What can be hidden by a trailer that was written anew for it is
// hidden so as well, in each line, and the checkpoints have to find it.
//   npm run soak:exports -- --records 1000 --every 1 --cuts 1 --hidden 1 --seed 1 --minutes 120
import { hash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { trailerInLine, trailerLine } from '../../apps/tracker/src/audit/export-format.ts';
import { ExportReader, exportSourceOf } from '../../apps/tracker/src/audit/export-source.ts';
import { verify } from '../../apps/tracker/src/audit/verification.ts';
import { say } from '../bench/table.ts';
import { seeded } from '../seeded-random.ts';
import { exported } from '../unit/tracker/audit/sources.ts';
import { randomRecords } from '../unit/tracker/random-log.ts';
import { byLength, endAfter, soakSeed } from './soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '1000' },
    /** Of so many bytes one is changed. */
    every: { type: 'string', default: byLength({ full: '1', short: '997' }) },
    /** Of so many lengths it is cut at one. */
    cuts: { type: 'string', default: byLength({ full: '1', short: '997' }) },
    /** Of so many lines one is changed and hidden, taken out, doubled, exchanged, and cut off with all that follow. */
    hidden: { type: 'string', default: byLength({ full: '1', short: '50' }) },
    seed: { type: 'string', default: soakSeed() },
    minutes: { type: 'string', default: '120' },
  },
});

const NEWLINE = 0x0a;

say(machineLine());
say(`seed ${flags.seed}`);
endAfter(Number(flags.minutes));
const random = seeded(Number(flags.seed));
const bytes = await exported(randomRecords(Number(flags.seed), Number(flags.records), { isTruthful: true }), {
  tail: true,
});
if ((await verify(exportSourceOf(bytes))).verdict !== 'sound') throw new Error('the export is not sound to begin with');
const lines = bytes.toString('latin1').split('\n').slice(0, -1);
const trailer = trailerInLine(Buffer.from(lines.at(-1)!, 'latin1'))!;
/** How many changes of each kind were made, and found. */
const counts = new Map<string, number>();
const startMs = performance.now();
await changeEveryByte();
await hideChanges();
await changeRecords();
await cutEverywhere();
const found = [...counts].map(([kind, times]) => `${times} ${kind}`).join(', ');
const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
say(`${lines.length - 1} records, ${bytes.length} bytes: ${found}; all found, in ${seconds} s`);

function count(kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

async function changeEveryByte(): Promise<void> {
  const before = new ExportReader();
  let begin = 0;
  for (const line of lines) {
    const length = line.length + 1;
    for (let at = begin; at < begin + length; at++) {
      if (at % Number(flags.every) !== 0) continue;
      const rest = Buffer.from(bytes.subarray(begin));
      rest[at - begin]! ^= 1 + Math.floor(random() * 255);
      // A trailer may be one and say what is not so: that takes everything to find.
      const isChanged =
        isFound(before.copy(), rest) || (await isTampered(Buffer.concat([bytes.subarray(0, begin), rest])));
      if (!isChanged) throw new Error(`byte ${at}, changed to ${rest[at - begin]}, was not found`);
      count('changed bytes');
    }
    before.accept(Buffer.from(line, 'latin1'));
    begin += length;
  }
}

/** Whether the reader, which has read everything before, finds something wrong with the rest. */
function isFound(reader: ExportReader, rest: Buffer): boolean {
  let begin = 0;
  for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, begin)) {
    reader.accept(rest.subarray(begin, end));
    if (reader.problem !== null) return true;
    begin = end + 1;
  }
  if (begin < rest.length) reader.accept(null);
  reader.end();
  return reader.problem !== null;
}

async function isTampered(changed: Buffer): Promise<boolean> {
  return (await verify(exportSourceOf(changed))).verdict === 'tampered';
}

/** Changes a digit or letter of each line, so that it stays a line, and tells the trailer of it. What nobody signed may be anything. */
async function hideChanges(): Promise<void> {
  for (let number = 0; number < trailer.signedRecords; number += Number(flags.hidden)) {
    const line = lines[number]!;
    const places = [...line.matchAll(/[0-9a-y]/g)].map(({ index }) => index);
    const at = places[Math.floor(random() * places.length)]!;
    const changed = `${line.slice(0, at)}${String.fromCharCode(line.charCodeAt(at) + 1)}${line.slice(at + 1)}`;
    const { verdict } = await verify(exportSourceOf(retold(lines.slice(0, -1).with(number, changed))));
    if (verdict === 'sound') throw new Error(`line ${number + 1}, changed at ${at}, was not found`);
    count('changes hidden by a new trailer');
  }
}

/** Takes out, doubles and exchanges each record, and cuts the records off from it on: with the trailer as it was, and written anew. */
async function changeRecords(): Promise<void> {
  const records = lines.slice(0, -1);
  const before = new ExportReader();
  for (const [at, line] of records.entries()) {
    for (const [kind, rest] of at % Number(flags.hidden) === 0 ? restsFrom(records, at) : []) {
      const end = `${[...rest, lines.at(-1)!].join('\n')}\n`;
      if (!isFound(before.copy(), Buffer.from(end, 'latin1'))) throw new Error(`record ${at}, ${kind}, was not found`);
      count(`records ${kind}`);
      if (!isSigned(kind, at)) continue;
      const isTold = await isTampered(retold([...records.slice(0, at), ...rest]));
      if (!isTold) throw new Error(`record ${at}, ${kind} and hidden by a new trailer, was not found`);
      count(`records ${kind} and hidden by a new trailer`);
    }
    before.accept(Buffer.from(line, 'latin1'));
  }
}

/** What stands from a record on after each change. Two that are the same may change places. */
function restsFrom(records: readonly string[], at: number): Map<string, readonly string[]> {
  const [line, next, ...others] = records.slice(at) as [string, ...string[]];
  const rests = new Map<string, readonly string[]>([
    ['taken out', records.slice(at + 1)],
    ['doubled', [line, ...records.slice(at)]],
    ['cut off', []],
  ]);
  if (next !== undefined && next !== line) rests.set('exchanged', [next, line, ...others]);
  return rests;
}

/** Whether a checkpoint is about what changes: a record that follows the last signed one may be anything, and be said to be that. */
function isSigned(kind: string, at: number): boolean {
  return kind === 'doubled' ? at + 1 < trailer.signedRecords : at < trailer.signedRecords;
}

/** Cuts the export at every length. The form says that it is cut; where a line ends the whole verdict is asked for as well. */
async function cutEverywhere(): Promise<void> {
  const before = new ExportReader();
  let begin = 0;
  for (const [number, line] of lines.entries()) {
    const length = line.length + 1;
    for (let end = begin; end < begin + length; end++) {
      if (end % Number(flags.cuts) !== 0 && end !== begin) continue;
      if (!isFound(before.copy(), bytes.subarray(begin, end))) throw new Error(`cut to ${end} bytes, it passes`);
      count('cuts');
    }
    if (number % Number(flags.hidden) === 0) await expectIncomplete(begin);
    before.accept(Buffer.from(line, 'latin1'));
    begin += length;
  }
  await expectIncomplete(bytes.length - 1);
}

async function expectIncomplete(length: number): Promise<void> {
  const { verdict } = await verify(exportSourceOf(bytes.subarray(0, length)));
  if (verdict !== 'incomplete') throw new Error(`cut to ${length} bytes, it is ${verdict}`);
  count('cuts with the whole verdict');
}

/** The records with a trailer that was written anew for them, as somebody would who knows this format and has no key. */
function retold(records: readonly string[]): Buffer {
  const body = Buffer.from(records.map((text) => `${text}\n`).join(''), 'latin1');
  return Buffer.concat([
    body,
    trailerLine({ ...trailer, records: records.length, sha256: hash('sha256', body, 'hex') }),
  ]);
}
