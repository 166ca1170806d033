import { expect, test } from 'vitest';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const LINK = {
  url: 'http://127.0.0.1:7070/api/v1/groups/a/files/b/content?expires=1&signature=c',
  expiresAt: '2026-03-01T12:00:00.000Z',
};
const peer = peerOfThisFile();

test('a link is printed alone, so that it can be given to a player', async () => {
  peer.answers.set('POST /groups/our%20films/files/season%2F1/content-link', { status: 200, body: LINK });
  const ran = await runWords(['link', 'our films', 'season/1', '--data-dir', peer.dataDirectory]);
  expect(ran).toMatchObject({ exitCode: 0, out: `${LINK.url}\n`, note: '' });
  expect(peer.requests).toMatchObject([{ body: {} }]);
});

test('a link is of one file of a folder, and keeps what is fetched, when that is asked', async () => {
  peer.answers.set('POST /groups/films/files/season/content-link', { status: 200, body: LINK });
  const words = ['link', 'films', 'season', '--path', 'one/first.mkv', '--version', '2', '--keep', '--json'];
  const ran = await runWords([...words, '--data-dir', peer.dataDirectory]);
  expect(JSON.parse(ran.out)).toEqual(LINK);
  expect(peer.requests).toMatchObject([{ body: { path: 'one/first.mkv', version: 2, keep: true } }]);
});
