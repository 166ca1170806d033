import { expect, it } from 'vitest';
import { Activity } from '../../../../apps/tracker/src/audit/activity.ts';
import { replay } from '../../../../apps/tracker/src/audit/replay.ts';
import { reportPage } from '../../../../apps/tracker/src/audit/report-page.ts';
import { verify } from '../../../../apps/tracker/src/audit/verification.ts';
import { randomRecords } from '../random-log.ts';
import { sourceOf } from './sources.ts';

const records = randomRecords(5, 500, { isTruthful: true });

async function activityOf(): Promise<Activity> {
  const activity = new Activity();
  await replay(sourceOf(records), { visit: (audited) => activity.note(audited) });
  return activity;
}

it('every record of the period is in one stretch of time, accepted or refused', async () => {
  const activity = await activityOf();
  const { intervals, refusals } = activity;
  const refused = [...refusals.values()].reduce((sum, number) => sum + number, 0);
  expect(intervals.reduce((sum, { accepted, rejected }) => sum + accepted + rejected, 0)).toBe(500);
  expect(intervals.reduce((sum, { rejected }) => sum + rejected, 0)).toBe(refused);
  expect(activity.first?.offset).toBe(0);
  expect(activity.last?.offset).toBe(499);
});

it('the page shows who did what and the verdict, and no name of anybody is markup', async () => {
  const activity = await activityOf();
  const verification = await verify(sourceOf(records));
  activity.users.set('<script>alert(1)</script>', { accepted: 1e6, rejected: 0, uploads: 0, downloads: 0 });
  activity.groups.set('"><img src=x onerror=alert(1)>', { accepted: 1e6, rejected: 0, uploads: 0, downloads: 0 });
  const { first, last } = activity;
  const page = reportPage({ source: "sqlite:a'b&c", from: first!, to: last!, activity, verification });
  expect(page).toContain('<b class="sound">sound</b>');
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain('&#60;script&#62;alert(1)');
  expect(page).toContain('sqlite:a&#39;b&#38;c');
  for (const reason of activity.refusals.keys()) expect(page).toContain(`<td>${reason}</td>`);
  expect(page.match(/<rect class="a"/g)).toHaveLength(60);
});
