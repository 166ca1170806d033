import { beforeEach, describe, expect, it } from 'vitest';
import { CheckpointLedger, disputeSentence } from '../../../../apps/tracker/src/replica/checkpoint-ledger.ts';

const ONE = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const own = { root: '1', digest: '2' };
const wrongRoot = { root: 'x', digest: '2' };
const wrongDigest = { root: '1', digest: 'x' };

let ledger: CheckpointLedger;
beforeEach(() => {
  ledger = new CheckpointLedger();
});

/** The record at `offset`: a checkpoint of everything before it. */
function signed(trackerId: string, offset: number, said: { root: string; digest: string } = own): void {
  ledger.count(offset);
  ledger.compare({ trackerId, offset, size: offset, ...said }, own);
}

function ruled(trackerId: string, offset: number, counts: 'log' | 'checkpoint' = 'log'): void {
  ledger.rule({ trackerId, offset, counts });
}

describe('news', () => {
  it('is every record after the last checkpoint that agrees, except checkpoints', () => {
    expect(ledger.newsAt(10)).toBe(10);
    signed(ONE, 10);
    expect(ledger.newsAt(11)).toBe(0);
    signed(OTHER, 11);
    expect(ledger.newsAt(12)).toBe(0);
    expect(ledger.newsAt(15)).toBe(3);
  });

  it('stays news when the checkpoint about it does not agree', () => {
    signed(ONE, 10, wrongDigest);
    expect(ledger.newsAt(11)).toBe(10);
    expect(ledger.agreedSize).toBe(0);
  });

  it('is what came between a checkpoint and its record', () => {
    ledger.count(12);
    ledger.compare({ trackerId: ONE, offset: 12, size: 10, ...own }, own);
    expect(ledger.newsAt(13)).toBe(2);
  });

  it('does not come back with a checkpoint that was late', () => {
    signed(ONE, 10);
    ledger.count(11);
    ledger.compare({ trackerId: OTHER, offset: 11, size: 4, ...own }, own);
    expect(ledger.agreedSize).toBe(10);
    expect(ledger.newsAt(12)).toBe(0);
  });
});

describe('a dispute', () => {
  it('is about effects when only they differ, and says between which checkpoints', () => {
    signed(ONE, 10);
    signed(OTHER, 20, wrongDigest);
    expect(ledger.dispute).toEqual({ kind: 'effects', offset: 20, trackerId: OTHER, size: 20, agreedSize: 10 });
    expect(ledger.problem).toContain('resolve_checkpoint 20');
    expect(ledger.problem).toContain('from offset 10 to 19');
  });

  it('is about records when the root differs, which comes before effects', () => {
    signed(ONE, 10, wrongDigest);
    signed(OTHER, 11, wrongRoot);
    expect(ledger.dispute).toMatchObject({ kind: 'root', offset: 11 });
    signed(ONE, 12, wrongRoot);
    ruled(OTHER, 11);
    expect(ledger.dispute).toMatchObject({ kind: 'root', offset: 12 });
  });

  it('is about the first checkpoint that says so, until one differs in its records', () => {
    signed(ONE, 10, wrongDigest);
    signed(ONE, 11, wrongDigest);
    expect(ledger.dispute).toMatchObject({ kind: 'effects', offset: 10 });
    signed(ONE, 12, wrongRoot);
    expect(ledger.dispute).toMatchObject({ kind: 'root', offset: 12 });
    signed(ONE, 13, wrongDigest);
    signed(ONE, 14, wrongRoot);
    expect(ledger.dispute).toMatchObject({ kind: 'root', offset: 12 });
  });

  it('ends with a checkpoint of as many records that agrees', () => {
    signed(ONE, 10, wrongDigest);
    ledger.compare({ trackerId: ONE, offset: 11, size: 10, ...own }, own);
    expect(ledger.dispute).toBeNull();
  });

  it('ends when the tracker that signed agrees about as many records or more', () => {
    signed(ONE, 10, wrongDigest);
    ledger.compare({ trackerId: ONE, offset: 11, size: 9, ...own }, own);
    expect(ledger.dispute).not.toBeNull();
    signed(OTHER, 12);
    expect(ledger.dispute).not.toBeNull();
    signed(ONE, 13);
    expect(ledger.dispute).toBeNull();
  });

  it("ends by an operator's ruling, and that tracker is not looked at until it agrees", () => {
    signed(ONE, 10, wrongDigest);
    signed(ONE, 11, wrongDigest);
    ruled(ONE, 11);
    expect(ledger.problem).toBeNull();
    signed(ONE, 12, wrongRoot);
    expect(ledger.problem).toBeNull();
    signed(ONE, 13);
    signed(ONE, 14, wrongDigest);
    expect(ledger.dispute).toMatchObject({ offset: 14 });
  });

  it('that was ruled about does not come back before that tracker agrees about as much as it contested', () => {
    signed(ONE, 10, wrongDigest);
    ruled(ONE, 10);
    ruled(ONE, 10);
    signed(ONE, 11, wrongDigest);
    ruled(ONE, 11);
    expect(ledger.problem).toBeNull();
    signed(ONE, 12, wrongDigest);
    expect(ledger.problem).toBeNull();
  });

  it('that was ruled about is not opened by less than what was contested', () => {
    signed(ONE, 10, wrongDigest);
    ruled(ONE, 10);
    ledger.compare({ trackerId: ONE, offset: 11, size: 9, ...own }, own);
    signed(ONE, 12, wrongDigest);
    expect(ledger.problem).toBeNull();
  });

  it('with one tracker does not end with a ruling about another', () => {
    signed(ONE, 10, wrongDigest);
    signed(OTHER, 11, wrongDigest);
    ruled(ONE, 10);
    expect(ledger.dispute).toMatchObject({ trackerId: OTHER });
  });

  it('stays with who was ruled to be wrong, who is told so', () => {
    signed(ONE, 10, wrongDigest);
    ruled(ONE, 10, 'checkpoint');
    expect(ledger.dispute).toMatchObject({ offset: 10 });
    expect(ledger.problem).toContain('run another build');
    ruled(ONE, 10, 'log');
    expect(ledger.problem).toBeNull();
  });

  it('begins again with a tracker that was ruled to be wrong and is now ruled to be right', () => {
    signed(ONE, 10, wrongDigest);
    ruled(ONE, 10, 'log');
    ruled(ONE, 10, 'checkpoint');
    signed(ONE, 11, wrongDigest);
    expect(ledger.dispute).toMatchObject({ offset: 11 });
    expect(ledger.problem).toContain('run another build');
  });

  it('is a new one after that tracker has agreed, and nobody has ruled about it', () => {
    signed(ONE, 10, wrongDigest);
    ruled(ONE, 10, 'checkpoint');
    signed(ONE, 11);
    signed(ONE, 12, wrongDigest);
    expect(ledger.problem).toContain('resolve_checkpoint 12');
  });

  it.each(['log', 'checkpoint'] as const)('does not begin by a ruling for the %s about one that agrees', (counts) => {
    signed(ONE, 10);
    ruled(ONE, 10, counts);
    expect(ledger.problem).toBeNull();
    signed(ONE, 11, wrongDigest);
    expect(ledger.problem).toContain('resolve_checkpoint 11');
  });

  it.each([
    { root: null, digest: null },
    { root: null, digest: '2' },
    { root: '1', digest: null },
  ])('is not about sizes that are not held any more: %j', (held) => {
    ledger.compare({ trackerId: ONE, offset: 9, size: 9, ...wrongRoot }, held);
    ledger.compare({ trackerId: ONE, offset: 10, size: 9, ...own }, held);
    expect(ledger.dispute).toBeNull();
    expect(ledger.agreedSize).toBe(0);
  });

  it('is told with what differs, from where to where, and what to do', () => {
    signed(ONE, 10);
    ledger.compare({ trackerId: OTHER, offset: 11, size: 4, ...wrongDigest }, own);
    const sentence = (what: string): string =>
      `the checkpoint at offset 11, by sha256:${OTHER}, has another ${what} over the first 4 records than this tracker, which ` +
      'differ somewhere from offset 3 to 3: find out which is right, then rule with ' +
      'cohort operator resolve_checkpoint 11 --counts log|checkpoint';
    expect(ledger.problem).toBe(sentence('effect digest'));
    expect(disputeSentence({ ...ledger.dispute!, kind: 'root' })).toBe(sentence('Merkle root'));
    ruled(OTHER, 11, 'checkpoint');
    expect(ledger.problem).toBe(
      `an operator ruled that sha256:${OTHER} is right with the checkpoint at offset 11, ` +
        'and this tracker has something else: run another build here',
    );
  });
});
