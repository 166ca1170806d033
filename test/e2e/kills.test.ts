// The short form of `npm run soak:kills`.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seeded } from '../seeded-random.ts';
import { killDownloads } from '../soak/killed-downloads.ts';
import { Cluster } from './cluster.ts';

const KILLS = 5;
const SEED = 11;
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1 });
}, 120_000);
afterAll(() => cluster.stop());

it(`a download whose peer is killed ${KILLS} times finishes identical, with nothing journalled fetched again`, async () => {
  const [random, said] = [seeded(SEED), [] as string[]];
  const say = (line: string): void => void said.push(line);
  const report = await killDownloads({ cluster, count: KILLS, totalBytes: 128 * 1024 * 1024, random, say });
  expect(report.kills, said.join('\n')).toBe(KILLS);
}, 180_000);
