// Facts about what an audit remembers of commands: what `apply` asks of it, it answers as a tracker's window does.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commandContent } from '#domain/command';
import type { Outcome } from '#domain/outcome';
import { OutcomeWindow } from '#domain/outcome-window';
import { DigestedOutcomes } from '../../../../apps/tracker/src/audit/digested-outcomes.ts';
import { CONTENT_ID, SMALL_CONTENT } from '../../domain/log-of.ts';

const GROUP_ID = 7;
const UPLOAD = { group: 'g', file: 'f', contentId: CONTENT_ID, ...SMALL_CONTENT };
const CONTENTS = [commandContent({ name: 'upload_file', data: UPLOAD }), '["logout"]'];
/** Two of them are one text in UTF-8. */
const KEYS = ['user a 1', 'user b 1', 'user x\udc00 1', 'user x\ud800 1'];

/** What commands come to; an upload that begins a share names its own offset. */
function outcomesAt(offset: number): Outcome[] {
  const share = { groupId: GROUP_ID, shareId: offset, contentId: CONTENT_ID, ...SMALL_CONTENT };
  return [
    { status: 'accepted', result: {} },
    { status: 'accepted', result: { sessionId: offset } },
    { status: 'accepted', result: { groupId: offset } },
    { status: 'accepted', result: { share } },
    { status: 'accepted', result: { share: { ...share, shareId: 3, totalBytes: 9 } } },
    { status: 'rejected', reason: 'not_a_member' },
    { status: 'accepted', result: { share: { ...share, version: 1 } } },
    { status: 'accepted', result: { share: { ...share, version: 3 } } },
  ];
}

/** As `first` answers: a window that holds the texts has more in it. */
function answerOf(outcomes: OutcomeWindow, key: string, content: string): unknown {
  const first = outcomes.first(key, content);
  return typeof first === 'object' && first !== null ? { offset: first.offset, outcome: first.outcome } : first;
}

it('tells the same as a window that holds ids and texts, whatever was remembered and forgotten', () => {
  const steps = fc.array(
    fc.record({ key: fc.nat(3), content: fc.nat(1), came: fc.nat(7), skipped: fc.nat(3), kept: fc.nat(12) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (sequence) => {
      const [digested, model] = [new DigestedOutcomes(), new OutcomeWindow()];
      let offset = 4_090;
      for (const { key, content, came, skipped, kept } of sequence) {
        offset += 1 + skipped;
        for (const outcomes of [digested, model]) {
          outcomes.forgetBefore(offset - kept);
          // Only an upload comes to a share of its own.
          const text = CONTENTS[came === 3 || came > 5 ? 0 : content]!;
          if (outcomes.first(KEYS[key]!, text) !== null) continue;
          outcomes.set(KEYS[key]!, { offset, peerId: null, content: text, outcome: outcomesAt(offset)[came]! });
        }
        for (const asked of KEYS) {
          for (const text of CONTENTS) expect(answerOf(digested, asked, text)).toEqual(answerOf(model, asked, text));
        }
      }
    }),
  );
});

it('finds every one of many thousands, and none of those that are forgotten', () => {
  const outcomes = new DigestedOutcomes();
  const [count, kept] = [10_000, 6_000];
  for (let offset = 0; offset < count; offset++) {
    outcomes.forgetBefore(offset - kept);
    outcomes.set(`user a ${offset}`, { offset, peerId: null, content: 'c', outcome: outcomesAt(offset)[1]! });
  }
  for (let offset = 0; offset < count; offset++) {
    const wanted = offset < count - 1 - kept ? null : { offset, outcome: outcomesAt(offset)[1] };
    expect(outcomes.first(`user a ${offset}`, 'c')).toEqual(wanted);
  }
});
