import { expect, it } from 'vitest';
import { newFile, randomBytes, requestFor, shareFile, startPeer, type TestPeer, until } from './engine-harness.ts';

const PIECE_BYTES = 65_536;
const TOTAL_BYTES = 64 * PIECE_BYTES;
const NAMES = ['bob', 'carol', 'dave', 'erin'];

it.each([1, 2])(
  'a seeder with %i workers and little to give gives four downloaders alike',
  { timeout: 60_000 },
  async (workers) => {
    const alice = await startPeer('alice', { workers });
    const digested = await shareFile(alice, newFile(alice, randomBytes(TOTAL_BYTES)), PIECE_BYTES);
    alice.engine.limit({ uploadBytesPerSecond: 4_000_000, downloadBytesPerSecond: null, groups: [] });
    const downloaders: TestPeer[] = await Promise.all(NAMES.map((name) => startPeer(name, { workers: 2 })));
    const downloads = downloaders.map((peer) => peer.engine.download(requestFor(peer, digested, { from: [alice] })));
    const bytes = (): number[] => downloads.map((download) => download.view().verifiedBytes);
    // From when all are served on: who connects first has all until then.
    await Promise.all(downloads.map((download) => until(download, ({ verifiedBytes }) => verifiedBytes > 0)));
    const begin = bytes();
    await Promise.race(downloads.map(({ done }) => done));
    const came = bytes().map((end, number) => end - (begin[number] ?? 0));
    expect(Math.min(...came) / Math.max(...came), came.join(' ')).toBeGreaterThan(0.6);
    await Promise.all(downloads.map(({ done }) => done));
  },
);
