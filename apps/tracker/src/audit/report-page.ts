// Owns the page of `audit report`: one HTML file that needs nothing else, no script and no address of anywhere. Names come from
// other people, so every text is escaped.
import type { Activity, ActivityCount, ActivityInterval } from './activity.ts';
import { type Place, timeOf } from './place.ts';
import type { Verification } from './verification.ts';

/** What the page is about. */
export interface Report {
  readonly source: string;
  readonly from: Place;
  readonly to: Place;
  readonly activity: Activity;
  readonly verification: Verification;
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;margin:.5rem 0 2rem}th,td{text-align:left;padding:.15rem 1rem .15rem 0;border-bottom:1px solid #ddd}
td.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.85em;word-break:break-all}
.sound{color:#176b2c}.tampered,.incomplete{color:#a11}rect.a{fill:#3b6ea5}rect.r{fill:#c0392b}text{font:11px system-ui,sans-serif}`;
const PLOT = { width: 900, height: 180, bottom: 20, left: 50 };
const ROWS_MAX = 100;

/** The page. */
export function reportPage(report: Report): string {
  const { source, from, to, activity, verification } = report;
  const { records, users, groups, commands, refusals, downloads, downloadCount, sharedBytes } = activity;
  const parts = [
    `<h1>Audit of ${escaped(source)}</h1>`,
    `<p>Offset ${from.offset} (${from.time}) to ${to.offset} (${to.time}): ${records} records, ${sharedBytes} bytes shared, ${downloadCount} downloads allowed.</p>`,
    '<h2>Verification</h2>',
    verificationPart(verification),
    '<h2>Activity</h2>',
    `<p>Records over time, <b>accepted</b> in blue, <b>refused</b> in red.</p>${plot(activity.intervals)}`,
    '<h2>Users</h2>',
    countTable('user', users),
    '<h2>Groups</h2>',
    countTable('group', groups),
    '<h2>Commands</h2>',
    numberTable(['command', 'records'], commands),
    '<h2>Refusals</h2>',
    numberTable(['reason', 'records'], refusals),
    '<h2>Downloads</h2>',
    table(
      ['offset', 'time', 'user', 'file'],
      downloads
        .toReversed()
        .slice(0, ROWS_MAX)
        .map(({ offset, timeMs, user, group, file }) => {
          return [String(offset), timeOf(timeMs), user, `${group}/${file}`];
        }),
    ),
    downloadCount > ROWS_MAX
      ? `<p>The last ${ROWS_MAX} of ${downloadCount}; <code>cohort audit log --type download_file</code> has all.</p>`
      : '',
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audit</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>${STYLE}</style></head><body>
${parts.join('\n')}
</body></html>
`;
}

function verificationPart(found: Verification): string {
  const { verdict, records, signedRecords, problem, root, digest, trust, signers } = found;
  const lines = [
    `<b class="${verdict}">${verdict}</b>: ${records} records, ${signedRecords} of them under a checkpoint that agrees; trust: ${trust}`,
    problem === null ? '' : escaped(problem),
    `root <code>${root}</code>, effect digest <code>${digest}</code>`,
    ...signers.map(
      ({ tracker, records: signed }) => `signed by <code>${escaped(tracker)}</code> up to ${signed} records`,
    ),
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => `<p>${line}</p>`)
    .join('\n');
}

/** Bars of accepted and refused records, the refused ones on top. */
function plot(intervals: readonly ActivityInterval[]): string {
  const { width, height, bottom, left } = PLOT;
  const most = Math.max(1, ...intervals.map(({ accepted, rejected }) => accepted + rejected));
  const step = (width - left) / Math.max(1, intervals.length);
  const scale = (height - bottom) / most;
  const bars = intervals.map(({ beginMs, accepted, rejected }, number) => {
    const [tall, small] = [accepted * scale, rejected * scale];
    const place = `x="${(left + number * step).toFixed(1)}" width="${(step - 1).toFixed(1)}"`;
    const title = `<title>${timeOf(beginMs)}: ${accepted} accepted, ${rejected} refused</title>`;
    const floor = height - bottom;
    return (
      `<rect class="a" ${place} y="${(floor - tall).toFixed(1)}" height="${tall.toFixed(1)}">${title}</rect>` +
      `<rect class="r" ${place} y="${(floor - tall - small).toFixed(1)}" height="${small.toFixed(1)}">${title}</rect>`
    );
  });
  const [first, last] = [intervals[0], intervals.at(-1)];
  const labels =
    `<text x="0" y="12">${most}</text><text x="0" y="${height - bottom}">0</text>` +
    `<text x="${left}" y="${height - 4}">${first === undefined ? '' : timeOf(first.beginMs)}</text>` +
    `<text x="${width}" y="${height - 4}" text-anchor="end">${last === undefined ? '' : timeOf(last.beginMs)}</text>`;
  return `<svg viewBox="0 0 ${width} ${height}" width="100%" role="img" aria-label="records over time">${bars.join('')}${labels}</svg>`;
}

function countTable(heading: string, counts: ReadonlyMap<string, ActivityCount>): string {
  const sorted = [...counts].toSorted(([left, one], [right, other]) => {
    return other.accepted + other.rejected - one.accepted - one.rejected || (left < right ? -1 : 1);
  });
  const rows = sorted.slice(0, ROWS_MAX).map(([name, { accepted, rejected, uploads, downloads }]) => {
    return [name, String(accepted), String(rejected), String(uploads), String(downloads)];
  });
  const more = sorted.length > ROWS_MAX ? `<p>The busiest ${ROWS_MAX} of ${sorted.length}.</p>` : '';
  return table([heading, 'accepted', 'refused', 'uploads', 'downloads'], rows) + more;
}

function numberTable(headings: readonly string[], counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([left, one], [right, other]) => other - one || (left < right ? -1 : 1));
  return table(
    headings,
    sorted.map(([name, number]) => [name, String(number)]),
  );
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const head = headings.map((heading) => `<th>${escaped(heading)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table><tr>${head}</tr>\n${body}</table>`;
}

function cell(text: string): string {
  return /^\d+$/.test(text) ? `<td class="n">${text}</td>` : `<td>${escaped(text)}</td>`;
}

/** Text as HTML shows it, in elements and in quoted attributes. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
