// Owns people at their browsers: each has a peer of a cluster, a browser context of their own as on a machine of their own, and a page
// that is opened as `cohort open` does. What the page complains of, and every request that it makes, is noted.
import type { Browser, BrowserContext, ConsoleMessage, Page, Request } from 'playwright-core';
import { launchChromium } from '../../infra/pictures/chromium.ts';
import { Cluster, type ClusterOptions, expectOk, type TestPeer, until } from '../e2e/cluster.ts';

/** How a browser is set up. */
export interface BrowserLook {
  readonly colorScheme?: 'dark' | 'light';
  readonly viewport?: { readonly width: number; readonly height: number };
  /** A script that every page runs before its own. */
  readonly scriptPath?: string;
}

const WIDE = { width: 1280, height: 800 };
const WAIT_MS = 15_000;
/** So many looks at a page, a frame apart, have to find nothing new. */
const QUIET_LOOKS = 10;

/** Browsers beside a cluster. Ends with `stop`. */
export class Browsers {
  readonly cluster: Cluster;
  readonly #browser: Browser;

  private constructor(cluster: Cluster, browser: Browser) {
    this.cluster = cluster;
    this.#browser = browser;
  }

  static async start(options?: ClusterOptions): Promise<Browsers> {
    const browser = await launchChromium();
    try {
      return new Browsers(await Cluster.start(options), browser);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.#browser.close();
    } finally {
      await this.cluster.stop();
    }
  }

  /** Somebody with a peer, nobody logged in, at an empty page. */
  async person(name: string, look?: BrowserLook): Promise<Person> {
    return this.browserOf(await this.cluster.peer(name), look);
  }

  /** A browser for whoever has that peer. */
  async browserOf(peer: TestPeer, look: BrowserLook = {}): Promise<Person> {
    const { colorScheme = 'light', viewport = WIDE, scriptPath } = look;
    const context = await this.#browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' });
    context.setDefaultTimeout(WAIT_MS);
    if (scriptPath !== undefined) await context.addInitScript({ path: scriptPath });
    return new Person(peer, context, await context.newPage());
  }
}

/** Somebody at a browser. */
export class Person {
  readonly peer: TestPeer;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Everything that the page has asked its peer, or anybody, for. */
  readonly requests: Request[] = [];
  readonly #complaints: string[] = [];
  readonly #pending = new Set<Request>();

  constructor(peer: TestPeer, context: BrowserContext, page: Page) {
    this.peer = peer;
    this.context = context;
    this.page = page;
    page.on('request', (request) => {
      this.requests.push(request);
      if (!isEventStream(request)) this.#pending.add(request);
    });
    page.on('requestfinished', (request) => this.#pending.delete(request));
    page.on('requestfailed', (request) => this.#pending.delete(request));
    page.on('console', (message) => this.#complaints.push(...complaintOf(message)));
    page.on('pageerror', (error) => this.#complaints.push(String(error.stack ?? error)));
  }

  get name(): string {
    return this.peer.name;
  }

  get url(): string {
    return this.peer.control.url;
  }

  /** Opens the page with a ticket, as `cohort open` does, and returns that. */
  async open(): Promise<string> {
    const answer = this.peer.control.post<{ ticket: string }>('/page-tickets', {});
    const { ticket } = await expectOk('POST /page-tickets', answer);
    await this.page.goto(`${this.url}/#ticket=${ticket}`);
    return ticket;
  }

  /** Waits until the page has all that it asked for, but for the stream of events, which never ends, and asks for no more. */
  async untilQuiet(): Promise<void> {
    let [looks, seen] = [0, -1];
    await until(`the page of ${this.name} has asked for all it wants`, async () => {
      // What was drawn last may ask for more.
      await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
      looks = this.#pending.size === 0 && this.requests.length === seen ? looks + 1 : 0;
      seen = this.requests.length;
      return looks === QUIET_LOOKS;
    });
  }

  /** Waits until somebody is logged in here, and what that shows is shown. */
  async isIn(): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Places' }).waitFor();
  }

  /** Waits until the page says that it has to be opened by its peer. */
  async isOut(): Promise<void> {
    await this.page.getByRole('heading', { name: 'Open this page from its peer' }).waitFor();
    await this.page.getByText('cohort open', { exact: true }).waitFor();
  }

  /** Waits for words, anywhere on the page. */
  async sees(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).filter({ visible: true }).first().waitFor();
  }

  /** Waits until words are nowhere on the page. */
  async seesNoMore(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).filter({ visible: true }).first().waitFor({ state: 'detached' });
  }

  /**
   * What the page has complained of since it was asked last: errors that nobody caught, what the policy of contents forbade, and
   * whatever it wrote as an error but `expected`. That an answer was a refusal is no complaint.
   */
  complaints(expected?: RegExp): string[] {
    return this.#complaints.splice(0).filter((complaint) => expected?.test(complaint) !== true);
  }
}

function isEventStream(request: Request): boolean {
  return new URL(request.url()).pathname === '/api/v1/events';
}

function complaintOf(message: ConsoleMessage): string[] {
  const text = message.text();
  const isRefusal = text.startsWith('Failed to load resource: the server responded with a status of');
  return message.type() === 'error' && !isRefusal ? [text] : [];
}
