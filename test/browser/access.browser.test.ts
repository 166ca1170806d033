// Facts about who gets into the page, what the browser keeps of it, and what it is kept from doing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumSkipReason } from '../../infra/pictures/chromium.ts';
import { Browsers, type Person } from './people.ts';

const skipReason = chromiumSkipReason();
if (skipReason !== null) process.stderr.write(`left out, the page in a browser: ${skipReason}\n`);

describe.skipIf(skipReason !== null)('the page of a peer', () => {
  let browsers: Browsers;
  let alice: Person;
  let ticket: string;

  beforeAll(async () => {
    browsers = await Browsers.start({ trackerCount: 1 });
    alice = await browsers.person('alice');
    await alice.peer.signUp('alice');
    ticket = await alice.open();
    await alice.isIn();
  });
  afterAll(() => browsers.stop());

  it('is opened by a ticket that is gone from the address and from the history', async () => {
    const devtools = await alice.context.newCDPSession(alice.page);
    const { entries } = await devtools.send('Page.getNavigationHistory');
    const addresses = [alice.page.url(), ...entries.map(({ url }) => url)].filter((url) => url !== 'about:blank');
    expect(addresses.length).toBeGreaterThan(1);
    expect(addresses.filter((address) => address.includes(ticket) || address.includes('ticket'))).toEqual([]);
  });

  it('is open again after a reload, and closed to a ticket that was used', async () => {
    await alice.page.reload();
    await alice.isIn();
    const stranger = await browsers.browserOf(alice.peer);
    await stranger.page.goto(`${stranger.url}/#ticket=${ticket}`);
    await stranger.isOut();
    expect(stranger.complaints()).toEqual([]);
    await stranger.context.close();
  });

  it('keeps a cookie that names its peer, is read by no script, and is sent to no other site', async () => {
    const { peerId } = await alice.peer.view<{ peerId: string }>('/status');
    const cookies = await alice.context.cookies();
    expect(cookies).toMatchObject([
      { name: `cohort-${peerId.slice(0, 12)}`, httpOnly: true, sameSite: 'Strict', path: '/' },
    ]);
    expect(await alice.page.evaluate(() => document.cookie)).toBe('');
  });

  it('says the token in no address, no header and nothing that the browser keeps', async () => {
    const { token } = alice.peer.control;
    expect(alice.requests.length).toBeGreaterThan(5);
    for (const request of alice.requests) {
      const headers = JSON.stringify(await request.allHeaders());
      expect(`${request.url()} ${headers}`).not.toContain(token);
      expect(request.url()).not.toContain(ticket);
    }
    const kept = await alice.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(ticket);
  });

  it('comes from its peer alone, under a policy that lets nothing else in', async () => {
    expect(alice.requests.filter((request) => !request.url().startsWith(`${alice.url}/`)).map(String)).toEqual([]);
    const answer = await fetch(`${alice.url}/`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy.split(/; */)).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(alice.complaints()).toEqual([]);
  });

  it('runs nothing that was put into it', async () => {
    const isRun = await alice.page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.wasRun = true';
      document.head.append(script);
      await new Promise((resolve) => requestAnimationFrame(resolve));
      return 'wasRun' in globalThis;
    });
    expect(isRun).toBe(false);
    expect(alice.complaints().join()).toContain('Content Security Policy');
  });

  it('asks for nothing while nothing happens', async () => {
    await alice.page.clock.install();
    for (const place of ['#/groups', '#/transfers', '#/settings/sessions']) {
      await alice.page.goto(`${alice.url}/${place}`);
      await alice.page.reload();
      await alice.isIn();
      await alice.untilQuiet();
      const before = alice.requests.length;
      // Shorter than a stream of events may be silent: in time that only the page sees pass, nothing comes of what keeps it alive.
      await alice.page.clock.runFor('00:30');
      // One that is known to be the last: whatever was asked for before it is noted before it.
      await alice.page.evaluate(() => fetch('/api/v1/status'));
      expect(alice.requests.slice(before).map((request) => request.url())).toEqual([`${alice.url}/api/v1/status`]);
    }
  });

  it('says what to type to whoever has neither a ticket nor a session', async () => {
    const stranger = await browsers.browserOf(alice.peer);
    await stranger.page.goto(stranger.url);
    await stranger.isOut();
    expect(stranger.complaints()).toEqual([]);
    await stranger.context.close();
  });
});
