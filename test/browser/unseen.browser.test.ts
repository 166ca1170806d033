// Facts about pages that nobody looks at: their browser tells what ends meanwhile, one of several keeps its stream of events for that,
// and all show what is when somebody comes back. No browser without a window hides a page: the page is told that it is.
import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { type TestPeer, until } from '../e2e/cluster.ts';
import { notedStreams, noteStreams } from './noted-streams.ts';
import { Browsers, Person } from './people.ts';

vi.setConfig({ testTimeout: 60_000 });

const GROUP = 'films';
const FILES = ['one.txt', 'two.txt'] as const;
/** Longer than a page that is not seen keeps a stream that another one keeps, and shorter than a stream may be silent. */
const UNSEEN = '00:31';

describe.skipIf(chromiumSkipReason() !== null)('pages that nobody looks at', () => {
  let browsers: Browsers;
  let alice: TestPeer;
  let [one, other]: [Person, Person] = [] as unknown as [Person, Person];

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    const [owner, peer] = await browsers.cluster.users('alice', 'bob');
    alice = owner;
    await browsers.cluster.group(GROUP, alice, peer);
    for (const name of FILES) await writeFile(browsers.cluster.path(name), name);
    await alice.upload(GROUP, browsers.cluster.path(FILES[0]));
    one = await browsers.browserOf(peer);
    await noteStreams(one.context);
    await one.context.addInitScript(noteNotices);
    await one.context.clock.install();
    other = new Person(peer, one.context, await one.context.newPage());
    for (const person of [one, other]) {
      await person.open();
      await person.isIn();
    }
  });
  afterAll(() => browsers.stop());

  it('have the browser tell what ends meanwhile, once that was allowed, and what is looked at does not', async () => {
    await one.context.grantPermissions(['notifications'], { origin: one.url });
    await one.page.goto(`${one.url}/#/transfers`);
    await one.page.getByRole('button', { name: 'Notify me when a transfer ends' }).click();
    await one.page.getByRole('button', { name: 'Notify me when a transfer ends' }).waitFor({ state: 'detached' });
    await setHidden(one.page, true);
    await one.peer.download(GROUP, FILES[0], browsers.cluster.path('copy of one.txt'));
    await until('the browser has told', async () => (await noticesOf(one.page)).length > 0);
    expect(await noticesOf(one.page)).toEqual([`Cohort: ${FILES[0]} of ${GROUP} is complete: 7 B.`]);
    await other.sees(`${FILES[0]} of ${GROUP} is complete: 7 B.`);
    expect(await noticesOf(other.page)).toEqual([]);
  });

  it('keep one stream, which the next one takes over, and are read anew when somebody comes back', async () => {
    const people = [one, other];
    for (const { page } of people) await setHidden(page, true);
    await one.context.clock.fastForward(UNSEEN);
    const [kept, quiet] = await until('one stream is left', async () => {
      const open = await Promise.all(people.map(({ page }) => openStreams(page)));
      if (Math.min(...open) !== 0 || Math.max(...open) !== 1) return null;
      return open[0] === 1 ? people : people.toReversed();
    });
    await quiet!.page.goto(`${quiet!.url}/#/groups/${GROUP}/files`);
    await alice.upload(GROUP, browsers.cluster.path(FILES[1]));
    await setHidden(quiet!.page, false);
    await quiet!.sees(FILES[1]);
    await setHidden(quiet!.page, true);
    await one.context.clock.fastForward(UNSEEN);
    await until('its stream is closed again', async () => (await openStreams(quiet!.page)) === 0);
    await kept!.page.close();
    await until('it has taken the stream over', async () => (await openStreams(quiet!.page)) === 1);
    await quiet!.peer.download(GROUP, FILES[1], browsers.cluster.path('copy of two.txt'));
    const notice = `Cohort: ${FILES[1]} of ${GROUP} is complete: 7 B.`;
    await until('its browser has told', async () => (await noticesOf(quiet!.page)).at(-1) === notice);
    expect([...one.complaints(), ...other.complaints()]).toEqual([]);
  });
});

async function openStreams(page: Page): Promise<number> {
  return (await notedStreams(page)).filter(({ isOver }) => !isOver).length;
}

/** Runs in each page: notes what the browser is asked to show. */
function noteNotices(): void {
  const noted: string[] = [];
  const Shown = globalThis.Notification;
  globalThis.Notification = class extends Shown {
    constructor(title: string, options?: NotificationOptions) {
      super(title, options);
      noted.push(`${title}: ${options?.body}`);
    }
  };
  Object.assign(globalThis, { noted });
}

function noticesOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { noted: readonly string[] }).noted);
}

function setHidden(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}
