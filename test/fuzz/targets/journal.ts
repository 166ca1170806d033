// Owns fuzzing the journal beside an unfinished download: what a crash or a bad disk left is read up to where it is sound, and
// what is read is what was written.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isBitfieldFor } from '#domain/bitfield';
import { journalPath } from '../../../apps/peer/src/storage/content-layout.ts';
import { isJournal, journalHead, JournalWriter, readJournal } from '../../../apps/peer/src/storage/part-journal.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';
import { scratchFolder } from '../scratch-folder.ts';

const CONTENT_ID = '5a'.repeat(32);
const HEAD_BYTES = 17 + 32 + 4;
const ENTRY_BYTES = 8;
const PIECE_COUNTS = [0, 1, 9, 16_384];

const destination = join(scratchFolder(), 'film');
const path = journalPath(destination);

export const journal: FuzzTarget = {
  name: 'journal',
  sources: ['apps/peer/src/storage/part-journal.ts'],
  shape: 'bytes',
  seeds: () => {
    const head = journalHead(CONTENT_ID, new Uint8Array(40).fill(6));
    const entries = Buffer.concat([0, 3, 8, 16_383].map(entryOf));
    const torn = entries.subarray(0, 13);
    return [head, Buffer.concat([head, entries]), Buffer.concat([head, torn]), new Uint8Array(0)];
  },
  repair: withTrueChecks,
  run: (input) => {
    writeFileSync(path, input);
    const contents = readJournal(path);
    if (contents === null) return;
    assert.ok(isJournal(path), 'what can be read is a journal');
    const head = journalHead(contents.contentId, contents.manifestBytes);
    assertSameBytes(head, input.subarray(0, head.length), 'a journal has one beginning');
    const { soundBytes } = contents;
    assert.ok(
      soundBytes >= head.length && soundBytes <= input.length,
      `${soundBytes} of ${input.length} bytes are sound`,
    );
    for (const count of PIECE_COUNTS) assert.ok(isBitfieldFor(contents.listed(count), count), 'no bit is too much');
    checkAppending(input.subarray(0, soundBytes), contents.contentId);
  },
};

function checkAppending(sound: Uint8Array, contentId: string): void {
  writeFileSync(path, sound);
  const writer = new JournalWriter(destination, contentId);
  writer.append(5);
  writer.close();
  const bits = readJournal(path)?.listed(8);
  assert.ok(bits !== undefined && (bits[0]! & 0b100) !== 0, 'a piece that is appended is listed');
}

function entryOf(piece: number): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt32BE(piece, 0);
  entry.writeUInt32BE(crc32(entry.subarray(0, 4), crc32(Buffer.from(CONTENT_ID, 'hex'))), 4);
  return entry;
}

/** A manifest that is no longer than what is there, and the right checks. */
function withTrueChecks(input: Uint8Array): Uint8Array {
  const bytes = Buffer.from(input);
  if (bytes.length < HEAD_BYTES) return bytes;
  const contentId = bytes.subarray(17, 49);
  if (bytes.readUInt32BE(49) > bytes.length - HEAD_BYTES) bytes.writeUInt32BE((bytes.length - HEAD_BYTES) >> 1, 49);
  const begin = HEAD_BYTES + bytes.readUInt32BE(49);
  for (let at = begin; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 4), crc32(contentId)), at + 4);
  }
  return bytes;
}
