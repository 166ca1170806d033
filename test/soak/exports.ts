// `npm run soak:exports`: every single byte of an exported log of a thousand records is changed, one after the other, and each
// time the export has to be found to be another one; the lines before the change are read once. In each line one change is also
// hidden by a trailer that was written anew for it, which the checkpoints have to find.
//   npm run soak:exports -- --records 1000 --every 1 --seed 1 --minutes 120
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
import { byLength, endAfter } from './soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '1000' },
    /** Of so many bytes one is changed. */
    every: { type: 'string', default: byLength({ full: '1', short: '997' }) },
    /** Of so many lines one is changed and hidden. */
    hidden: { type: 'string', default: byLength({ full: '1', short: '50' }) },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
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
const startMs = performance.now();
const changedCount = await changeEveryByte();
const hiddenCount = await hideChanges();
say(
  `${lines.length - 1} records, ${bytes.length} bytes: ${changedCount} changed bytes and ${hiddenCount} changes hidden ` +
    `by a new trailer, all found, in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
);

async function changeEveryByte(): Promise<number> {
  const before = new ExportReader();
  let [begin, count] = [0, 0];
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
      count += 1;
    }
    before.accept(Buffer.from(line, 'latin1'));
    begin += length;
  }
  return count;
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
async function hideChanges(): Promise<number> {
  const trailer = trailerInLine(Buffer.from(lines.at(-1)!, 'latin1'))!;
  let count = 0;
  for (let number = 0; number < trailer.signedRecords; number += Number(flags.hidden)) {
    const line = lines[number]!;
    const places = [...line.matchAll(/[0-9a-y]/g)].map(({ index }) => index);
    const at = places[Math.floor(random() * places.length)]!;
    const changed = `${line.slice(0, at)}${String.fromCharCode(line.charCodeAt(at) + 1)}${line.slice(at + 1)}`;
    const body = Buffer.from(
      lines
        .slice(0, -1)
        .with(number, changed)
        .map((text) => `${text}\n`)
        .join(''),
      'latin1',
    );
    const told = trailerLine({ ...trailer, sha256: hash('sha256', body, 'hex') });
    const { verdict } = await verify(exportSourceOf(Buffer.concat([body, told])));
    if (verdict === 'sound') throw new Error(`line ${number + 1}, changed at ${at}, was not found`);
    count += 1;
  }
  return count;
}
