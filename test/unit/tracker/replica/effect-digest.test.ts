import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Applied } from '#domain/apply';
import { canonicalJson, FIRST_DIGEST, nextDigest } from '../../../../apps/tracker/src/replica/effect-digest.ts';

const applied: Applied = {
  outcome: { status: 'accepted', result: { groupId: 5 } },
  outcomeOffset: 5,
  events: [{ type: 'group_created', group: 'g', owner: 'alice' }],
};

describe('the effect digest', () => {
  it('is the SHA-256 of the one before it and the canonical JSON of what the record came to', () => {
    const text =
      '{"events":[{"group":"g","owner":"alice","type":"group_created"}],"offset":6,' +
      '"outcome":{"result":{"groupId":5},"status":"accepted"},"outcomeOffset":5}';
    const hashAfter = (previous: Uint8Array): string =>
      createHash('sha256').update(previous).update(text).digest('hex');
    const first = nextDigest(FIRST_DIGEST, 6, applied);
    expect(first.toString('hex')).toBe(hashAfter(new Uint8Array(32)));
    expect(nextDigest(first, 6, applied).toString('hex')).toBe(hashAfter(first));
  });

  it('is of one text, in whatever order keys were written, and lists keep theirs', () => {
    const value = { b: [2, 1, { d: null, c: 'x' }], a: { z: true, Z: 1 } };
    expect(canonicalJson(value)).toBe('{"a":{"Z":1,"z":true},"b":[2,1,{"c":"x","d":null}]}');
  });
});
