import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../apps/peer/src/cli/doctor/finding.ts';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const peer = peerOfThisFile();
let folder: string;

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'cohort-doctor-test-'))));
afterAll(() => rm(folder, { recursive: true }));

const STATUS = {
  ...{ user: 'ann', endedSession: null, listen: '0.0.0.0:9101', advertise: '192.0.2.7:9101', reachable: true },
  ...{ logId: null, outage: null, keeping: null, trackers: [] },
};
const list = (...items: object[]): { status: number; body: object } => ({ status: 200, body: { items, next: null } });

beforeEach(() => {
  peer.answers.set('GET /status', { status: 200, body: STATUS });
  peer.answers.set('GET /transfers', list());
  peer.answers.set('GET /sessions', list({ current: true, expiresAt: '2026-12-24T18:00:00Z' }));
});

/** What was seen of one thing, as `state: detail action`. */
async function seen(check: string, status: object = {}): Promise<readonly string[]> {
  peer.answers.set('GET /status', { status: 200, body: { ...STATUS, ...status } });
  const { out } = await runWords(['doctor', '--json', '--data-dir', peer.dataDirectory]);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return findings
    .filter((finding) => finding.check === check)
    .map(({ state, detail, action }) => `${state}: ${detail} ${action ?? ''}`.trim());
}

describe('of a peer that runs', () => {
  test.each([
    [{ reachable: true }, /^ok: A tracker could connect to 192\.0\.2\.7:9101/],
    [{ reachable: null }, /^unknown: No tracker has said yet/],
    [{ reachable: false }, /^problem: No tracker could connect .* Let connections to 0\.0\.0\.0:9101 in .*--advertise/],
  ])('%j', async (status, said) => {
    expect(await seen('reachable', status)).toEqual([expect.stringMatching(said)]);
  });

  test.each([
    [{}, 'ok: ann is logged in until 2026-12-24 18:00:00 (UTC), and longer while the peer runs.'],
    [{ user: null }, 'warning: Nobody is logged in on this peer. Type: cohort login <user>'],
    [{ user: null, endedSession: { detail: 'It expired.' } }, 'warning: It expired. Type: cohort login <user>'],
  ])('with the user %j', async (status, said) => {
    expect(await seen('session', status)).toEqual([said]);
  });

  test('why its commands fail is a problem', async () => {
    const outage = { code: 'log_unavailable', detail: 'The log takes no records.' };
    expect(await seen('commands', { outage })).toEqual([expect.stringMatching(/^problem: The log takes no records\./)]);
  });

  test('folders of unfinished downloads, and of copies that are kept, are looked at once each', async () => {
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'a file'), '');
    const download = (path: string, more: object = {}): object => ({
      ...{
        direction: 'download',
        state: 'stalled',
        path,
        temporary: false,
        wantedBytes: 3 * 1024,
        verifiedBytes: 1024,
      },
      ...more,
    });
    peer.answers.set(
      'GET /transfers',
      list(
        download(join(folder, 'in', 'a')),
        download(join(folder, 'in', 'b')),
        download(join(folder, 'gone', 'c')),
        download(join(folder, 'a file', 'd'), { state: 'paused' }),
        download(join(folder, 'nowhere', 'e'), { state: 'seeding' }),
        download(join(folder, 'nowhere', 'f'), { direction: 'upload' }),
        download(join(folder, 'nowhere', 'g'), { temporary: true }),
        download(join(folder, 'in', 'huge'), { wantedBytes: 2 ** 52 }),
      ),
    );
    const found = await seen('destination', { keeping: { folder: join(folder, 'kept') } });
    expect(found).toEqual([
      expect.stringMatching(/^problem: .*kept cannot be written to \(ENOENT\)/),
      expect.stringMatching(/^problem: .*in: .* are free, and 4\.0 PiB are still to come\. Make room/),
      expect.stringMatching(/^problem: .*gone cannot be written to \(ENOENT\)/),
      expect.stringMatching(/^problem: .*a file cannot be written to \(it is no folder\)/),
    ]);
  });
});

test('a peer that refuses the token is no peer that is away', async () => {
  peer.answers.set('GET /transfers', {
    status: 401,
    body: { code: 'control_token_required', detail: 'Send the token.' },
  });
  expect(await seen('peer')).toEqual([
    expect.stringMatching(/^problem: The peer that runs refuses the control token in /),
  ]);
});

test('something else that answers is no peer', async () => {
  peer.answers.set('GET /transfers', 'cut');
  expect(await seen('peer')).toEqual([expect.stringMatching(/^problem: No peer runs on /)]);
});
