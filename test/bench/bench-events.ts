// `npm run bench:events`: what events cost those who move bytes: the rate of a download over loopback while 200 events a second reach
// five clients that follow them, against the same download with neither, in turns, and in each pair the other one first. Prints both
// medians and what they differ by; fails when that is more than `--at-most` percent, or when a client missed an event.
//   npm run bench:events -- --pairs 5 --size 1GiB --events 200 --clients 5 --workers 2 --at-most 3 --scratch /dev/shm
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatFingerprint } from '#wire/tracker-info';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import type { LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { FollowedEvents } from '../followed-events.ts';
import { PlayedTracker } from '../unit/peer/tracker-link/played-tracker.ts';
import { enterPair, forgetDownloads, GROUP, withSystem } from './local-pair.ts';
import { medianOf, mibOf, quantileOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    size: { type: 'string', default: '1GiB' },
    events: { type: 'string', default: '200' },
    clients: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    /** Percent. */
    'at-most': { type: 'string', default: '3' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const totalBytes = sizeOf(flags.size);
const eventsPerSecond = Number(flags.events);
/** How often news is sent: as many at a time as are due. */
const NEWS_MS = 50;
let newsCount = 0;

/** A tracker beside the real one that only pushes: news of groups, of which each is an event of the peer. */
async function newsTracker(system: LocalSystem): Promise<{ tracker: PlayedTracker; trackerInfo: string }> {
  const tracker = await PlayedTracker.start();
  const status = (await (await fetch(`${system.trackers[0]!.http}/status`)).json()) as { logId: string };
  Object.assign(tracker, { logId: status.logId, appliedOffset: 0, user: null });
  const trackerInfo = join(system.folder, 'tracker_info-with-news.txt');
  const { host, port } = tracker.entry();
  const line = `${host}:${port} ${formatFingerprint(tracker.identity.id)}\n`;
  await writeFile(trackerInfo, (await readFile(system.trackerInfo, 'utf8')) + line);
  return { tracker, trackerInfo };
}

/** Sends news until it is stopped, and then says how many. */
function sendNews(tracker: PlayedTracker): () => number {
  const startMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) * eventsPerSecond) / 1000);
    // Of a group of its own each: what is told again of one is left out.
    for (; sent < due; sent++) tracker.push({ type: 'group_changed', offset: 0, group: `news-${newsCount++}` });
  }, NEWS_MS);
  return () => {
    clearInterval(timer);
    return sent;
  };
}

/** Bytes a second of one download. */
async function downloadRate({ control }: LocalPeer, destination: string): Promise<number> {
  const startMs = performance.now();
  const body = { group: GROUP, file: 'source', destination, wait: true };
  await expectOk('download_file', control.command('download_file', body));
  return (totalBytes * 1000) / (performance.now() - startMs);
}

/** The same while events reach everybody who follows. Throws when one of them does not get all. */
async function rateWithEvents(
  peer: LocalPeer,
  { tracker, destination }: { tracker: PlayedTracker; destination: string },
): Promise<number> {
  const opened = Array.from({ length: Number(flags.clients) }, () => FollowedEvents.open(peer.control));
  const clients = await Promise.all(opened);
  try {
    const stop = sendNews(tracker);
    const rate = await downloadRate(peer, destination);
    const sent = stop();
    const isNews = ({ type, data }: (typeof clients)[number]['seen'][number]): boolean =>
      type === 'group_changed' && String(data['group']).startsWith('news-');
    const hasAll = async (client: FollowedEvents): Promise<void> => {
      await client.first(() => client.seen.filter(isNews).length >= sent);
    };
    await Promise.all(clients.map(hasAll));
    return rate;
  } finally {
    for (const client of clients) client.close();
  }
}

say(machineLine());
say(
  `${flags.size} from 1 to 1, ${flags.pairs} pairs: ${flags.events} events a second to ${flags.clients} clients, and none`,
);
const place = { scratch: flags.scratch, workers: flags.workers };
await withSystem(place, async (system) => {
  const { tracker, trackerInfo } = await newsTracker(system);
  try {
    const { seeder, downloader } = await enterPair(system, { ...place, downloaderInfo: trackerInfo });
    const source = join(system.folder, 'source');
    await writeRandomFile(source, totalBytes);
    await expectOk('upload_file', seeder.control.command('upload_file', { group: GROUP, path: source, wait: true }));
    const destination = join(system.folder, 'got');
    await mkdir(destination);
    const without = async (): Promise<number> => {
      const rate = await downloadRate(downloader, destination);
      await forgetDownloads(downloader);
      return rate;
    };
    const withEvents = async (): Promise<number> => {
      const rate = await rateWithEvents(downloader, { tracker, destination });
      await forgetDownloads(downloader);
      return rate;
    };
    // The first of all pays for what is read for the first time.
    await without();
    const [rates, baselines, costs]: [number[], number[], number[]] = [[], [], []];
    for (let pair = 0; pair < Number(flags.pairs); pair++) {
      const isBaselineFirst = pair % 2 === 1;
      const first = await (isBaselineFirst ? without() : withEvents());
      const second = await (isBaselineFirst ? withEvents() : without());
      const [rate, baseline] = isBaselineFirst ? [second, first] : [first, second];
      rates.push(rate);
      baselines.push(baseline);
      costs.push((1 - rate / baseline) * 100);
      say(`  with ${mibOf(rate)} MiB/s, without ${mibOf(baseline)} MiB/s: ${costs.at(-1)!.toFixed(1)} % less`);
    }
    const cost = medianOf(costs);
    say(`with events ${mibOf(medianOf(rates))} MiB/s, without ${mibOf(medianOf(baselines))} MiB/s (medians)`);
    say(
      `ratio ${(1 - cost / 100).toFixed(3)}, a quarter of the pairs below ${(1 - quantileOf(costs, 0.75) / 100).toFixed(3)}`,
    );
    say(`events cost ${cost.toFixed(1)} % of the rate (at most ${flags['at-most']} %)`);
    if (!(cost <= Number(flags['at-most']))) process.exitCode = 1;
  } finally {
    await tracker.kill();
  }
});
