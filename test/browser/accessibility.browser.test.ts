// Facts about who can use the page: axe finds nothing serious in any view, dark or light, on a desk or on a phone, and nothing is
// wider than the screen.
import type { AxeResults, RunOptions } from 'axe-core';
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import type { TestPeer } from '../e2e/cluster.ts';
import { type BrowserLook, Browsers, type Person } from './people.ts';

vi.setConfig({ testTimeout: 90_000 });

const AXE_PATH = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const LOOKS: readonly (readonly [string, BrowserLook])[] = [
  ['dark, on a desk', { colorScheme: 'dark', viewport: WIDE }],
  ['light, on a desk', { colorScheme: 'light', viewport: WIDE }],
  ['dark, on a phone', { colorScheme: 'dark', viewport: PHONE }],
  ['light, on a phone', { colorScheme: 'light', viewport: PHONE }],
];
const MIB = 2 ** 20;

/** What is wrong in the words of axe, a line for each place, as somebody needs them who mends it. */
async function seriousProblems({ page }: Person): Promise<string[]> {
  const { violations } = await page.evaluate((): Promise<AxeResults> => {
    const { axe } = globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } };
    return axe.run({ resultTypes: ['violations'] });
  });
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`));
}

async function pixelsTooWide({ page }: Person): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe.skipIf(chromiumSkipReason() !== null)('the page', () => {
  let browsers: Browsers;
  let bob: TestPeer;
  let transferId: string;

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    const { cluster } = browsers;
    const [alice, peer, carol] = await cluster.users('alice', 'bob', 'carol');
    bob = peer;
    await cluster.group('films', bob, alice);
    await carol.accepted('join_group', { group: 'films' });
    await carol.accepted('create_group', { group: 'of others' });
    await alice.upload('films', await cluster.file('film.mkv', 16 * MIB));
    await writeFile(cluster.path('notes.txt'), 'notes');
    await bob.upload('films', cluster.path('notes.txt'));
    const limits = { downloadBytesPerSecond: MIB / 16 };
    await expectOk('PUT /limits', bob.control.request('PUT', '/limits', { body: limits }));
    transferId = await bob.begin('films', 'film.mkv', cluster.path('copy.mkv'));
    await bob.accepted('create_group', { group: 'empty' });
  });
  afterAll(() => browsers.stop());

  const views = (): readonly (readonly [place: string, words: string | RegExp, button?: string])[] => [
    ['groups', 'of others'],
    ['groups', 'New group', 'New group'],
    ['groups/films/files', 'film.mkv'],
    ['groups/films/files/notes.txt', 'Version 1'],
    ['groups/films/files/notes.txt', 'Nobody else who is online has a complete copy', 'Stop sharing'],
    ['groups/films/files', 'Path on this machine', 'Share'],
    ['groups/films/files/film.mkv', 'film.mkv'],
    ['groups/films/members', 'carol'],
    ['groups/films/settings', /copies/i],
    ['groups/empty/files', 'Nothing is shared in this group yet'],
    ['groups/of%20others/files', 'You are not a member of of others'],
    ['transfers', 'film.mkv'],
    [`transfers/${transferId}`, 'Delivered by'],
    ['settings/account', 'Change password'],
    ['settings/sessions', /bob|this peer/i],
    ['settings/keys', 'Keys for programs'],
    ['settings/network', 'Trackers'],
    ['settings/appearance', 'Theme'],
    ['nowhere/at/all', 'There is nothing at this address'],
  ];

  it.each(LOOKS)('is good to use for everybody, %s', async (_look, look) => {
    const person = await browsers.browserOf(bob, { ...look, scriptPath: AXE_PATH });
    await person.page.goto(person.url);
    await person.isOut();
    expect(await seriousProblems(person), 'the door').toEqual([]);
    await person.open();
    await person.isIn();
    for (const [place, words, button] of views()) {
      await person.page.goto(`${person.url}/#/${place}`);
      if (button !== undefined) await person.page.getByRole('button', { name: button, exact: true }).first().click();
      await person.sees(words);
      const problems = await seriousProblems(person);
      expect({ place, button, problems, tooWide: await pixelsTooWide(person) }).toEqual({
        place,
        button,
        problems: [],
        tooWide: 0,
      });
      if (button !== undefined) await person.page.keyboard.press('Escape');
    }
    await person.context.close();
  });

  it('is good to use for who is not logged in', async () => {
    const stranger = await browsers.person('dora', { scriptPath: AXE_PATH });
    await stranger.open();
    await stranger.sees('New here?');
    expect(await seriousProblems(stranger)).toEqual([]);
  });
});
