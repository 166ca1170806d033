import { hash, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '#domain/checkpoint';
import {
  noteKeyBytes,
  noteOrigin,
  openCheckpointNote,
  sealCheckpointNote,
  snapshotInNote,
  type VerifyNote,
} from '#wire/checkpoint-note';
import { CHECKPOINT, KNOWN_KEY, KNOWN_PUBLIC_KEY } from '../../signed-samples.ts';

const rawKey = KNOWN_PUBLIC_KEY.export({ type: 'spki', format: 'der' }).subarray(-32);

const keyIdOf = (name: string, key: Uint8Array): Buffer =>
  hash('sha256', Buffer.from(noteKeyBytes(name, key)), 'buffer').subarray(0, 4);
const keyId = keyIdOf(noteOrigin(CHECKPOINT), rawKey);
const seal = (checkpoint: Checkpoint): string =>
  sealCheckpointNote(checkpoint, {
    keyId: keyIdOf(noteOrigin(checkpoint), rawKey),
    sign: (text) => sign(null, text, KNOWN_KEY),
  });
const isSigned: VerifyNote = ({ text, signature }) => verify(null, text, KNOWN_PUBLIC_KEY, signature);
const NOTE = seal(CHECKPOINT);

const hexId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex());
const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc.record({
  logId: hexId,
  size: fc.maxSafeNat(),
  root: hexId,
  digest: hexId,
  rulesVersion: fc.maxSafeNat(),
  build: fc.stringMatching(/^[!-~]([ -~]{0,62}[!-~])?$/),
});

describe('a checkpoint note', () => {
  it('is exactly this text', () => {
    expect(NOTE.split('\n')).toEqual([
      `cohort/${'11'.repeat(32)}`,
      '20852163',
      'IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=',
      `digest ${'33'.repeat(32)}`,
      'rules 1',
      'build cohort 0.1.0',
      '',
      `— cohort/${'11'.repeat(32)} LEb1+pRxrzrZlSp6mZ+ayukXVecPPP70INkIgsRLqiMJT5NpOXGjCbJEKqi7THBnp2mI/pmmmGM3bUnLkkIAk6jWkAQ=`,
      '',
    ]);
  });

  it('is opened again as it was sealed', () => {
    fc.assert(
      fc.property(anyCheckpoint, (checkpoint) => {
        expect(openCheckpointNote(seal(checkpoint), isSigned)).toEqual(checkpoint);
      }),
      { numRuns: 50 },
    );
  });

  it('signs the text up to the blank line, with the id of its key before the signature', () => {
    openCheckpointNote(NOTE, (signed) => {
      expect(Buffer.from(signed.text).toString()).toBe(NOTE.slice(0, NOTE.indexOf('\n\n') + 1));
      expect(Buffer.from(signed.keyId)).toEqual(keyId);
      return true;
    });
    expect.assertions(2);
  });

  it('cut anywhere, or continued, is none', () => {
    for (let length = 0; length < NOTE.length; length++) {
      expect(openCheckpointNote(NOTE.slice(0, length), () => true)).toBeNull();
    }
    expect(openCheckpointNote(`${NOTE}\n`, () => true)).toBeNull();
    expect(openCheckpointNote(NOTE + NOTE.slice(NOTE.indexOf('— ')), () => true)).toBeNull();
  });

  it('whose signature does not hold is none', () => {
    expect(openCheckpointNote(NOTE, () => false)).toBeNull();
    expect(openCheckpointNote(NOTE.replace('20852163', '20852164'), isSigned)).toBeNull();
  });

  it.each([
    ['\n20852163\n', '\n020852163\n'],
    ['\n20852163\n', '\n-1\n'],
    ['\n20852163\n', '\n99999999999999999\n'],
    ['IiI=\n', 'IiJ=\n'],
    ['IiI=\n', 'IiI\n'],
    ['rules 1', 'rules 01'],
    ['build cohort 0.1.0', 'build '],
    ['build cohort 0.1.0', 'build é'],
    ['build cohort 0.1.0', `build ${'x'.repeat(65)}`],
    ['digest 33', 'digest 3'],
    ['— cohort/11', '- cohort/11'],
    ['— cohort/11', '— cohort/12'],
    ['\n', '\r\n'],
  ])('with %j written as %j is none', (written, otherwise) => {
    expect(NOTE).toContain(written);
    expect(openCheckpointNote(NOTE.replace(written, otherwise), () => true)).toBeNull();
  });

  it("names keys as other programs do: the id of a key in the documentation of Go's notes", () => {
    const [name, id, key] = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'.split('+', 3);
    expect(keyIdOf(name!, Buffer.from(key!, 'base64').subarray(1)).toString('hex')).toBe(id);
  });
});

it('a note may say which snapshot its signer has, under the same signature', () => {
  const signer = { keyId, sign: (text: Uint8Array) => sign(null, text, KNOWN_KEY) };
  const snapshot = { offset: 20_800_000, hash: '44'.repeat(32) };
  const note = sealCheckpointNote(CHECKPOINT, signer, snapshot);
  expect(note.split('\n')[6]).toBe(`snapshot 20800000 ${'44'.repeat(32)}`);
  expect(openCheckpointNote(note, isSigned)).toEqual(CHECKPOINT);
  expect([snapshotInNote(note), snapshotInNote(NOTE), snapshotInNote('none')]).toEqual([snapshot, null, null]);
  expect(openCheckpointNote(note.replace('20800000', '20900000'), isSigned)).toBeNull();
});
