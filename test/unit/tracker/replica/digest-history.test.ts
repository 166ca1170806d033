import { describe, expect, it } from 'vitest';
import { DigestHistory } from '../../../../apps/tracker/src/replica/digest-history.ts';

const digestOf = (offset: number): Buffer => Buffer.alloc(32, offset % 251);

describe('the history of digests', () => {
  it('has every recent digest, and one in 1,024 of those before', () => {
    const history = new DigestHistory(2_048);
    for (let offset = 0; offset < 10_000; offset++) history.append(digestOf(offset));
    for (let offset = 10_000 - 2_048; offset < 10_000; offset++) expect(history.at(offset)).toEqual(digestOf(offset));
    expect(history.at(1023)).toEqual(digestOf(1023));
    expect(history.at(2047)).toEqual(digestOf(2047));
    expect(history.at(1022)).toBeNull();
  });

  it.each([-1, 3, 0.5, Number.NaN])('has nothing at %s when it holds three', (offset) => {
    const history = new DigestHistory();
    for (let at = 0; at < 3; at++) history.append(digestOf(at));
    expect(history.at(offset)).toBeNull();
  });
});
