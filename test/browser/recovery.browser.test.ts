// Facts about a page whose peer is killed and started again in the middle of a download: nothing is lost, and nobody has to do anything.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { sha1Of } from '../e2e/cluster.ts';
import { Browsers, type Person } from './people.ts';

const MIB = 2 ** 20;
const FILE = 'film.mkv';

const limit = (person: Person, downloadBytesPerSecond: number | null): Promise<unknown> =>
  expectOk('PUT /limits', person.peer.control.request('PUT', '/limits', { body: { downloadBytesPerSecond } }));

describe.skipIf(chromiumSkipReason() !== null)('a peer that is killed in the middle of a download', () => {
  let browsers: Browsers;
  let bob: Person;
  let original: string;
  let copy: string;

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    const { cluster } = browsers;
    const [port] = await freePorts('127.0.0.1', [0]);
    const alice = await cluster.user('alice');
    const peer = await cluster.user('bob', { control: `127.0.0.1:${port}` });
    await cluster.group('films', alice, peer);
    original = await cluster.file(FILE, 16 * MIB);
    copy = cluster.path('copy.mkv');
    await alice.upload('films', original);
    bob = await browsers.browserOf(peer);
    await limit(bob, 2 * MIB);
    await bob.open();
    await bob.isIn();
  });
  afterAll(() => browsers.stop());

  it('is waited for by the page, which goes on by itself, with every download, share and setting', async () => {
    const { page, peer } = bob;
    const transferId = await peer.begin('films', FILE, copy);
    await page.goto(`${bob.url}/#/transfers`);
    await peer.untilTransfer(transferId, 'under way', ({ verifiedBytes }) => verifiedBytes > MIB);
    await bob.sees(/film\.mkv/);
    const reads = bob.requests.length;
    const { verifiedBytes } = await peer.transfer(transferId);
    await peer.process.kill();
    await bob.sees('The peer does not answer.');
    await peer.restart();
    await bob.seesNoMore('The peer does not answer.');
    await bob.sees(/film\.mkv/);
    expect(bob.requests.length).toBeGreaterThan(reads);
    const after = await peer.transfer(transferId);
    expect(after.verifiedBytes).toBeGreaterThanOrEqual(verifiedBytes);
    await limit(bob, null);
    await peer.untilTransfer(transferId, 'complete', ({ state }) => state === 'complete' || state === 'seeding');
    expect(await sha1Of(copy)).toBe(await sha1Of(original));
    expect(bob.complaints(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/)).toEqual([]);
  });
});
