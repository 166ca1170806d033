// Owns what follows from having looked at the trackers: who is there, with the right key, on the same log, up to date, and with a
// clock like this machine's. Pure.
import type { TrackerState } from '#wire/control-status';
import { formatHostPort } from '#wire/host-port';
import { GRANT_CLOCK_SKEW_MAX_MS } from '#wire/limits';
import { printable } from '#wire/printable-text';
import { formatFingerprint } from '#wire/tracker-info';
import type { ProbedTracker } from '../../tracker-link/tracker-probe.ts';
import { type Finding, Findings } from './finding.ts';
import type { ListedTracker } from './tracker-list.ts';

/** A clock that is further away than this is set wrongly. */
const CLOCK_MS_WANTED = 10_000;
/** Trackers that read the same log are asked at different moments of it. */
const BEHIND_RECORDS_MAX = 1_000;

/** What is known before trackers are looked at. */
export interface TrackerExpectations {
  /** The log that this peer has followed; null when it has followed none. */
  readonly logId: string | null;
  /** How the running peer stands with each, by address; empty when none runs. */
  readonly states: ReadonlyMap<string, TrackerState>;
}

type Answered = Extract<ProbedTracker, { readonly reached: 'tracker' }>;

/** Everything that is to be said of the trackers, in their order; then of all of them together. */
export function checkTrackers(
  trackers: readonly ListedTracker[],
  probed: readonly ProbedTracker[],
  { logId, states }: TrackerExpectations,
): readonly Finding[] {
  // What somebody else says who answers there is nothing to go by.
  const answered = probed.filter(
    (each, index): each is Answered => each.reached === 'tracker' && !isOtherKey(trackers[index]!, each.shownId),
  );
  const readTo = Math.max(-1, ...answered.map(({ head }) => head.appliedOffset));
  const each = trackers.flatMap((tracker, index) => {
    const findings = new Findings(`tracker ${formatHostPort(tracker.address)}`);
    const found = checkTracker(findings, { tracker, probed: probed[index]!, readTo });
    const isFine = found.every(({ state }) => state === 'ok');
    return isFine ? [...found, ...connectionTrouble(findings, states.get(formatHostPort(tracker.address)))] : found;
  });
  const findings = [...each, ...checkLogs(answered, logId), ...checkClocks(answered)];
  return findings.map(asText);
}

/** What a tracker says of itself is anybody's text while its key is not known. */
function asText({ state, check, detail, action }: Finding): Finding {
  return { state, check, detail: printable(detail), action };
}

interface LookedAt {
  readonly tracker: ListedTracker;
  readonly probed: ProbedTracker;
  /** How far the furthest of all trackers has read. */
  readonly readTo: number;
}

function checkTracker(findings: Findings, { tracker, probed, readTo }: LookedAt): readonly Finding[] {
  if (probed.reached === 'nothing') return [nothingThere(findings, probed.code)];
  const key = keyTrouble(findings, tracker, probed.shownId);
  if (key !== null) return [key];
  if (probed.reached === 'port') {
    const detail = 'Something listens there and does not answer like a tracker.';
    return [findings.problem(detail, 'Correct its line in tracker_info.txt, or see what holds the tracker up.')];
  }
  return [stateOf(findings, probed, readTo), ...unpinned(findings, tracker, probed.shownId)];
}

function nothingThere(findings: Findings, code: string): Finding {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return findings.problem(`Nobody knows an address of that name (${code}).`, 'Correct its line in tracker_info.txt.');
  }
  if (code === 'ECONNREFUSED') {
    return findings.problem(
      `Nothing listens there (${code}).`,
      'Start the tracker, or correct its line in tracker_info.txt.',
    );
  }
  return findings.problem(
    `It cannot be reached (${code}).`,
    'See whether that machine is on, and whether a firewall stands between.',
  );
}

function expectedKey({ pinnedId, rememberedId }: ListedTracker): string | null {
  return pinnedId ?? rememberedId;
}

function isOtherKey(tracker: ListedTracker, shownId: string | null): boolean {
  const expected = expectedKey(tracker);
  return expected !== null && shownId !== null && expected !== shownId;
}

function keyTrouble(findings: Findings, tracker: ListedTracker, shownId: string | null): Finding | null {
  const expected = expectedKey(tracker);
  if (expected === null || shownId === null || !isOtherKey(tracker, shownId)) return null;
  const shown = `It shows the key ${formatFingerprint(shownId)}`;
  const beware = 'Unless its key was changed on purpose, somebody else answers there.';
  if (tracker.pinnedId !== null) {
    return findings.problem(
      `${shown}, and tracker_info.txt gives ${formatFingerprint(expected)}.`,
      `${beware} If it was, correct its line.`,
    );
  }
  return findings.problem(
    `${shown}, and showed ${formatFingerprint(expected)} before.`,
    `${beware} If it was, stop the peer, remove known-trackers.json from its data directory, and start it again.`,
  );
}

function stateOf(findings: Findings, { head, tookMs }: Answered, readTo: number): Finding {
  const { trouble, appliedOffset } = head;
  if (trouble?.reason === 'catching_up') return findings.warning(trouble.detail, 'Wait until it has read the log.');
  if (trouble !== null)
    return findings.problem(trouble.detail, 'Ask who runs it: cohort tracker says more on its standard error.');
  const behind = readTo - appliedOffset;
  if (behind > BEHIND_RECORDS_MAX) {
    return findings.warning(
      `It is ${behind} records behind another tracker.`,
      'Wait, and look again; one that stays behind is too slow.',
    );
  }
  return findings.ok(`It takes commands, has read the log to offset ${appliedOffset}, and answered in ${tookMs} ms.`);
}

/** A tracker that is fine from here, and not for the peer that runs here. */
function connectionTrouble(findings: Findings, state: TrackerState | undefined): Finding[] {
  if (state === undefined || state === 'ready' || state === 'catching_up') return [];
  const detail = `The peer that runs here is not connected to it (${state}).`;
  return [findings.warning(detail, 'Wait a few seconds and look again; restart the peer when it stays so.')];
}

/** A key that nobody has looked at is that of whoever answers first. */
function unpinned(findings: Findings, { pinnedId, rememberedId }: ListedTracker, shownId: string | null): Finding[] {
  if (pinnedId !== null || rememberedId !== null || shownId === null) return [];
  return [
    findings.warning(
      'No fingerprint is known for it: a peer that starts here trusts whoever answers.',
      `If whoever runs it confirms this one, write it behind its address: ${formatFingerprint(shownId)}`,
    ),
  ];
}

function checkLogs(answered: readonly Answered[], followed: string | null): Finding[] {
  const findings = new Findings('log');
  const [first, ...others] = new Set(answered.map(({ head }) => head.logId).filter((logId) => logId !== ''));
  if (first === undefined) return [];
  if (others.length > 0) {
    const detail = `The trackers serve different logs: ${[first, ...others].join(', ')}.`;
    return [findings.problem(detail, 'Give all of them one --log.')];
  }
  if (followed !== null && followed !== first) {
    const detail = `The trackers serve the log ${first}, and this peer has followed ${followed}.`;
    return [
      findings.problem(detail, 'If the log was begun anew, restart the peer; otherwise these are other trackers.'),
    ];
  }
  return [findings.ok(`All that answer serve one log: ${first}.`)];
}

function checkClocks(answered: readonly Answered[]): Finding[] {
  const findings = new Findings('clock');
  const ahead = answered.flatMap(({ aheadMs }) => (aheadMs === null ? [] : [aheadMs]));
  if (ahead.length === 0) return [];
  const most = ahead.reduce((left, right) => (Math.abs(right) > Math.abs(left) ? right : left));
  const seconds = Math.abs(most) / 1000;
  if (Math.abs(most) <= CLOCK_MS_WANTED)
    return [findings.ok(`This clock and theirs are ${seconds.toFixed(1)} s apart at the most.`)];
  const detail = `This clock is ${seconds.toFixed(0)} s ${most > 0 ? 'behind' : 'ahead of'} that of a tracker.`;
  const action = 'Set the clock of this machine, by NTP for instance, or that of the tracker.';
  return [
    Math.abs(most) > GRANT_CLOCK_SKEW_MAX_MS
      ? findings.problem(`${detail} Others refuse its grants.`, action)
      : findings.warning(detail, action),
  ];
}
