import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packRecords, unpackRecords } from '../../../../apps/tracker/src/command-log/record-pack.ts';

const records = fc.array(
  fc.record({ value: fc.uint8Array(), sealed: fc.option(fc.string(), { freq: 3 }) }, { noNullPrototype: true }),
);

test('records come out as they went in, also when their buffer was handed over', () => {
  fc.assert(
    fc.property(records, (packed) => {
      const pack = packRecords(packed);
      const crossed = structuredClone(pack, { transfer: [pack.bytes.buffer] });
      expect(unpackRecords(crossed)).toEqual(packed);
      expect(pack.bytes.buffer.byteLength).toBe(0);
    }),
  );
});
