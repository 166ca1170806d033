// Facts about ByteWriter and ByteReader together: every codec stands on them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteReader } from '#wire/byte-reader';
import { ByteWriter } from '#wire/byte-writer';

it('every field written at any place in the buffer is read back', () => {
  const field = fc.record({
    u8: fc.nat(0xff),
    u16: fc.nat(0xffff),
    u32: fc.nat(0xffff_ffff),
    u64: fc.maxSafeNat(),
    text: fc.string({ unit: 'grapheme', maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const writer = new ByteWriter();
      for (const { u8, u16, u32, u64, text } of fields) writer.u8(u8).u16(u16).u32(u32).u64(u64).text16(text);
      const reader = new ByteReader(writer.finish());
      const read = fields.map(() => ({
        u8: reader.u8(),
        u16: reader.u16(),
        u32: reader.u32(),
        u64: reader.u64(),
        text: reader.text(reader.u16()),
      }));
      expect(read).toEqual(fields);
      expect(reader).toMatchObject({ problem: null, remainingBytes: 0 });
    }),
  );
});

it('the first problem stays, and everything after it reads as nothing', () => {
  const reader = new ByteReader(Uint8Array.of(1, 0xff, 2, 3));
  expect(reader.u8()).toBe(1);
  expect(reader.text(1)).toBe('');
  expect([reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.hex(1), reader.take(1).length]).toEqual([
    0,
    0,
    0,
    0,
    '',
    0,
  ]);
  expect(reader.problem).toBe('must be UTF-8');
});

it('what is known already is read like what is not, problems included', () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constant('\ud800'),
  );
  const bytes = fc.oneof(
    anyText.map((text) => new ByteWriter().anyText(text).hex('0a1b', 2).finish()),
    fc.uint8Array({ maxLength: 12 }),
  );
  const known = fc.record({
    text: fc.oneof(anyText, fc.constant('')),
    hex: fc.constantFrom('0a1b', '0a1c', '1a1b', '0A1B', ''),
  });
  fc.assert(
    fc.property(bytes, known, anyText, (written, { text, hex }, other) => {
      for (const knownText of [text, other]) {
        const [plain, knowing] = [new ByteReader(written), new ByteReader(written)];
        expect(knowing.anyTextOr(knownText)).toBe(plain.anyText());
        expect(knowing.hexOr(hex, 2)).toBe(plain.hex(2));
        expect([knowing.problem, knowing.remainingBytes]).toEqual([plain.problem, plain.remainingBytes]);
      }
    }),
    {
      numRuns: 2_000,
      examples: [
        // The bytes of the one are the code units of the other.
        [new ByteWriter().anyText('\u00e9').finish(), { text: '\u00c3\u00a9', hex: '' }, ''],
        [new ByteWriter().anyText('ann').hex('0a1b', 2).finish(), { text: 'ann', hex: '0a1b' }, 'anna'],
      ],
    },
  );
});

it('a text that is passed over ends where it would when read, and is UTF-8', () => {
  const texts = fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new ByteWriter().anyText(text).finish());
  fc.assert(
    fc.property(fc.oneof(texts, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      const [reading, passing] = [new ByteReader(bytes), new ByteReader(bytes)];
      const text = reading.anyText();
      const isWrittenSo = reading.problem === null && Buffer.from(text).toString() === text && bytes[3]! % 2 === 0;
      expect(passing.passAnyText()).toBe(isWrittenSo);
      if (isWrittenSo) expect(passing.position).toBe(reading.position);
    }),
    { numRuns: 2_000 },
  );
});

it('a byte order mark is text like any other', () => {
  expect(new ByteReader(Uint8Array.of(0xef, 0xbb, 0xbf)).text(3)).toBe('\ufeff');
});

it('the character that stands for what is no text is text when it was written', () => {
  const bytes = new TextEncoder().encode('a\ufffdb');
  const reader = new ByteReader(bytes);
  expect([reader.text(bytes.length), reader.problem]).toEqual(['a\ufffdb', null]);
});

it.each<[string, (writer: ByteWriter) => unknown]>([
  ['256 as u8', (writer) => writer.u8(256)],
  ['-1 as u16', (writer) => writer.u16(-1)],
  ['half as u32', (writer) => writer.u32(0.5)],
  ['2^53 as u64', (writer) => writer.u64(2 ** 53)],
  ['hex of another length', (writer) => writer.hex('abcd', 1)],
  ['text of 65,536 bytes', (writer) => writer.text16('x'.repeat(65_536))],
])('writing %s is a bug and throws', (_, write) => {
  expect(() => write(new ByteWriter())).toThrow(RangeError);
});
