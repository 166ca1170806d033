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
