// Owns `cohort open`: an address of the peer's page with a ticket behind its `#`, which no server is sent, opened in the browser of who sits
// at this machine and printed for everybody else.
import { spawn } from 'node:child_process';
import type { PageTicketView } from '#wire/control-page';
import type { Invocation } from './invocation.ts';

export interface OpenFlags {
  /** False with --no-browser. */
  readonly browser: boolean;
  readonly url?: string;
}

/** Where browsers reach the page, where that is not where the peer listens. */
const URL_VARIABLE = 'COHORT_PAGE_URL';

/** What was named is no address of a page. */
export class BadPageUrl extends Error {
  override readonly name = 'BadPageUrl';
  constructor(text: string) {
    super(`"${text}" is no address of a page, like http://127.0.0.1:7071`);
  }
}

/** open: lets a browser in to the page. */
export async function openPage(invocation: Invocation, { browser, url: named }: OpenFlags): Promise<void> {
  const client = await invocation.client();
  const page = pageUrl(named || invocation.terminal.environment[URL_VARIABLE] || reachableUrl(client.url));
  const { ticket, expiresAt } = (await client.change('POST', '/page-tickets')).body as PageTicketView;
  const url = `${page}/#ticket=${ticket}`;
  invocation.show({ url, expiresAt }, () => `${url}\n`);
  if (browser && invocation.flags.json !== true) startBrowser(url, invocation.terminal.environment);
}

/** Without what stands behind host and port. */
function pageUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/') return url.origin;
  throw new BadPageUrl(text);
}

/** An address to listen on is none to go to. */
function reachableUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** How the system opens an address; null where nobody sits before a screen. */
export function browserCommand(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
): readonly [command: string, ...before: string[]] | null {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  const { BROWSER: own, DISPLAY: x11, WAYLAND_DISPLAY: wayland } = environment;
  if (own !== undefined && !/^$|[%:]/.test(own)) return [own];
  return x11 === undefined && wayland === undefined ? null : ['xdg-open'];
}

/** The address has been printed: whether a browser comes up is for the person to see. */
function startBrowser(url: string, environment: Readonly<Record<string, string | undefined>>): void {
  const [command, ...before] = browserCommand(process.platform, environment) ?? [];
  if (command === undefined) return;
  const child = spawn(command, [...before, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
