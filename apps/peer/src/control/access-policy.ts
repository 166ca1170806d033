// Owns who may use the control endpoint: an exact list of hosts against DNS rebinding, no page of another origin, and a
// bearer token. It runs before a body is read, and a path that nobody has named needs the token like any other.
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
  readonly authorization: string | undefined;
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
  /** Whether a signature is good for what it stands with. */
  opensLink(signed: SignedFile): boolean;
}

/** A refusal, with a sentence where the table's own does not say enough. */
export interface AccessRefusal {
  readonly code: ErrorCode;
  readonly detail?: string;
}

const OPEN_ROUTES = /^(?:\/health\/live|\/metrics|\/api\/docs(?:[-/].*)?)$/;
const TRANSFER_ROUTES = /^\/api\/v1\/(?:commands\/(?:upload_file|download_file|seed_file|stop_share)$|transfers\/)/;
const CONTENT_ROUTE = '/api/v1/groups/:group/files/:file/content';
const LINK_REFUSED =
  'This link to a file has ended, or this peer did not make it for who is logged in now: ask for a new one, or send a token.';
const SCOPE_RANK: Readonly<Record<ApiKeyScope, number>> = { read: 0, transfer: 1, admin: 2 };

/** Why a request goes no further, or null. */
export function accessRefusal(request: AccessRequest, policy: AccessPolicy): AccessRefusal | null {
  if (!isAllowedHost(request.host, policy)) return { code: 'foreign_host' };
  if (!isOwnOrigin(request)) return { code: 'foreign_origin' };
  const refusal = tokenRefusal(request, policy);
  if (refusal !== null) return refusal;
  return needsJson(request) && !isJson(request.contentType) ? { code: 'json_required' } : null;
}

function isAllowedHost(header: string | undefined, policy: AccessPolicy): boolean {
  const host = header?.toLowerCase() ?? '';
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  if (name === undefined) return false;
  if (policy.allowedHosts.has(name) || policy.allowedHosts.has(host)) return true;
  return policy.ownHosts.has(name) && Number(port ?? 80) === policy.port;
}

/** Browsers send an Origin with everything but plain navigation; it has to be the page of this endpoint itself. */
function isOwnOrigin({ origin, host, fetchSite }: AccessRequest): boolean {
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return false;
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return origin === `http://${own}` || origin === `https://${own}`;
}

/** Whether a request is answered only with a token. */
export function needsToken({ method, route }: Pick<AccessRequest, 'method' | 'route'>): boolean {
  return route === undefined || method !== 'GET' || !OPEN_ROUTES.test(route);
}

function tokenRefusal(request: AccessRequest, policy: AccessPolicy): AccessRefusal | null {
  if (!needsToken(request) || isLinked(request, policy)) return null;
  const { method, route, authorization, signed } = request;
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
    (method === 'POST' && /^\/api\/v1\/(?:commands|api-keys)/.test(route ?? ''))
  );
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType ?? '');
}
