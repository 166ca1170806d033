// `npm run bench:page`: what the page costs who opens it, and whether a long list is smooth. Bytes as they come over the wire, the first
// paint with an empty cache (median of five), and frames per second while a group of 10,000 files is scrolled from end to end, with what
// a frame of that costs: a real tracker whose log holds them, a real peer, and the Chromium of the system without a window.
//   npm run bench:page -- --files 10000 --runs 5 --bytes-at-most 200KiB --paint-at-most 1000 --frames-at-least 50
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { loadOrCreateIdentity } from '#identity/identity';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { sizeOf } from '../../infra/demo/files.ts';
import { launchChromium } from '../../infra/pictures/chromium.ts';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { largeLog } from '../bench/large-log.ts';
import { groupOf, userOf } from '../bench/record-stamps.ts';
import { medianOf, quantileOf, say } from '../bench/table.ts';
import { cohort } from '../e2e/typed-commands.ts';
import { frameCosts } from './frame-costs.ts';

const { values: flags } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    /** Bytes of all that the page loads, as they come over the wire; more is a failure. */
    'bytes-at-most': { type: 'string', default: '200KiB' },
    /** Milliseconds until the first contentful paint; more is a failure. */
    'paint-at-most': { type: 'string', default: '1000' },
    'frames-at-least': { type: 'string', default: '50' },
  },
});

const PASSWORD = 'bench password';
const SCROLL_SECONDS = 4;
const WARM_UP_SECONDS = 1;
/** As fast as a wheel is turned by somebody in a hurry. */
const WHEEL_PIXELS_PER_SECOND = 6_000;
const WAIT_MS = 60_000;
const [USER, GROUP] = [userOf(0), groupOf(0)];

const folder = await mkdtemp(join(tmpdir(), 'cohort-page-'));
const logUrl = `sqlite:${join(folder, 'large.sqlite')}`;
const system = await LocalSystem.prepare({ folder, trackerCount: 1, logUrl });
const browser = await launchChromium();
try {
  await fillLog();
  await system.startTrackers();
  const control = await enter();
  say(machineLine());
  say(`Chromium ${browser.version()}, ${flags.files} files in one group`);
  const isLight = await measureLoads(control);
  const isSmooth = await measureFrames(control);
  process.exitCode = isLight && isSmooth ? 0 : 1;
} finally {
  await browser.close();
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A log with one user, who has one group with all files. */
async function fillLog(): Promise<void> {
  const log = await openCommandLog({ url: logUrl, trackerInfoPath: null });
  const identity = await loadOrCreateIdentity(join(folder, 'filler'));
  const records = [...largeLog(identity, { users: 1, groups: 1, shares: Number(flags.files) })];
  for (let from = 0; from < records.length; from += 1_000) {
    await log.append(records.slice(from, from + 1_000).map(([, record]) => record));
  }
  await log.close();
}

/** That user, with a password that is known, on a peer. */
async function enter(): Promise<ControlApi> {
  const { dataDirectory } = system.trackers[0]!;
  const words = ['operator', 'reset_password', USER, '--data-dir', dataDirectory];
  const { exitCode, complaint } = await cohort(words, { input: `${PASSWORD}\n` });
  if (exitCode !== 0) throw new Error(`reset_password ended with ${exitCode}: ${complaint}`);
  const { control } = await system.startPeer('reader');
  await expectOk('login', control.command('login', { user: USER, password: PASSWORD }));
  return control;
}

/** A page in a browser that has loaded nothing yet, opened as `cohort open` does, at an address behind the `#`. */
async function open(from: Browser, control: ControlApi): Promise<{ page: Page; bytes: () => number }> {
  const context = await from.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  const assets = new Set<string>();
  let bytes = 0;
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    if (!new URL(response.url).pathname.startsWith('/api/')) assets.add(requestId);
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (assets.has(requestId)) bytes += encodedDataLength;
  });
  const { ticket } = await expectOk('a ticket', control.post<{ ticket: string }>('/page-tickets', {}));
  await page.goto(`${control.url}/#ticket=${ticket}`);
  return { page, bytes: () => bytes };
}

async function measureLoads(control: ControlApi): Promise<boolean> {
  const paints: number[] = [];
  const sizes: number[] = [];
  for (let run = 0; run < Number(flags.runs); run++) {
    const { page, bytes } = await open(browser, control);
    await page.getByRole('link', { name: GROUP }).first().waitFor({ timeout: WAIT_MS });
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime));
    await page.waitForLoadState('load');
    sizes.push(bytes());
    await page.context().close();
  }
  const [paintMs, size] = [medianOf(paints), Math.max(...sizes)];
  say(
    `first paint                  median ${paintMs.toFixed(0)} ms of ${paints.length}  (asked: ${flags['paint-at-most']} ms at most)`,
  );
  say(
    `all that the page loads      ${(size / 1024).toFixed(1)} KiB over the wire  (asked: ${flags['bytes-at-most']} at most)`,
  );
  return paintMs <= Number(flags['paint-at-most']) && size > 0 && size <= sizeOf(flags['bytes-at-most']);
}

async function measureFrames(control: ControlApi): Promise<boolean> {
  const { page } = await open(browser, control);
  await page.getByRole('link', { name: GROUP }).first().click({ timeout: WAIT_MS });
  const grid = page.getByRole('grid');
  const rowCount = String(Number(flags.files) + 1);
  await page.locator(`[role=grid][aria-rowcount="${rowCount}"]`).waitFor({ timeout: WAIT_MS });
  const body = grid.getByRole('rowgroup').last();
  const wholePixels = await body.evaluate((element) => element.scrollHeight - element.clientHeight);
  const scroll = (seconds: number, pixels: number): Promise<number[]> =>
    body.evaluate(framesWhileScrolling, { seconds, pixels: Math.min(pixels, wholePixels) });
  await scroll(WARM_UP_SECONDS, wholePixels);
  const byWheel = rateOf(
    'scrolling as with a wheel',
    await scroll(SCROLL_SECONDS, SCROLL_SECONDS * WHEEL_PIXELS_PER_SECOND),
  );
  const byBar = rateOf('scrolling from end to end', await scroll(SCROLL_SECONDS, wholePixels));
  const costs = await frameCosts(browser, page, async () => (await scroll(SCROLL_SECONDS, wholePixels)).length);
  const inWords = Object.entries(costs).map(([kind, milliseconds]) => `${kind} ${milliseconds.toFixed(1)}`);
  say(
    `a frame of that costs        ${inWords.join(', ')} ms of processor time; the last two are a graphics card's elsewhere`,
  );
  const lastRow = await grid.getByRole('row').last().getAttribute('aria-rowindex');
  if (lastRow !== rowCount) throw new Error(`scrolled to the end, the last row is ${lastRow} and not ${rowCount}`);
  return Math.min(byWheel, byBar) >= Number(flags['frames-at-least']);
}

/** Frames per second, printed too. */
function rateOf(what: string, framesMs: readonly number[]): number {
  const rate = (framesMs.length * 1000) / framesMs.reduce((sum, milliseconds) => sum + milliseconds, 0);
  const within = `99 % within ${quantileOf(framesMs, 0.99).toFixed(0)} ms`;
  say(
    `${what.padEnd(28)} ${rate.toFixed(1)} frames/s, ${within}  (asked: ${flags['frames-at-least']} frames/s at least)`,
  );
  return rate;
}

/** Runs in the page: scrolls so far from the top in so many seconds, and tells how long each frame took. */
function framesWhileScrolling(element: Element, way: { seconds: number; pixels: number }): Promise<number[]> {
  return new Promise((resolve) => {
    const framesMs: number[] = [];
    let [startMs, beforeMs] = [0, 0];
    const frame = (nowMs: number): void => {
      if (startMs === 0) startMs = nowMs;
      else framesMs.push(nowMs - beforeMs);
      beforeMs = nowMs;
      const part = Math.min(1, (nowMs - startMs) / (way.seconds * 1000));
      element.scrollTop = part * way.pixels;
      if (part < 1) requestAnimationFrame(frame);
      else requestAnimationFrame(() => requestAnimationFrame(() => resolve(framesMs)));
    };
    requestAnimationFrame(frame);
  });
}
