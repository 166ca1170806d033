import { expect, it } from 'vitest';
import { entryText } from '../../../../apps/tracker/src/audit/audit-texts.ts';

it('nothing that somebody wrote begins a line or moves on a terminal', () => {
  const text = entryText({
    offset: 7,
    time: null,
    type: 'login',
    actor: 'x\n       8  alice  login accepted\u001b[31m\u202e',
    peerId: null,
    tracker: null,
    commandId: null,
    correlationId: null,
    outcome: 'rejected',
    reason: 'not_logged_in',
    outcomeOffset: 7,
    body: { user: '\u009b2K\u2028' },
  });
  expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
  expect(text).toContain('x\\u{a}       8  alice');
});
