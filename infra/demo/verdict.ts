// Owns what the demo says at its end: the table of what happened, and every promise with whether it was kept.
import type { DigestAt } from '../quick-start/tracker-status.ts';
import type { DownloadReport, StoryReport } from './story.ts';

/** What was measured beside the story. */
export interface Measured {
  readonly story: StoryReport;
  readonly digests: readonly DigestAt[];
  /** Bytes that the trackers' folders, and the log where it is a file, have grown by. */
  readonly grownBytes: number;
  /** Most memory that each peer had resident; empty where the system does not tell. */
  readonly peakBytes: ReadonlyMap<string, number>;
}

/** One promise. */
interface Check {
  readonly promise: string;
  readonly isKept: boolean;
}

const FAILOVER_SECONDS_MAX = 2;
const GROWN_BYTES_MAX = 1024 * 1024;
const PEER_RESIDENT_BYTES_MAX = 260 * 1024 * 1024;
const SHARE_MIN = 0.3;
/** Below this a download is over before two sources can be asked alike. */
const SHARED_BYTES_MIN = 32 * 1024 * 1024;

/** The table and the promises as text, and whether all were kept. */
export function verdictOf(measured: Measured): { text: string; isSound: boolean } {
  const checks = checksOf(measured);
  const lines = checks.map(({ promise, isKept }) => `${isKept ? 'ok    ' : 'BROKEN'}  ${promise}`);
  return {
    text: `\n${downloadTable(measured.story)}\n${lines.join('\n')}\n`,
    isSound: checks.every(({ isKept }) => isKept),
  };
}

function checksOf({ story, digests, grownBytes, peakBytes }: Measured): Check[] {
  const { downloads, failoverSeconds, killedAt } = story;
  const [first] = digests;
  const big = downloads.filter(({ from, totalBytes }) => from.size > 1 && totalBytes >= SHARED_BYTES_MIN);
  return [
    {
      promise: `every downloaded file has the sha1 of the shared one (${downloads.length} files)`,
      isKept: downloads.every(({ sha1, sharedSha1 }) => sha1 === sharedSha1),
    },
    ...big.map((report) => ({
      promise: `each of the two peers delivered at least 30 % of ${report.user}'s ${report.file}`,
      isKept: [...report.from.values()].every((bytes) => bytes >= SHARE_MIN * report.totalBytes),
    })),
    {
      promise: `tracker 1 was killed when ${percent(killedAt)} was there; the next command took ${failoverSeconds.toFixed(2)} s`,
      isKept: killedAt < 1 && failoverSeconds < FAILOVER_SECONDS_MAX,
    },
    {
      promise: `both trackers have digest ${first?.digest.slice(0, 16)} at offset ${first?.offset}`,
      isKept: digests.length === 2 && digests.every(({ digest }) => digest === first!.digest),
    },
    {
      promise: `trackers' folders and log have grown by ${Math.round(grownBytes / 1024)} KiB`,
      isKept: grownBytes < GROWN_BYTES_MAX,
    },
    ...[...peakBytes].map(([user, bytes]) => ({
      promise: `${user}'s peer had at most ${Math.round(bytes / 2 ** 20)} MiB resident`,
      isKept: bytes <= PEER_RESIDENT_BYTES_MAX,
    })),
  ];
}

function downloadTable({ downloads, uploadSeconds }: StoryReport): string {
  const rows = downloads.map((report) => [
    report.user,
    report.file,
    String(report.totalBytes),
    report.seconds.toFixed(2),
    (report.totalBytes / 2 ** 20 / report.seconds).toFixed(0),
    sourcesOf(report),
    report.sha1,
  ]);
  const heading = ['user', 'file', 'bytes', 'seconds', 'MiB/s', 'from', 'sha1'];
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((row) => row[column]!.length)));
  const lines = [heading, ...rows].map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n\nalice shared them in ${uploadSeconds.toFixed(2)} s.\n`;
}

function sourcesOf({ from, totalBytes }: DownloadReport): string {
  if (totalBytes === 0) return '-';
  return [...from].map(([user, bytes]) => `${user} ${percent(bytes / totalBytes)}`).join(', ');
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
