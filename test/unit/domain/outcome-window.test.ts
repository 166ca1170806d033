import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { OutcomeWindow } from '#domain/outcome-window';
import type { RememberedOutcome } from '#domain/state';

function outcomeAt(offset: number): RememberedOutcome {
  return { offset, peerId: null, content: '', outcome: { status: 'accepted', result: {} } };
}

test('what is forgotten is what lies before the offset, whatever was added and forgotten in between', () => {
  const steps = fc.array(fc.record({ added: fc.nat(4), ahead: fc.nat(6) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const window = new OutcomeWindow();
      const model = new Map<string, RememberedOutcome>();
      let [offset, forgottenTo] = [0, 0];
      for (const { added, ahead } of sequence) {
        for (let count = 0; count < added; count++, offset++) {
          for (const map of [window, model]) map.set(`key ${offset}`, outcomeAt(offset));
        }
        forgottenTo = Math.max(forgottenTo, offset - ahead);
        window.forgetBefore(forgottenTo);
        for (const [key, kept] of model) if (kept.offset < forgottenTo) model.delete(key);
        expect([...window]).toEqual([...model]);
      }
    }),
  );
});

test('forgetting goes on where it was, and does not look at the front again', () => {
  const window = new OutcomeWindow();
  const entries = vi.spyOn(window, 'entries');
  for (let offset = 0; offset < 1_000; offset++) {
    window.set(`key ${offset}`, outcomeAt(offset));
    window.forgetBefore(offset - 10);
  }
  expect(window.size).toBe(11);
  expect(entries).toHaveBeenCalledTimes(1);
});
