import 'reflect-metadata';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { problemOf } from '#wire/wire-error';
import { NO_SCRUB } from '../control/recorded-ports.ts';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const peer = peerOfThisFile();

const run = (words: readonly string[], options = {}): ReturnType<typeof runWords> =>
  runWords([...words, '--data-dir', peer.dataDirectory], options);

const ID = '0d4f2a52-1f9b-4c7e-8a61-6a1f0c5b7e11';
const TRANSFER: TransferView = {
  transferId: ID,
  direction: 'download',
  group: 'friends',
  file: 'film.mkv',
  contentId: 'c'.repeat(64),
  version: 1,
  sha1: 'd'.repeat(40),
  sha1Matches: null,
  recheck: null,
  state: 'downloading',
  reason: null,
  totalBytes: 1000,
  wantedBytes: 1000,
  verifiedBytes: 250,
  reusedBytes: 0,
  bytesPerSecond: 100,
  etaSeconds: 7.5,
  bitfield: 'gA==',
  path: '/data/film.mkv',
  served: false,
  temporary: false,
  private: false,
  only: null,
  priorities: [],
  startedAt: '2026-03-01T12:00:00.000Z',
  completedAt: null,
  completeCopies: 1,
  peers: [
    {
      peerId: 'e'.repeat(64),
      user: 'alice',
      address: '127.0.0.1:9',
      state: 'connected',
      deliveredBytes: 250,
      corruptPieces: 0,
    },
  ],
};
const list = (...items: readonly object[]) => ({ status: 200, body: { items, next: null, asOfOffset: 9 } });
const REASON = {
  code: 'no_seeder_online',
  detail: 'Nobody who has the file is online.',
  action: 'It goes on by itself.',
  since: '2026-03-01T12:00:00.000Z',
} as const;

test('list_groups shows the standing in each group', async () => {
  peer.answers.set(
    'GET /groups',
    list(
      { group: 'friends', owner: 'alice', membership: 'pending', copies: 0 },
      { group: 'own', owner: 'bob', membership: 'owner', copies: 3 },
    ),
  );
  expect((await run(['list_groups'])).out).toBe(
    'GROUP    OWNER  YOU      COPIES WANTED\n' +
      'friends  alice  pending              -\n' +
      'own      bob    owner                3\n',
  );
});

test('an empty list says what to do about it', async () => {
  peer.answers.set('GET /groups', list());
  expect((await run(['list_groups'])).out).toContain(' create_group <group>');
});

test('a list is read to its last page', async () => {
  const page = (group: string, next: string | null) => ({
    status: 200,
    body: { items: [{ group, owner: 'o', membership: 'none' }], next, asOfOffset: 9 },
  });
  peer.answers.set('GET /groups', [page('a b', 'a b'), page('c', null)]);
  const { out } = await run(['list_groups', '--json']);
  expect(JSON.parse(out).items).toHaveLength(2);
  expect(peer.requests[1]!.path).toBe('/groups?limit=1000&after=a%20b');
});

test('a name of any characters is one part of the path', async () => {
  peer.answers.set(
    'GET /groups/a%20b%3Fc/members',
    list({ user: 'ä', role: 'owner', since: '2026-03-01T12:00:00.000Z' }),
  );
  expect((await run(['list_members', 'a b?c'])).out).toContain('ä     owner  2026-03-01 12:00:00');
});

test('list_requests and list_files are tables', async () => {
  peer.answers.set('GET /groups/g/requests', list({ user: 'bob', since: '2026-03-01T12:00:00.000Z' }));
  peer.answers.set(
    'GET /groups/g/files',
    list({
      file: 'f',
      contentId: 'c',
      sharedBy: 'alice',
      sharedAt: '2026-03-01T12:00:00Z',
      totalBytes: 2 ** 30,
      pieceBytes: 1,
      pieceCount: 1,
      version: 3,
      seedersOnline: 2,
      completeCopies: 2,
      partialCopies: 1,
      wantedCopies: 3,
    }),
  );
  expect((await run(['list_requests', 'g'])).out).toContain('bob');
  expect((await run(['list_files', 'g'])).out).toMatch(/f +3 +1\.0 GiB +alice .* 2 of 3 +1$/m);
  expect((await run(['list_files', 'g', '--versions'])).exitCode).toBe(0);
  expect(peer.requests.at(-1)!.path).toContain('/groups/g/files?versions=all&limit=');
});

describe('show_downloads', () => {
  test('marks what is under way with D and what is complete with C, and leaves out the rest', async () => {
    const states = [
      'queued',
      'hashing',
      'downloading',
      'stalled',
      'paused',
      'complete',
      'seeding',
      'failed',
      'cancelled',
    ];
    const download = (state: string): object => ({ ...TRANSFER, state, file: state });
    const uploads = { ...TRANSFER, direction: 'upload', state: 'seeding', file: 'mine' };
    peer.answers.set('GET /transfers', list(...states.map(download), uploads));
    expect((await run(['show_downloads'])).out).toBe(
      '[D] [friends] queued\n[D] [friends] hashing\n[D] [friends] downloading\n[D] [friends] stalled\n' +
        '[D] [friends] paused\n[C] [friends] complete\n[C] [friends] seeding\n',
    );
  });

  test('prints nothing when there are none', async () => {
    peer.answers.set('GET /transfers', list());
    expect((await run(['show_downloads'])).out).toBe('');
  });
});

describe('transfers', () => {
  beforeEach(() => {
    peer.answers.set('GET /transfers', list(TRANSFER));
    peer.answers.set(`GET /transfers/${ID}`, { status: 200, body: { ...TRANSFER, state: 'stalled', reason: REASON } });
  });

  test('shows progress, rate and time left', async () => {
    expect((await run(['transfers'])).out).toMatch(
      /download +friends +film\.mkv +1000 B +25% +downloading +100 B\/s +0:08/,
    );
  });

  test('one of them is named by the beginning of its id, with its sources and what it waits for', async () => {
    const { out } = await run(['transfers', ID.slice(0, 8)]);
    expect(out).toContain(
      'stalled (no_seeder_online) since 2026-03-01 12:00:00 UTC: Nobody who has the file is online. It goes on by itself.',
    );
    expect(out).toMatch(/eeeeeeeeeeee +alice +127\.0\.0\.1:9 +connected +250 B +0/);
    expect(out).toMatch(/others with all of it.* 1 online/);
    expect(out).toMatch(/^private +-$/m);
  });

  test('one that nobody else gets is told by what it came of', async () => {
    peer.answers.set(`GET /transfers/${ID}`, { status: 200, body: { ...TRANSFER, private: true } });
    const { out } = await run(['transfers', ID.slice(0, 8)]);
    expect(out).toMatch(/^private +it came of a copy in another group/m);
  });

  test('the files of one are shown with how much of each is there and wanted', async () => {
    const files = [
      { path: 'bin/run', totalBytes: 1000, verifiedBytes: 250, executable: true, priority: 'high' },
      { path: 'empty', totalBytes: 0, verifiedBytes: 0, executable: false, priority: 'skip' },
    ];
    peer.answers.set(`GET /transfers/${ID}/files`, list(...files));
    const { out } = await run(['transfers', ID.slice(0, 8), '--files']);
    expect(out).toMatch(/bin\/run +1000 B +25% +high +executable\nempty +0 B +100% +no\n/);
  });

  test.each(['pause', 'resume', 'cancel'])('%s is sent for the whole id', async (action) => {
    peer.answers.set(`POST /transfers/${ID}/${action}`, { status: 200, body: TRANSFER });
    expect((await run([action, ID.slice(0, 4)])).exitCode).toBe(0);
    expect(peer.requests.at(-1)).toMatchObject({ method: 'POST', path: `/transfers/${ID}/${action}` });
  });

  test.each([
    ['pause', 'paused', 'film.mkv of friends is paused.\n'],
    ['pause', 'complete', 'film.mkv of friends is complete.\n'],
    ['resume', 'paused', 'film.mkv of friends goes on.\n'],
    ['resume', 'downloading', 'film.mkv of friends is downloading.\n'],
    ['cancel', 'cancelled', 'film.mkv of friends is cancelled.\n'],
  ])('%s that finds it %s says what it does now', async (action, state, out) => {
    peer.answers.set(`POST /transfers/${ID}/${action}`, { status: 200, body: { ...TRANSFER, state } });
    expect((await run([action, ID])).out).toBe(out);
  });

  test.each([
    ['0d4f', 'This peer has 2 transfers whose ids begin with 0d4f: transfers shows what it has.'],
    ['ffff', 'This peer has no transfer whose id begins with ffff: transfers shows what it has.'],
  ])('%s is refused when it is not the beginning of exactly one id', async (id, note) => {
    peer.answers.set('GET /transfers', list(TRANSFER, { ...TRANSFER, transferId: ID.replace('1f9b', '2f9b') }));
    const ran = await run(['pause', id]);
    expect(ran.exitCode).toBe(66);
    expect(ran.note).toContain(note);
  });

  test('remove keeps the data unless told otherwise', async () => {
    await run(['remove', ID]);
    await run(['remove', ID, '--data', 'delete']);
    const removed = peer.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
    expect(removed).toEqual([`/transfers/${ID}?data=keep`, `/transfers/${ID}?data=delete`]);
  });
});

test('status tells who others cannot reach, and what does not work', async () => {
  const tracker = {
    address: '127.0.0.1:9001',
    fingerprint: null,
    state: 'ready',
    active: true,
    appliedOffset: 3,
    trouble: null,
  };
  const body = {
    peerId: 'a'.repeat(64),
    user: null,
    listen: '127.0.0.1:9',
    advertise: 'host:9',
    reachable: false,
    logId: null,
    transport: 'tls',
    endedSession: null,
    outage: null,
    scrub: NO_SCRUB,
    keeping: null,
    trackers: [tracker],
  };
  peer.answers.set('GET /status', { status: 200, body });
  const { out } = await run(['status']);
  expect(out).toContain('no: others cannot connect to host:9 (--advertise)');
  expect(out).toMatch(/127\.0\.0\.1:9001 +ready, in use +3/);
  expect(out).toMatch(/^commands +are taken$/m);
  expect(out).toMatch(/^scrubbing +off \(--scrub-rate\)$/m);
  expect(out).not.toMatch(/^session/m);
  const endedSession = { user: 'alice', reason: 'expired', detail: 'The session of alice expired: log in again.' };
  peer.answers.set('GET /status', { status: 200, body: { ...body, endedSession } });
  expect((await run(['status'])).out).toMatch(/^session +The session of alice expired: log in again\.$/m);
  const copy = { transferId: ID, group: 'friends', file: 'film.mkv', checkedPieces: 3, pieceCount: 20 };
  const scrub = {
    ...NO_SCRUB,
    bytesPerSecond: 524_288,
    copy,
    damagedPieces: 2,
    roundEndedAt: '2026-03-01T12:00:00.000Z',
  };
  peer.answers.set('GET /status', { status: 200, body: { ...body, scrub } });
  const reads = 'reads film.mkv of friends (3 of 20 pieces), all read at 2026-03-01 12:00:00, 2 damaged pieces found';
  expect((await run(['status'])).out).toContain(`scrubbing       512KiB/s, ${reads}\n`);
  expect(out).not.toMatch(/^keeps/m);
  const keeping = {
    folder: '/kept',
    limitBytes: 2 ** 31,
    keptBytes: 2 ** 30,
    copyCount: 1,
    withoutRoom: 2,
    copies: [],
  };
  peer.answers.set('GET /status', { status: 200, body: { ...body, keeping } });
  const keeps = '1 copy, 1.0 GiB of 2.0 GiB, in /kept; no room for 2 more that lack copies';
  expect((await run(['status'])).out).toContain(`keeps           ${keeps}\n`);
  const outage = { code: 'log_unavailable', detail: 'The log is away.' };
  const trouble = { reason: 'log_unavailable', detail: outage.detail };
  const unready = { reason: 'clock_skew', detail: 'set the clock right' };
  const trackers = [
    { ...tracker, trouble },
    { ...tracker, address: '127.0.0.1:9002', state: 'unready', active: false, trouble: unready },
  ];
  peer.answers.set('GET /status', { status: 200, body: { ...body, outage, trackers } });
  const troubled = (await run(['status'])).out;
  expect(troubled).toMatch(/^commands +fail now: The log is away\. \(log_unavailable\)$/m);
  expect(troubled).toMatch(/127\.0\.0\.1:9001 +ready \(log_unavailable\), in use/);
  expect(troubled).toMatch(/127\.0\.0\.1:9002 +unready \(clock_skew\)/);
  expect(troubled).toMatch(/^127\.0\.0\.1:9002: set the clock right$/m);
});

describe('a transfer that is watched', () => {
  const started = { status: 202, body: { commandId: 'id', offset: 7, result: { transferId: ID } } };
  const at = (change: Partial<TransferView>) => ({ status: 200, body: { ...TRANSFER, ...change } });
  const download = ['download_file', 'friends', 'film.mkv', '/data'];

  beforeEach(() => {
    peer.answers.set('POST /commands/download_file', started);
    peer.answers.set(`GET /commands/${ID}`, {
      status: 200,
      body: { state: 'accepted', offset: 7, result: {}, problem: null },
    });
  });

  test('ends when it is complete, and tells where the file is and who sent it', async () => {
    peer.answers.set(`GET /transfers/${ID}`, [
      at({}),
      at({ state: 'complete', completedAt: '2026-03-01T12:00:09.000Z' }),
    ]);
    const { exitCode, out, note } = await run(download);
    expect({ exitCode, note }).toEqual({ exitCode: 0, note: '' });
    expect(out).toBe(`/data/film.mkv\n1000 B in 0:09, 250 B from alice\nsha1 ${'d'.repeat(40)}\n`);
  });

  test('notes once what it waits for', async () => {
    const stalled = at({ state: 'stalled', reason: REASON });
    peer.answers.set(`GET /transfers/${ID}`, [stalled, stalled, at({ state: 'seeding' })]);
    expect((await run(download)).note).toBe(
      `stalled (no_seeder_online) since 2026-03-01 12:00:00 UTC: ${REASON.detail} ${REASON.action}\n`,
    );
  });

  test('that fails ends with 65 and the reason', async () => {
    const reason = { ...REASON, code: 'disk_full', detail: 'No space is left.', action: 'Make room.' } as const;
    peer.answers.set(`GET /transfers/${ID}`, at({ state: 'failed', reason }));
    const { exitCode, note } = await run([...download, '--command-id', ID]);
    expect({ exitCode, note }).toEqual({ exitCode: 65, note: 'No space is left. Make room.\n' });
  });

  test('that fails for a name, or waits for one, shows it as text', async () => {
    const reason = { ...REASON, detail: '/tmp/a\u001b[2J\nb is no file.', action: 'Rename it.' } as const;
    peer.answers.set(`GET /transfers/${ID}`, [at({ state: 'stalled', reason }), at({ state: 'failed', reason })]);
    const { note } = await run([...download, '--command-id', ID]);
    const shown = '/tmp/a\\u{1b}[2J\\u{a}b is no file. Rename it.\n';
    expect(note).toBe(`stalled (no_seeder_online) since 2026-03-01 12:00:00 UTC: ${shown}${shown}`);
  });

  test('that is complete shows its path as text', async () => {
    peer.answers.set(`GET /transfers/${ID}`, at({ state: 'complete', path: '/tmp/\u001b[2Jfilm' }));
    expect((await run(download)).out).toMatch(/^\/tmp\/\\u\{1b\}\[2Jfilm\n/);
  });

  test('that the log refused after hashing ends with the refusal', async () => {
    peer.answers.set('POST /commands/upload_file', started);
    peer.answers.set(`GET /transfers/${ID}`, at({ direction: 'upload', state: 'failed' }));
    const refused = { state: 'rejected', offset: 8, result: null, problem: problemOf('file_exists') };
    peer.answers.set(`GET /commands/${ID}`, { status: 200, body: refused });
    const { exitCode, note } = await run(['upload_file', 'friends', '/data/film.mkv', '--command-id', ID]);
    expect(exitCode).toBe(65);
    expect(note).toContain('(file_exists)');
  });

  test('goes on when the person stops watching', async () => {
    peer.answers.set(`GET /transfers/${ID}`, at({}));
    const interruption = new AbortController();
    const running = run(download, { interrupt: interruption.signal });
    await expect.poll(() => peer.requests.length).toBeGreaterThan(1);
    interruption.abort();
    const { exitCode, note } = await running;
    expect(exitCode).toBe(130);
    expect(note).toContain(` transfers ${ID}`);
  });

  test('is not watched with --detach', async () => {
    const { out } = await run([...download, '--detach']);
    expect(out).toContain(` transfers ${ID}`);
    expect(peer.requests).toHaveLength(1);
  });
});

describe('shell', () => {
  test('runs line after line, and a refusal ends nothing', async () => {
    peer.answers.set('POST /commands/join_group', { status: 404, body: problemOf('group_not_found') });
    const { exitCode, note } = await run(['shell'], {
      input: ['join_group nowhere', '', 'create_group "a b"', 'create_group "open', 'exit', 'logout'],
    });
    expect(exitCode).toBe(0);
    expect(note).toContain('(group_not_found)');
    expect(note).toContain('The quote " is not closed.');
    expect(peer.requests.map(({ body }) => body)).toEqual([{ group: 'nowhere' }, { group: 'a b' }]);
  });

  test('takes a hint as it stands there, and help', async () => {
    const { out } = await run(['shell'], { input: ['cohort create_group friends', 'help create_group'] });
    expect(peer.requests.map(({ body }) => body)).toEqual([{ group: 'friends' }]);
    expect(out).toContain('Usage: cohort create_group');
  });
});

describe('limits', () => {
  const LIMITS = {
    uploadBytesPerSecond: 50_000_000,
    downloadBytesPerSecond: null,
    activeTransfers: 3,
    groups: [{ group: 'films', uploadBytesPerSecond: 524_288, downloadBytesPerSecond: 1025 }],
  };
  const put = () => peer.requests.find(({ method }) => method === 'PUT')?.body;
  beforeEach(() => {
    peer.answers.set('GET /limits', { status: 200, body: LIMITS });
    peer.answers.set('PUT /limits', { status: 200, body: { ...LIMITS, groups: [], activeTransfers: null } });
  });

  test('are shown as they are typed', async () => {
    expect((await run(['limits'])).out).toBe(
      [
        'LIMITS OF      UPLOAD  DOWNLOAD',
        'everything     50MB/s      none',
        'group films  512KiB/s   1025B/s',
        '',
        'active transfers  3',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run(['limits', '--json'])).out)).toEqual(LIMITS);
    expect(put()).toBeUndefined();
  });

  test.each([
    [['--upload', 'none'], { ...LIMITS, uploadBytesPerSecond: null }],
    [
      ['--download', '2MiB', '--active', 'none'],
      { ...LIMITS, downloadBytesPerSecond: 2_097_152, activeTransfers: null },
    ],
    [['--active', '1'], { ...LIMITS, activeTransfers: 1 }],
    [
      ['--group', 'films', '--download', 'none'],
      { ...LIMITS, groups: [{ ...LIMITS.groups[0], downloadBytesPerSecond: null }] },
    ],
    [
      ['--group', 'a b', '--upload', '1MB'],
      {
        ...LIMITS,
        groups: [...LIMITS.groups, { group: 'a b', uploadBytesPerSecond: 1e6, downloadBytesPerSecond: null }],
      },
    ],
  ])('%j changes that and nothing else', async (words, limits) => {
    const { out, exitCode } = await run(['limits', ...words]);
    expect(exitCode).toBe(0);
    expect(put()).toEqual(limits);
    expect(out).toContain('active transfers  none');
  });

  test.each([
    [['--upload', 'fast'], '"fast" is not a rate; write bytes per second like 50MB'],
    [['--active', '0'], 'Give a number of transfers from 1'],
    [['--group', 'films'], '--group needs --upload or --download'],
    [['--group', 'films', '--active', '1', '--upload', '1MB'], '--active is not for a group'],
  ])('%j is refused, and the peer is not asked', async (words, note) => {
    const ran = await run(['limits', ...words]);
    expect(ran.exitCode).toBe(64);
    expect(ran.note).toContain(note);
    expect(peer.requests).toEqual([]);
  });
});
