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
