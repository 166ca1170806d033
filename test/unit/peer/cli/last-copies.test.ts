import { beforeEach, describe, expect, test } from 'vitest';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const peer = peerOfThisFile();

const copy = { group: 'friends', file: 'film.mkv', version: 1, completeCopies: 0, partialCopies: 0 };
const list = (...items: object[]): { status: number; body: object } => ({ status: 200, body: { items, next: null } });
const refusal = (status: number, code: string, detail: string): { status: number; body: object } => ({
  status,
  body: { code, detail, errors: [] },
});

beforeEach(() => {
  peer.answers.set('GET /last-copies', list(copy));
  peer.answers.set('GET /groups/friends/members', list({ user: 'ann' }, { user: 'bob' }));
});

const run = (words: readonly string[], options = {}): ReturnType<typeof runWords> =>
  runWords([...words, '--data-dir', peer.dataDirectory], options);

const sent = (): readonly string[] => peer.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

const WARNING = 'Warning: nobody else who is online has all of what this takes away, so nobody could fetch it:\n';

describe.each([
  [['stop_share', 'friends', 'film.mkv'], '/last-copies?group=friends&file=film.mkv'],
  [['stop_share', 'friends', 'film.mkv', '--version', '2'], '/last-copies?group=friends&file=film.mkv&version=2'],
  [['leave_group', 'friends'], '/last-copies?group=friends'],
  [['logout'], '/last-copies'],
])('%j', (words, question) => {
  const command = `/commands/${words[0]}`;

  test('warns in a pipe, and goes ahead', async () => {
    const { exitCode, note } = await run(words);
    expect({ exitCode, note }).toEqual({ exitCode: 0, note: `${WARNING}  film.mkv, of friends\n` });
    expect(peer.requests[0]!.path).toBe(question);
    expect(sent()).toEqual([command]);
  });

  test.each(['y', 'Yes', ' y '])('goes ahead for who answers %j', async (answer) => {
    const { exitCode } = await run(words, { isTyped: true, input: [answer] });
    expect([exitCode, sent()]).toEqual([0, [command]]);
  });

  test.each(['', 'n', 'yet', 'logout'])('changes nothing for who answers %j', async (answer) => {
    const { exitCode, note } = await run(words, { isTyped: true, input: [answer] });
    expect([exitCode, sent()]).toEqual([77, []]);
    expect(note).toContain('Nothing was changed.');
  });

  test('asks nobody who says --yes, and no program', async () => {
    for (const flag of ['--yes', '--json']) {
      const { exitCode, note } = await run([...words, flag], { isTyped: true });
      expect({ exitCode, note }).toEqual({ exitCode: 0, note: '' });
    }
    expect(peer.requests.filter(({ path }) => path.startsWith('/last-copies'))).toEqual([]);
  });

  test.each([
    ['others have it', list()],
    ['the command will be refused too', refusal(404, 'file_not_found', 'No such file.')],
  ])('goes ahead without a word when %s', async (_, answer) => {
    peer.answers.set('GET /last-copies', answer);
    const { exitCode, note } = await run(words, { isTyped: true });
    expect({ exitCode, note }).toEqual({ exitCode: 0, note: '' });
    expect(sent()).toEqual([command]);
  });

  test.each([
    ['no tracker answers', refusal(503, 'tracker_unavailable', 'No tracker answers.'), ' No tracker answers.'],
    ['the peer is of an older build', refusal(404, 'not_found', 'Nothing here.'), ' Nothing here.'],
    ['something else answers', { status: 200, body: [] }, ''],
    ['the answer is lost', 'cut' as const, ' The peer went away before it answered.'],
  ])('says that it cannot be told when %s, and asks at a terminal', async (_, answer, why) => {
    peer.answers.set('GET /last-copies', answer);
    const said = `Warning: it cannot be told now whether others have all of what this takes away.${why}\n`;
    expect((await run(words, { isTyped: true, input: ['n'] })).exitCode).toBe(77);
    expect(sent()).toEqual([]);
    const { exitCode, note } = await run(words);
    expect({ exitCode, note, sent: sent() }).toEqual({ exitCode: 0, note: said, sent: [command] });
  });

  test('is nobody’s loss in a group without others', async () => {
    peer.answers.set('GET /groups/friends/members', list({ user: 'ann' }));
    expect((await run(words, { isTyped: true })).note).toBe('');
    expect(sent()).toEqual([command]);
  });
});

test('who takes a file out everywhere is not asked about its copies', async () => {
  await run(['stop_share', 'friends', 'film.mkv', '--everywhere'], { isTyped: true });
  expect(peer.requests.map(({ path }) => path)).toEqual(['/commands/stop_share']);
});

test('many are told by the first ten, with versions and what is online in part', async () => {
  const others = Array.from({ length: 10 }, (_, index) => ({ ...copy, file: `f${index}` }));
  peer.answers.set('GET /last-copies', list({ ...copy, version: 3, partialCopies: 2 }, ...others));
  const { note } = await run(['logout']);
  expect(note.split('\n').slice(1, 3)).toEqual([
    '  film.mkv, version 3, of friends (online in part: 2)',
    '  f0, of friends',
  ]);
  expect(note).toContain('\n  and 1 more\n');
});
