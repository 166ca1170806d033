// Facts about a page whose peer is killed and started again at moments drawn from a seed: nothing that the peer had answered is lost,
// what is asked for again is done once, the page reads every event once, and it shows what is without anybody doing anything.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileItem, TransferView } from '#wire/control-api';
import type { PeerEventListView } from '#wire/control-events';
import { stateWords } from '../../apps/peer/web/src/transfers/transfer-words.ts';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import type { HttpAnswer } from '../../infra/quick-start/control-api.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { sha1Of, type TestPeer, until } from '../e2e/cluster.ts';
import { seeded } from '../seeded-random.ts';
import { framesOf, notedStreams, noteStreams } from './noted-streams.ts';
import { Browsers, type Person } from './people.ts';

vi.setConfig({ testTimeout: 240_000 });

const MIB = 2 ** 20;
const SEED = 20;
/** What is asked for is under way by then, or was done a while ago. */
const DELAY_MS_MAX = 300;
const GROUP = 'films';
const [FILM, NOTES] = ['film.mkv', 'notes.txt'];
const LIMITS = { downloadBytesPerSecond: 2 * MIB, uploadBytesPerSecond: null };
/** What the browser says of each request whose connection broke, in one of its many words for that. */
const BROKEN = /net::ERR_[A-Z_]+$/;

/** Something that is asked of the peer, in the same words each time, and what is so once it was answered. */
interface Deed {
  readonly what: string;
  readonly ask: () => Promise<HttpAnswer<unknown>>;
  readonly isSo: () => Promise<boolean>;
}

describe.skipIf(chromiumSkipReason() !== null)(`a peer that is killed again and again (seed ${SEED})`, () => {
  const random = seeded(SEED);
  let browsers: Browsers;
  let bob: Person;
  let peer: TestPeer;

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    const { cluster } = browsers;
    const [port] = await freePorts('127.0.0.1', [0]);
    const alice = await cluster.user('alice');
    peer = await cluster.user('bob', { control: `127.0.0.1:${port}` });
    await cluster.group(GROUP, alice, peer);
    await alice.upload(GROUP, await cluster.file(FILM, 24 * MIB));
    await cluster.file(NOTES, 40 * MIB);
    bob = await browsers.browserOf(peer);
    await noteStreams(bob.context);
    await bob.open();
    await bob.isIn();
    await bob.page.goto(`${bob.url}/#/transfers`);
  });
  afterAll(() => browsers.stop());

  it('loses nothing of what it answered, and its page misses nothing and shows what is by itself', async () => {
    let verifiedBytes = 0;
    for (const deed of deeds()) {
      const isAnswered = await killDuring(deed);
      await bob.sees('The peer does not answer.');
      await peer.restart();
      if (isAnswered) expect(await deed.isSo(), `${deed.what} was answered`).toBe(true);
      await until(`${deed.what} is answered`, async () => (await deed.ask()).status < 300);
      await until(`${deed.what} is done`, deed.isSo);
      await bob.seesNoMore('The peer does not answer.');
      await untilShown(deed.what);
      // What was here is checked once more before it counts again.
      const before = verifiedBytes;
      const isBack = async (): Promise<boolean> =>
        (verifiedBytes = (await transferOf(FILM))?.verifiedBytes ?? 0) >= before;
      await until(`${before} bytes are here again`, isBack);
    }
    expect(await peer.view('/limits')).toMatchObject(LIMITS);
    expect((await peer.list<TransferView>('/transfers')).map(({ file }) => file).toSorted()).toEqual([FILM, NOTES]);
  });

  it('has whole what it was fetching, and its page says so', async () => {
    await peer.control.request('PUT', '/limits', { body: { ...LIMITS, downloadBytesPerSecond: null } });
    const { transferId } = (await transferOf(FILM))!;
    await peer.untilTransfer(transferId, 'complete', ({ state }) => state === 'complete');
    expect(await sha1Of(copy())).toBe(await sha1Of(browsers.cluster.path(FILM)));
    await untilShown('everything is there');
    await bob.page.goto(`${bob.url}/#/groups/${GROUP}/files`);
    const files = (await peer.list<FileItem>(`/groups/${GROUP}/files`)).map(({ file }) => file).toSorted();
    const shown = bob.page.getByRole('grid', { name: `Files of ${GROUP}` }).locator('.name-first');
    await until(
      'the page shows the files',
      async () => String((await shown.allInnerTexts()).toSorted()) === String(files),
    );
    expect(bob.complaints(BROKEN)).toEqual([]);
  });

  it('has told its page every event once, in order, over all those streams', async () => {
    const { last } = await peer.view<PeerEventListView>('/events?timeout=0');
    const read = async (): Promise<readonly string[]> =>
      (await notedStreams(bob.page)).flatMap((stream) => framesOf(stream).flatMap(({ id }) => id ?? []));
    await until('the page has read the last event', async () => (await read()).at(-1) === String(last));
    // The first one stands alone, and says after which event the first stream begins.
    const [first, ...ids] = (await read()).map(Number);
    expect(ids).toEqual(ids.map((_, index) => first! + 1 + index));
    const streams = await notedStreams(bob.page);
    expect(streams.length).toBeGreaterThan(deeds().length);
    expect(streams.flatMap(framesOf).filter(({ type }) => type === 'reset')).toEqual([]);
  });

  /** Asks, and kills the peer after a while. Whether it had answered by then. */
  async function killDuring({ ask }: Deed): Promise<boolean> {
    const answer = ask().then(
      ({ status }) => status < 300,
      () => false,
    );
    await delay(random() * DELAY_MS_MAX);
    await peer.process.kill();
    return answer;
  }

  /** Waits until the list of the page says of each transfer what the peer says of it. */
  async function untilShown(after: string): Promise<void> {
    const names = { download: 'Download of ', upload: 'Upload of ' } as const;
    let last: readonly (readonly string[])[] = [];
    const look = async (): Promise<boolean> => {
      const views = await peer.list<TransferView>('/transfers');
      const told = views.map((view) => `${names[view.direction]}${view.file}: ${stateWords(view).word}`).toSorted();
      const rows = bob.page
        .getByRole('grid', { name: 'Transfers' })
        .getByRole('row')
        .filter({ has: bob.page.locator('.name-first') });
      const shown = await rows.evaluateAll((all) =>
        all.map((row) =>
          Array.from(row.querySelectorAll('.name-first, .badge'), (part) => part.textContent).join(': '),
        ),
      );
      last = [told, shown.toSorted()];
      return String(last[0]) === String(last[1]);
    };
    await until(`the page shows what is, after: ${after}`, look).catch((error: unknown) => {
      throw new Error(`told and shown: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  const copy = (): string => browsers.cluster.path('copy.mkv');
  const transferOf = async (file: string): Promise<TransferView | undefined> =>
    (await peer.list<TransferView>('/transfers')).find((transfer) => transfer.file === file);

  function deeds(): readonly Deed[] {
    const command = (name: string, body: object): Deed['ask'] => {
      const key = randomUUID();
      return () => peer.control.command(name, { group: GROUP, ...body }, key);
    };
    const change = (action: string) => async (): Promise<HttpAnswer<unknown>> =>
      peer.control.post(`/transfers/${(await transferOf(FILM))!.transferId}/${action}`);
    const isThere = (file: string) => async (): Promise<boolean> => (await transferOf(file)) !== undefined;
    const isPaused = async (): Promise<boolean> => (await transferOf(FILM))!.state === 'paused';
    return [
      {
        what: 'setting limits',
        ask: () => peer.control.request('PUT', '/limits', { body: LIMITS }),
        isSo: async () =>
          (await peer.view<typeof LIMITS>('/limits')).downloadBytesPerSecond === LIMITS.downloadBytesPerSecond,
      },
      {
        what: 'beginning a download',
        ask: command('download_file', { file: FILM, destination: copy() }),
        isSo: isThere(FILM),
      },
      {
        what: 'sharing a file',
        ask: command('upload_file', { path: browsers.cluster.path(NOTES) }),
        isSo: isThere(NOTES),
      },
      { what: 'pausing', ask: change('pause'), isSo: isPaused },
      { what: 'resuming', ask: change('resume'), isSo: async () => !(await isPaused()) },
      {
        what: 'ending a share',
        ask: command('stop_share', { file: NOTES }),
        isSo: async () => !(await transferOf(NOTES))!.served,
      },
    ];
  }
});
