import { afterEach, describe, expect, it } from 'vitest';
import { folderBytes } from '../../infra/demo/files.ts';
import { playStory } from '../../infra/demo/story.ts';
import { verdictOf } from '../../infra/demo/verdict.ts';
import { peaksOf } from '../../infra/quick-start/measured.ts';
import { digestsAtSameOffset } from '../../infra/quick-start/tracker-status.ts';
import { Cluster, LOGS } from './cluster.ts';

const BIG_BYTES = 256 * 1024 * 1024;
let cluster: Cluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

describe.each(LOGS)('on $log', ({ log, skipReason }) => {
  it.skipIf(skipReason !== null)(
    'the story of the demo keeps its promises, at a quarter of its size',
    async () => {
      cluster = await Cluster.start({ log });
      const watched = [...cluster.system.trackers.map((tracker) => tracker.dataDirectory), cluster.path('log.sqlite')];
      const beforeBytes = await folderBytes(watched);
      const story = await playStory(cluster.system, { bigBytes: BIG_BYTES, tell: () => undefined });
      const digests = await digestsAtSameOffset(cluster.system.trackers);
      const grownBytes = (await folderBytes(watched)) - beforeBytes;
      const { text, isSound } = verdictOf({ story, digests, grownBytes, peakBytes: peaksOf(cluster.system.peers) });
      expect(isSound, text).toBe(true);
    },
    180_000,
  );
});
