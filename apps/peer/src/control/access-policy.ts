// Owns who may use the control endpoint: an exact list of hosts against DNS rebinding, no page of another origin, and a
// bearer token, or the cookie of the endpoint's own page. It runs before a body is read, and a path that nobody has named needs
// the token like any other.
import { bearerToken } from '#wire/bearer-token';
import type { ApiKeyScope } from '#wire/control-requests';
import type { ErrorCode } from '#wire/wire-error';
import type { SignedFile } from './content-links.ts';

/** What a decision needs of a request. Headers as they came. */
export interface AccessRequest {
  readonly method: string;
  /** The route that it matched, like `/api/v1/transfers/:id`; undefined when none did. */
  readonly route: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** `navigate` when somebody goes to it; left out by programs. */
  readonly fetchMode?: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie?: string | undefined;
  readonly contentType: string | undefined;
  readonly hasBody: boolean;
  /** What it names with a signature; null or left out when there is none. */
  readonly signed?: SignedFile | null;
}

export interface AccessPolicy {
  /** Port that the endpoint listens on. */
  readonly port: number;
  /** Names and addresses of the machine itself, right only with the port; IPv6 addresses in brackets. */
  readonly ownHosts: ReadonlySet<string>;
  /** Names of --allow-host: `name` is right with any port, `name:port` with that one. */
  readonly allowedHosts: ReadonlySet<string>;
  /** What a token may do, or null for one that is none. */
  scopeOf(token: string): ApiKeyScope | null;
  /** Whether the cookies of a request are those of a browser that was let in. */
  opensPage(cookies: string | undefined): boolean;
  /** Whether a signature is good for what it stands with. */
  opensLink(signed: SignedFile): boolean;
}

/** A refusal, with a sentence where the table's own does not say enough. */
export interface AccessRefusal {
  readonly code: ErrorCode;
  readonly detail?: string;
}

const PAGE_ROUTES: ReadonlySet<string | undefined> = new Set(['/', '/assets/:name']);
const OPEN_ROUTES = /^(?:\/health\/live|\/metrics|\/api\/docs(?:[-/].*)?)$/;
/** What it takes to be let in is what is asked for there. */
const PAGE_SESSION_ROUTE = '/api/v1/page-sessions';
const DROP_ROUTE = '/api/v1/dropped-files';
const TRANSFER_ROUTES = /^\/api\/v1\/(?:commands\/(?:upload_file|download_file|seed_file|stop_share)$|transfers\/)/;
const CONTENT_ROUTE = '/api/v1/groups/:group/files/:file/content';
const LINK_REFUSED =
  'This link to a file has ended, or this peer did not make it for who is logged in now: ask for a new one, or send a token.';
const COOKIE_ALONE =
  'The cookie of the page changes something only for the page itself: its browser has to send an Origin, or Sec-Fetch-Site. Send a token.';
const BYTES_REQUIRED = 'The body must be application/octet-stream: the bytes of the file.';
const SCOPE_RANK: Readonly<Record<ApiKeyScope, number>> = { read: 0, transfer: 1, admin: 2 };

/** Why a request goes no further, or null. */
export function accessRefusal(request: AccessRequest, policy: AccessPolicy): AccessRefusal | null {
  if (!isAllowedHost(request.host, policy)) return { code: 'foreign_host' };
  if (!isOwnOrigin(request)) return { code: 'foreign_origin' };
  const refusal = tokenRefusal(request, policy);
  if (refusal !== null) return refusal;
  if (isDrop(request)) return isBytes(request.contentType) ? null : { code: 'json_required', detail: BYTES_REQUIRED };
  return needsJson(request) && !isJson(request.contentType) ? { code: 'json_required' } : null;
}

/** Whether the body of a request is a file: it may be of any length, and comes for as long as it comes. */
export function isDrop({ method, route }: Pick<AccessRequest, 'method' | 'route'>): boolean {
  return method === 'POST' && route === DROP_ROUTE;
}

function isAllowedHost(header: string | undefined, policy: AccessPolicy): boolean {
  const host = header?.toLowerCase() ?? '';
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  if (name === undefined) return false;
  if (policy.allowedHosts.has(name) || policy.allowedHosts.has(host)) return true;
  return policy.ownHosts.has(name) && Number(port ?? 80) === policy.port;
}

/**
 * Browsers send an Origin with everything but plain navigation; it has to be the page of this endpoint itself. A link of another page may
 * lead to the page, which holds nothing by itself, and gets no cookie on that way.
 */
function isOwnOrigin(request: AccessRequest): boolean {
  const { origin, host, fetchSite } = request;
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return isLedToPage(request);
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return origin === `http://${own}` || origin === `https://${own}`;
}

function isLedToPage({ method, route, fetchMode, origin }: AccessRequest): boolean {
  return method === 'GET' && route === '/' && fetchMode === 'navigate' && origin === undefined;
}

/** Whether a request is answered only with a token, or with the cookie of the page. */
export function needsToken({ method, route }: Pick<AccessRequest, 'method' | 'route'>): boolean {
  if (route === PAGE_SESSION_ROUTE) return false;
  if (PAGE_ROUTES.has(route)) return method !== 'GET' && method !== 'HEAD';
  return route === undefined || method !== 'GET' || !OPEN_ROUTES.test(route);
}

function tokenRefusal(request: AccessRequest, policy: AccessPolicy): AccessRefusal | null {
  if (!needsToken(request) || isLinked(request, policy)) return null;
  const { method, route, authorization, signed, cookie } = request;
  if (authorization === undefined && policy.opensPage(cookie)) return cookieRefusal(request);
  const token = bearerToken(authorization);
  const scope = token === null ? null : policy.scopeOf(token);
  if (scope === null) return { code: 'control_token_required', ...(signed && { detail: LINK_REFUSED }) };
  const needed = neededScope(method, route ?? '');
  if (SCOPE_RANK[scope] >= SCOPE_RANK[needed]) return null;
  return {
    code: 'control_token_required',
    detail: `This key has the scope ${scope}; what is asked for needs a key with the scope ${needed}.`,
  };
}

/** The page may do everything, and nobody in its name: whatever changes something has to come from it by the word of the browser. */
function cookieRefusal({ method, origin, fetchSite }: AccessRequest): AccessRefusal | null {
  const isReading = method === 'GET' || method === 'HEAD';
  // An Origin that is here is its own: others were refused before.
  if (isReading || origin !== undefined || fetchSite === 'same-origin') return null;
  return { code: 'foreign_origin', detail: COOKIE_ALONE };
}

/** Whether a link gives access: to read one file, and to nothing else. */
function isLinked({ method, route, signed }: AccessRequest, policy: AccessPolicy): boolean {
  const isReading = (method === 'GET' || method === 'HEAD') && route === CONTENT_ROUTE;
  return isReading && signed !== null && signed !== undefined && policy.opensLink(signed);
}

function neededScope(method: string, route: string): ApiKeyScope {
  if (route.startsWith('/api/v1/api-keys')) return 'admin';
  if (route === CONTENT_ROUTE || route === `${CONTENT_ROUTE}-link`) return 'transfer';
  if (method === 'GET' || method === 'HEAD') return 'read';
  return TRANSFER_ROUTES.test(route) ? 'transfer' : 'admin';
}

function needsJson({ method, route, hasBody }: AccessRequest): boolean {
  return (
    hasBody ||
    method === 'PUT' ||
    method === 'PATCH' ||
    (method === 'POST' && /^\/api\/v1\/(?:commands|api-keys|page-sessions)/.test(route ?? ''))
  );
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType ?? '');
}

function isBytes(contentType: string | undefined): boolean {
  return /^application\/octet-stream\s*(?:;|$)/i.test(contentType ?? '');
}
