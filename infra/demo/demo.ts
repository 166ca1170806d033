// Owns the demo as a program: a system in a temporary folder, the story, the verdict, and nothing left behind. Its exit code
// is 0 only when every promise was kept.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFlags } from '../launcher/flags.mjs';
import { LocalSystem } from '../quick-start/local-system.ts';
import { machineLine, peaksOf } from '../quick-start/measured.ts';
import { digestsAtSameOffset } from '../quick-start/tracker-status.ts';
import { folderBytes, parseSize } from './files.ts';
import { playStory } from './story.ts';
import { verdictOf } from './verdict.ts';

const USAGE = `npm run demo -- [--kafka] [--size <size>]
  --kafka        the log on Kafka, with a broker of its own (Java and Maven needed)
  --size <size>  of the big file, like 64MiB (1GiB)`;

/** A log that the trackers shall use, and how it is taken away again. */
interface DemoLog {
  readonly url: string | undefined;
  /** Files of the log on this machine. */
  readonly folders: (systemFolder: string) => readonly string[];
  readonly stop: () => Promise<void>;
}

/** Runs the demo: `--size 1GiB` of the big file, `--kafka` for the log. */
export async function demo(words: readonly string[]): Promise<void> {
  const options = { kafka: { type: 'boolean', default: false }, size: { type: 'string', default: '1GiB' } } as const;
  const flags = readFlags(words, { options, usage: USAGE });
  if (flags === null) return;
  const { kafka, size } = flags;
  const bigBytes = parseSize(size);
  if (bigBytes === null) {
    process.stderr.write(`"${size}" is not a size: write it like 64MiB or 1GiB\n`);
    process.exitCode = 64;
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'cohort-demo-'));
  try {
    const isSound = await Promise.race([playIn(folder, { kafka, bigBytes }), stopSignal()]);
    process.exitCode = isSound ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    for (const clean of cleanups.splice(0)) await clean();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rejects when somebody wants the demo to end. */
function stopSignal(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
    }
  });
}

/** What has to end, in this order. */
const cleanups: (() => Promise<void>)[] = [];

async function playIn(folder: string, { kafka, bigBytes }: { kafka: boolean; bigBytes: number }): Promise<boolean> {
  const begin = performance.now();
  const tell = (step: string): void => {
    process.stdout.write(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${step}\n`);
  };
  process.stdout.write(`${machineLine()}\n`);
  tell(kafka ? 'two trackers start on Kafka' : 'two trackers start on the embedded log');
  const log = kafka ? await kafkaLog(join(folder, 'kafka')) : EMBEDDED_LOG;
  cleanups.push(log.stop);
  const system = await LocalSystem.prepare({ folder, trackerCount: 2, ...(log.url && { logUrl: log.url }) });
  cleanups.unshift(() => endSystem(system));
  await system.startTrackers();
  const watched = [...system.trackers.map((tracker) => tracker.dataDirectory), ...log.folders(folder)];
  const beforeBytes = await folderBytes(watched);
  const story = await playStory(system, { bigBytes, tell });
  const grownBytes = (await folderBytes(watched)) - beforeBytes;
  const digests = await digestsAtSameOffset(system.trackers);
  const { text, isSound } = verdictOf({ story, digests, grownBytes, peakBytes: peaksOf(system.peers) });
  tell('the end');
  process.stdout.write(text);
  return isSound;
}

/** Ends the system, and says what has ended before without being asked to. */
async function endSystem(system: LocalSystem): Promise<void> {
  if (system.crashes !== '') process.stderr.write(`${system.crashes}\n`);
  await system.stop();
}

const EMBEDDED_LOG: DemoLog = {
  url: undefined,
  folders: (folder) => ['', '-wal', '-shm'].map((suffix) => join(folder, `cohort-log.sqlite${suffix}`)),
  stop: () => Promise.resolve(),
};

/** A broker of its own for the demo, or the one that KAFKA_BROKERS names, whose files are not looked at. */
async function kafkaLog(dataDir: string): Promise<DemoLog> {
  const { startBroker } = await import('../kafka/broker.mjs');
  const broker = await startBroker({ dataDir });
  const topic = `cohort-demo-${randomUUID()}`;
  const stop = (): Promise<void> => broker.stop();
  return { url: `kafka:${broker.brokers}/${topic}`, folders: () => [join(dataDir, 'storage', `${topic}-0`)], stop };
}
