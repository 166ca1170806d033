import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { journalPath } from '../../../../apps/peer/src/storage/content-layout.ts';
import { journalHead, JournalWriter, readJournal } from '../../../../apps/peer/src/storage/part-journal.ts';

const CONTENT_ID = '5a'.repeat(32);
const manifestBytes = Uint8Array.of(1, 2, 3, 4, 5);

let folder = '';
let destination = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-journal-'));
  destination = join(folder, 'film');
  path = journalPath(destination);
  writeFileSync(path, journalHead(CONTENT_ID, manifestBytes));
});
afterEach(() => rmSync(folder, { recursive: true }));

function append(...pieces: number[]): void {
  const writer = new JournalWriter(destination, CONTENT_ID);
  for (const piece of pieces) writer.append(piece);
  writer.close();
}

it('lists what was appended, by several writers', () => {
  append(0, 9);
  append(3);
  const journal = readJournal(path);
  expect(journal?.contentId).toBe(CONTENT_ID);
  expect([...(journal?.manifestBytes ?? [])]).toEqual([...manifestBytes]);
  expect([...(journal?.listed(10) ?? [])]).toEqual([0b1001_0000, 0b0100_0000]);
  expect(journal?.soundBytes).toBe(readFileSync(path).length);
});

it('cut off at any byte it lists a prefix, or is none', () => {
  append(1, 2, 5);
  const bytes = readFileSync(path);
  const headBytes = journalHead(CONTENT_ID, manifestBytes).length;
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const listed = readJournal(path)?.listed(8)[0];
    if (length < headBytes) expect(listed).toBeUndefined();
    else expect(listed).toBe([0, 0b0100_0000, 0b0110_0000, 0b0110_0100][Math.floor((length - headBytes) / 8)]);
  }
});

it('lists files that are left to their owner apart from pieces, and from what is put in place', () => {
  const writer = new JournalWriter(destination, CONTENT_ID);
  writer.append(1);
  writer.appendPlacing();
  writer.appendLeft([0, 99_999]);
  writer.close();
  const { left, hasPlaced, listed } = readJournal(path)!;
  expect({ left, hasPlaced, listed: [...listed(8)] }).toEqual({ left: [0, 99_999], hasPlaced: true, listed: [64] });
});

it('believes no entry behind a damaged one, nor one of another content', () => {
  append(1, 2, 3);
  const bytes = readFileSync(path);
  bytes[bytes.length - 13]! ^= 1;
  writeFileSync(path, bytes);
  expect([...(readJournal(path)?.listed(8) ?? [])]).toEqual([0b0100_0000]);
  writeFileSync(path, journalHead(CONTENT_ID, manifestBytes));
  const other = new JournalWriter(destination, '6b'.repeat(32));
  other.append(1);
  other.close();
  expect([...(readJournal(path)?.listed(8) ?? [])]).toEqual([0]);
});

it('leaves out pieces that the content does not have', () => {
  append(2, 100_000);
  expect([...(readJournal(path)?.listed(3) ?? [])]).toEqual([0b0010_0000]);
});

it('a file that is no journal, and none at all, are null', () => {
  writeFileSync(path, 'something else entirely, and longer than the head of a journal would be, to be sure');
  expect(readJournal(path)).toBeNull();
  rmSync(path);
  expect(readJournal(path)).toBeNull();
});

it('says whether files of the download are in place, which is no piece', () => {
  append(3);
  expect(readJournal(path)?.hasPlaced).toBe(false);
  const writer = new JournalWriter(destination, CONTENT_ID);
  writer.appendPlacing();
  writer.append(5);
  writer.close();
  const journal = readJournal(path);
  expect(journal?.hasPlaced).toBe(true);
  expect([...(journal?.listed(8) ?? [])]).toEqual([0b0001_0100]);
  expect(journal?.soundBytes).toBe(readFileSync(path).length);
});
