// Facts about what people do with folders and songs on the page: they drop a folder, take some of its files, look for one among many, and
// hear a song while it comes.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { expectOk, until } from '../e2e/cluster.ts';
import { Doer } from './deeds.ts';
import { pointer } from './hands.ts';
import { Browsers } from './people.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 2 ** 20;
const GROUP = 'films';
/** The cover is two pieces, of which the other files have nothing. */
const ALBUM = {
  'cover.txt': 'A cover.'.repeat(MIB / 8),
  'day one/first.txt': 'The first.',
  'day one/second.txt': 'The second.',
};
/** One more than the page asks for at once. */
const MANY = 1_001;

describe.skipIf(chromiumSkipReason() !== null)('on the page', () => {
  let browsers: Browsers;
  let [alice, bob]: [Doer, Doer] = [] as unknown as [Doer, Doer];
  const path = (name: string): string => browsers.cluster.path(name);

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    const peers = await browsers.cluster.users('alice', 'bob');
    await browsers.cluster.group(GROUP, ...peers);
    const people = await Promise.all(peers.map((peer) => browsers.browserOf(peer)));
    for (const person of people) await person.open();
    [alice, bob] = people.map((person) => new Doer(person, pointer())) as [Doer, Doer];
    for (const doer of [alice, bob]) await doer.goTo(GROUP);
    await alice.person.sees('Nothing is shared in this group yet');
  });
  afterAll(() => browsers.stop());

  it('a folder is dropped, and some of its files are taken, and one more', async () => {
    await folder('album', ALBUM);
    await alice.drop(path('album'));
    await bob.row(bob.files(GROUP), 'album').getByText('1 complete').waitFor();
    await bob.download(GROUP, 'album', { to: path('copy'), only: 'day one/**' });
    const details = bob.details('album');
    await details.getByText('Complete', { exact: true }).waitFor();
    const files = details.getByRole('grid', { name: 'Files of album' });
    const shown = (file: string): Promise<string> => here(bob.row(files, file));
    expect([await shown('cover.txt'), await shown('first.txt'), await shown('second.txt')]).toEqual([
      '–',
      '100 %',
      '100 %',
    ]);
    await files.getByLabel('Priority of cover.txt').selectOption('Normal');
    await until('the cover is here, too', async () => (await shown('cover.txt')) === '100 %');
    for (const [name, text] of Object.entries(ALBUM)) {
      await vi.waitFor(async () => expect(await readFile(path(`copy/${name}`), 'utf8')).toBe(text));
    }
  });

  it('a file is found among more than are shown at once', async () => {
    const names = Array.from({ length: MANY }, (_, number) => `${String(number).padStart(4, '0')}.txt`);
    await folder('many', Object.fromEntries(names.map((name) => [name, name])));
    await alice.person.peer.upload(GROUP, path('many'));
    await bob.goTo(GROUP);
    const looking = await bob.look(GROUP, 'many');
    const first = looking.getByText(`These are the first ${(MANY - 1).toLocaleString('en')} files.`);
    await first.waitFor();
    await bob.press('Show more', looking);
    await bob.press(`Open ${names.at(-1)}`, looking);
    const link = await looking.getByRole('link', { name: 'Open in a new tab' }).getAttribute('href');
    expect(await (await bob.person.context.request.get(new URL(link!, bob.person.url).href)).text()).toBe(names.at(-1));
    await bob.press('Close', looking);
  });

  it('a download says that it is private when it came of what is here in another group', async () => {
    await writeFile(path('same.txt'), 'The same in both.');
    const { peer } = bob.person;
    await peer.accepted('create_group', { group: 'of bob' });
    await peer.upload('of bob', path('same.txt'));
    await alice.person.peer.upload(GROUP, path('same.txt'));
    await bob.download(GROUP, 'same.txt', { to: path('same copy.txt') });
    const term = bob.details('same.txt').getByText('Private', { exact: true });
    expect(await term.locator('xpath=following-sibling::dd[1]').innerText()).toContain('This group gets nothing of it');
    await bob.goTo(GROUP);
  });

  it('a song is heard, and heard further on, while it comes', async () => {
    const { peer } = bob.person;
    await writeFile(path('song.wav'), song(48 * MIB));
    await alice.person.peer.upload(GROUP, path('song.wav'));
    await expectOk('limits', peer.control.request('PUT', '/limits', { body: { downloadBytesPerSecond: MIB } }));
    const looking = await bob.look(GROUP, 'song.wav');
    await looking.locator('audio').evaluate(heardFrom, 0);
    await looking.locator('audio').evaluate(heardFrom, 120);
    const transfers = await peer.list<TransferView>('/transfers');
    const coming = transfers.find(({ file }) => file === 'song.wav')!;
    expect(coming).toMatchObject({ temporary: true, state: 'downloading' });
    expect(coming.verifiedBytes).toBeLessThan(coming.totalBytes);
    await bob.press('Close', looking);
    expect([...alice.person.complaints(), ...bob.person.complaints()]).toEqual([]);
  });

  /** A folder with these files, beside the cluster. */
  async function folder(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(path(`${name}/${file}`)), { recursive: true });
      await writeFile(path(`${name}/${file}`), text);
    }
  }
});

/** How much of a file its row says to be here. */
function here(row: Locator): Promise<string> {
  return row.getByRole('gridcell').nth(1).innerText();
}

/** Sound without any meaning, as a WAV file of 16 bits, two channels and 44,100 samples a second. */
function song(bytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt32LE(44_100 * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, randomBytes(bytes)]);
}

/** Runs in the page: has it played from a second on, and waits until it went on from there. */
function heardFrom(element: Element, second: number): Promise<void> {
  const sound = element as HTMLAudioElement;
  if (second > 0) sound.currentTime = second;
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!sound.seeking && sound.currentTime > second) resolve();
    };
    sound.addEventListener('timeupdate', look);
    sound.addEventListener('error', () => reject(new Error(sound.error?.message ?? 'it cannot be played')));
    look();
  });
}
