import { describe, expect, test } from 'vitest';
import type { TrackerState } from '#wire/control-status';
import type { TrackerTrouble } from '#wire/tracker-trouble';
import { checkTrackers } from '../../../../apps/peer/src/cli/doctor/tracker-checks.ts';
import type { ListedTracker } from '../../../../apps/peer/src/cli/doctor/tracker-list.ts';
import type { ProbedTracker } from '../../../../apps/peer/src/tracker-link/tracker-probe.ts';

const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);

const listed = (pinnedId: string | null, rememberedId: string | null = null): ListedTracker => ({
  address: { host: '192.0.2.1', port: 9001 },
  pinnedId,
  rememberedId,
});

interface Answer {
  readonly logId?: string;
  readonly appliedOffset?: number;
  readonly trouble?: TrackerTrouble | null;
  readonly aheadMs?: number | null;
}

function answered({ logId = 'log', appliedOffset = 7, trouble = null, aheadMs = 3 }: Answer = {}): ProbedTracker {
  const head = { logId, trackerId: KEY, appliedOffset, trouble };
  return { reached: 'tracker', shownId: KEY, head, tookMs: 2, aheadMs };
}

interface Known {
  readonly logId?: string | null;
  readonly state?: TrackerState;
}

/** States and beginnings of the sentences, for one tracker or several with the same key. */
function found(
  tracker: ListedTracker,
  probed: readonly ProbedTracker[],
  { logId = null, state }: Known = {},
): string[] {
  const states = new Map(state === undefined ? [] : [['192.0.2.1:9001', state] as const]);
  const findings = checkTrackers(
    probed.map(() => tracker),
    probed,
    { logId, states },
  );
  return findings.map((finding) => `${finding.state} ${finding.check}: ${finding.detail}`);
}

const FINE = [
  'ok tracker 192.0.2.1:9001: It takes commands, has read the log to offset 7, and answered in 2 ms.',
  'ok log: All that answer serve one log: log.',
  'ok clock: This clock and theirs are 0.0 s apart at the most.',
];

describe('a tracker that answers', () => {
  test('with the key that it should have is fine', () => {
    expect(found(listed(KEY), [answered()], { logId: 'log', state: 'ready' })).toEqual(FINE);
    expect(found(listed(null, KEY), [answered()])).toEqual(FINE);
  });

  test('with a pinned key is fine, whatever key it had before', () => {
    expect(found(listed(KEY, OTHER_KEY), [answered()])).toEqual(FINE);
  });

  test.each([
    [
      listed(OTHER_KEY),
      `problem tracker 192.0.2.1:9001: It shows the key sha256:${KEY}, and tracker_info.txt gives sha256:${OTHER_KEY}.`,
    ],
    [
      listed(null, OTHER_KEY),
      `problem tracker 192.0.2.1:9001: It shows the key sha256:${KEY}, and showed sha256:${OTHER_KEY} before.`,
    ],
  ])('with another key is a problem', (tracker, said) => {
    expect(found(tracker, [answered()])[0]).toBe(said);
  });

  test('with another key is not believed in anything', () => {
    const impostor = answered({ logId: 'other', appliedOffset: 1_000_000, aheadMs: 10_000_000 });
    const [host, trackers] = [listed(KEY), [listed(KEY), listed(OTHER_KEY)]];
    const findings = checkTrackers(trackers, [answered(), impostor], { logId: 'log', states: new Map() });
    const [problem, ...others] = findings.toSorted(
      (left, right) => Number(left.state === 'ok') - Number(right.state === 'ok'),
    );
    expect(problem!.detail).toMatch(/^It shows the key/);
    expect(others.map(({ detail }) => detail)).toEqual(
      checkTrackers([host], [answered()], { logId: 'log', states: new Map() }).map(({ detail }) => detail),
    );
  });

  test('with what a terminal would obey is shown as text', () => {
    const evil = '\u001b]0;title\u0007\n';
    const said = found(listed(null), [
      answered({ logId: evil, trouble: { reason: 'log_unavailable', detail: evil } }),
      answered(),
    ]);
    expect(said.join('')).not.toMatch(/\p{Cc}/u);
    expect(said[0]).toContain('\\u{1b}]0;title\\u{7}');
  });

  test('whose key nobody knows is to be looked at', () => {
    const [, unknown] = found(listed(null), [answered()]);
    expect(unknown).toMatch(/^warning tracker .*No fingerprint is known/);
  });

  test.each([
    ['catching_up' as const, 'warning'],
    ['clock_skew' as const, 'problem'],
  ])('and says %s is a %s', (reason, state) => {
    expect(found(listed(KEY), [answered({ trouble: { reason, detail: 'What it is.' } })])[0]).toBe(
      `${state} tracker 192.0.2.1:9001: What it is.`,
    );
  });

  test('and has read much less than another one is behind', () => {
    const [first, second] = found(listed(KEY), [answered({ appliedOffset: 5000 }), answered({ appliedOffset: 3999 })]);
    expect(first).toMatch(/^ok /);
    expect(second).toMatch(/^warning .*1001 records behind/);
  });

  test('and that the running peer has no connection to is said so', () => {
    expect(found(listed(KEY), [answered()], { state: 'unreachable' })[1]).toMatch(
      /^warning .*not connected.*unreachable/,
    );
  });
});

describe('trackers together', () => {
  test('on different logs are a problem', () => {
    expect(found(listed(KEY), [answered(), answered({ logId: 'other' })])[2]).toMatch(/^problem log: .*log, other/);
  });

  test('on another log than the peer has followed are a problem', () => {
    expect(found(listed(KEY), [answered()], { logId: 'before' })[1]).toMatch(/^problem log: .*followed before/);
  });

  test.each([
    [10_000, 'ok clock: This clock and theirs are 10.0 s apart at the most.'],
    [-20_000, 'warning clock: This clock is 20 s ahead of that of a tracker.'],
    [301_000, 'problem clock: This clock is 301 s behind that of a tracker. Others refuse its grants.'],
  ])('whose clock is %i ms ahead', (aheadMs, said) => {
    expect(found(listed(KEY), [answered(), answered({ aheadMs })]).at(-1)).toBe(said);
  });

  test('of an older build say nothing of their clocks', () => {
    expect(found(listed(KEY), [answered({ aheadMs: null })]).at(-1)).toMatch(/^ok log/);
  });
});

test.each([
  [{ reached: 'nothing', code: 'ECONNREFUSED' } as const, 'Nothing listens there'],
  [{ reached: 'nothing', code: 'ENOTFOUND' } as const, 'Nobody knows an address'],
  [{ reached: 'nothing', code: 'ETIMEDOUT' } as const, 'It cannot be reached'],
  [{ reached: 'port', shownId: null } as const, 'Something listens there'],
  [{ reached: 'port', shownId: OTHER_KEY } as const, 'It shows the key'],
])('%j is a problem', (probed, said) => {
  const [only, ...others] = found(listed(KEY), [probed]);
  expect(only).toContain(`problem tracker 192.0.2.1:9001: ${said}`);
  expect(others).toEqual([]);
});
