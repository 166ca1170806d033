// The whole story of two people in two browsers, from signing up to logging out: once with pointers, once with the keyboard alone. What
// one does, the other sees without asking.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import { PASSWORD, sha1Of } from '../e2e/cluster.ts';
import { Doer } from './deeds.ts';
import { keyboard, pointer } from './hands.ts';
import { Browsers, type Person } from './people.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 2 ** 20;
const GROUP = 'film club';
const [FILM, NOTES] = ['film.mkv', 'notes.txt'];
const HANDS = [
  ['pointers', (): ReturnType<typeof pointer> => pointer()],
  ['the keyboard alone', (person: Person): ReturnType<typeof pointer> => keyboard(person.page)],
] as const;

describe.skipIf(chromiumSkipReason() !== null).each(HANDS)('two people with %s', (_with, handOf) => {
  let browsers: Browsers;
  let [alice, bob]: [Doer, Doer] = [] as unknown as [Doer, Doer];

  beforeAll(async () => {
    browsers = await Browsers.start();
    const doer = async (name: string): Promise<Doer> => {
      const person = await browsers.person(name);
      return new Doer(person, handOf(person));
    };
    [alice, bob] = await Promise.all([doer('alice'), doer('bob')]);
  });
  afterAll(() => browsers.stop());

  it('sign up, and come together in a group', async () => {
    await alice.person.open();
    await alice.signUp('alice', PASSWORD);
    await alice.createGroup(GROUP);
    await bob.person.open();
    await bob.signUp('bob', PASSWORD);
    await bob.press(`Ask to join ${GROUP}`);
    await bob.person.sees('Waiting for the owner');
    await alice.goTo(/^Members/);
    await alice.press('Accept: bob');
    await alice.person.sees(`bob is a member of ${GROUP} now.`);
    await bob.goTo(GROUP);
    await bob.person.sees('Nothing is shared in this group yet');
    expect(await bob.person.page.title()).toBe(`${GROUP} · Cohort`);
  });

  it('share a path, and what is dropped on the page', async () => {
    const film = await browsers.cluster.file(FILM, 24 * MIB);
    await alice.goTo('Files');
    await alice.share(GROUP, film);
    await bob.row(bob.files(GROUP), FILM).getByText('1 complete').waitFor();
    const notes = browsers.cluster.path(NOTES);
    await writeFile(notes, 'To be read aloud.');
    await alice.drop(notes);
    await bob.row(bob.files(GROUP), NOTES).getByText('1 complete').waitFor();
    expect(await bob.files(GROUP).getAttribute('aria-rowcount')).toBe('3');
  });

  it('see a download come, hold it, give it up, take it up again, and have it', async () => {
    await limit(bob.person, MIB);
    const copy = browsers.cluster.path('copy.mkv');
    await bob.download(GROUP, FILM, { to: copy });
    const details = bob.details(FILM);
    const [shown] = await shares(bob, 2);
    expect(shown).toBeGreaterThan(0);
    expect(
      await details
        .getByRole('figure')
        .filter({ has: bob.person.page.getByRole('img', { name: 'Piece map' }) })
        .innerText(),
    ).toMatch(/piece/);
    await details.getByRole('row').filter({ hasText: 'alice' }).getByText('100 %').waitFor();
    await bob.press('Pause', details);
    await details.getByText('Paused').waitFor();
    await bob.press('Resume', details);
    await details.getByText('Downloading').waitFor();
    await bob.press('Cancel', details);
    await details.getByText('Cancelled').waitFor();
    await bob.press('Resume', details);
    await details.getByText('Downloading').waitFor();
    await limit(bob.person, null);
    await details.getByText('Complete', { exact: true }).waitFor();
    expect(await sha1Of(copy)).toBe(await sha1Of(browsers.cluster.path(FILM)));
  });

  it('have what was dropped, byte for byte', async () => {
    await bob.goTo(GROUP);
    const copy = browsers.cluster.path('copy.txt');
    await bob.download(GROUP, NOTES, { to: copy });
    await bob.details(NOTES).getByText('Complete', { exact: true }).waitFor();
    expect(await readFile(copy, 'utf8')).toBe('To be read aloud.');
  });

  it('are warned before they take the last copy away', async () => {
    const path = browsers.cluster.path('only.txt');
    await writeFile(path, 'There is one of it.');
    await alice.share(GROUP, path);
    await alice.row(alice.files(GROUP), 'only.txt').getByText('1 complete').waitFor();
    const asked = await alice.askToStopSharing(GROUP, 'only.txt');
    await asked.getByText('Nobody else who is online has a complete copy of this file.').waitFor();
    await alice.press('Cancel', asked);
    await asked.waitFor({ state: 'detached' });
    await alice.press('Stop sharing', alice.details('only.txt'));
    await alice.press('Stop sharing', asked);
    await bob.goTo(GROUP);
    await bob.row(bob.files(GROUP), 'only.txt').waitFor({ state: 'detached' });
    expect(await bob.files(GROUP).getAttribute('aria-rowcount')).toBe('3');
  });

  it('log out, and find everything as it was when they log in again', async () => {
    await bob.logOut();
    await bob.logIn('bob', PASSWORD);
    await bob.goTo(/^Transfers/);
    await bob
      .row(bob.person.page.getByRole('grid', { name: 'Transfers' }), FILM)
      .getByText('Complete')
      .waitFor();
    expect(bob.person.complaints()).toEqual([]);
    expect(alice.person.complaints()).toEqual([]);
  });
});

const limit = (person: Person, downloadBytesPerSecond: number | null): Promise<unknown> =>
  expectOk('PUT /limits', person.peer.control.request('PUT', '/limits', { body: { downloadBytesPerSecond } }));

/** How much of the film the page shows to be there, each time that it shows something else. */
async function shares(doer: Doer, count: number): Promise<number[]> {
  const bar = doer.details(FILM).getByRole('progressbar', { name: `Progress of ${FILM}` });
  const seen: number[] = [];
  await vi.waitFor(async () => {
    const share = await bar.evaluate((element) => (element as HTMLProgressElement).value);
    if (share !== seen.at(-1)) seen.push(share);
    expect(seen.filter((each) => each > 0 && each < 1).length).toBeGreaterThanOrEqual(count);
  });
  return seen.filter((each) => each > 0);
}
