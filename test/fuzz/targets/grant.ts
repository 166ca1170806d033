// Owns fuzzing grants, behind a signature that always holds: one that is taken has exactly these bytes, as text too.
import assert from 'node:assert/strict';
import { checkGrant, grantFromText, grantToText, openGrant, sealGrant } from '#wire/grant';
import { CLAIMS } from '../../signed-samples.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const SIGNATURE_BYTES = 64;

export const grant: FuzzTarget = {
  name: 'grant',
  sources: ['libs/wire/src/grant.ts', 'libs/wire/src/byte-reader.ts'],
  shape: 'bytes',
  seeds: () => {
    const sealed = sealGrant(CLAIMS, () => new Uint8Array(SIGNATURE_BYTES).fill(9));
    return [sealed, Buffer.from(grantToText(sealed))];
  },
  run: (input) => {
    const opened = openGrant(input, { verify: () => true });
    if (opened.ok) {
      const sealed = sealGrant(opened.claims, () => input.slice(-SIGNATURE_BYTES));
      assertSameBytes(sealed, input, 'claims have one encoding');
      checkGrant(opened.claims, { ...CLAIMS, nowMs: 0, revokedAsOf: null });
    }
    const text = Buffer.from(input).toString('latin1');
    const grantOfText = grantFromText(text);
    if (grantOfText !== null) assert.equal(grantToText(grantOfText), text, 'a grant has one text');
  },
};
