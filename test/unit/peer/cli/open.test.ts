// `cohort open` against a peer that answers what a test says. No environment here has a browser in it, but the one of a test.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { browserCommand } from '../../../../apps/peer/src/cli/open-command.ts';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const TICKET = { ticket: 'a-ticket', expiresAt: '2026-03-01T12:00:00.000Z' };
const peer = peerOfThisFile();

test('the address of the page is printed, with a ticket where no server is sent it', async () => {
  peer.answers.set('POST /page-tickets', { status: 201, body: TICKET });
  const ran = await runWords(['open', '--no-browser', '--data-dir', peer.dataDirectory]);
  expect(ran).toMatchObject({ exitCode: 0, note: '' });
  expect(ran.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#ticket=a-ticket\n$/);
  const json = await runWords(['open', '--json', '--data-dir', peer.dataDirectory], {
    environment: { BROWSER: 'false' },
  });
  expect(JSON.parse(json.out)).toEqual({ url: ran.out.trim(), expiresAt: TICKET.expiresAt });
});

test.each([
  ['--url', ['--url', 'http://127.0.0.1:7071'], {}],
  ['COHORT_PAGE_URL', [], { COHORT_PAGE_URL: 'http://127.0.0.1:7071/' }],
  ['--url before COHORT_PAGE_URL', ['--url', 'http://127.0.0.1:7071'], { COHORT_PAGE_URL: 'http://elsewhere:1' }],
])('the address is the one of %s, where browsers reach the page at another one', async (_, flags, environment) => {
  peer.answers.set('POST /page-tickets', { status: 201, body: TICKET });
  const words = ['open', '--no-browser', ...flags, '--data-dir', peer.dataDirectory];
  const ran = await runWords(words, { environment });
  expect(ran).toMatchObject({ exitCode: 0, out: 'http://127.0.0.1:7071/#ticket=a-ticket\n' });
});

test.each(['127.0.0.1:7071', 'ftp://127.0.0.1', 'http://127.0.0.1/page'])(
  '%s is no address of a page, and takes no ticket',
  async (url) => {
    peer.answers.clear();
    const ran = await runWords(['open', '--url', url, '--data-dir', peer.dataDirectory]);
    expect(ran.exitCode).toBe(64);
    expect(ran.note).toContain(`"${url}" is no address of a page`);
  },
);

test('the browser of the person is started with it', async () => {
  peer.answers.set('POST /page-tickets', { status: 201, body: TICKET });
  const folder = mkdtempSync(join(tmpdir(), 'cohort-open-'));
  const [browser, told] = [join(folder, 'browser.sh'), join(folder, 'told')];
  writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" >'${told}'\n`, { mode: 0o755 });
  const ran = await runWords(['open', '--data-dir', peer.dataDirectory], { environment: { BROWSER: browser } });
  await vi.waitFor(() => expect(readFileSync(told, 'utf8')).toBe(ran.out.trim()), 5_000);
  rmSync(folder, { recursive: true });
});

test.each([
  ['darwin', {}, ['open']],
  ['win32', {}, ['rundll32', 'url.dll,FileProtocolHandler']],
  ['linux', {}, null],
  ['linux', { DISPLAY: ':0' }, ['xdg-open']],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0', BROWSER: '' }, ['xdg-open']],
  ['linux', { DISPLAY: ':0', BROWSER: 'firefox' }, ['firefox']],
  ['linux', { BROWSER: 'firefox:links %s' }, null],
] as const)('on %s with %j it is started by %j', (platform, environment, command) => {
  expect(browserCommand(platform, environment)).toEqual(command);
});
