// Owns how the page asks the peer that it came from: one function for each method, and for commands one that repeats itself under the
// same id while no answer comes. Whatever goes wrong is a value. Who is let in is told by a cookie, which the page never sees.
import { signal } from '@preact/signals';
import type { CommandView } from '#wire/control-answers';
import type { ListPage } from '#wire/control-api';
import type { ControlCommandBody, ControlCommandName } from '#wire/control-requests';
import { type Answer, PEER_AWAY, type PageProblem } from './problem.ts';

/** Whether the peer has said that this page is not let in, or not any more. */
export const isShutOut = signal(false);

const BASE = '/api/v1';
const LIST_PAGE_ITEMS = 1000;
/** A command whose answer was lost is sent again under its id, which is safe, after these waits. */
const REPEAT_AFTER_MS: readonly number[] = [300, 1_000, 3_000];

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Whether it asks to be let in: that this is refused says nothing of a page that is in already. */
  readonly isAtDoor?: boolean;
}

/** Reads one document. `path` stands below `/api/v1`. */
export function get<View>(path: string, interrupt?: AbortSignal): Promise<Answer<View>> {
  return send<View>({ method: 'GET', path, signal: interrupt });
}

/** Changes something of this peer's own: a transfer, a key, a session, its limits. */
export function post<View>(path: string, body?: object): Promise<Answer<View>> {
  return send<View>({ method: 'POST', path, body });
}

/** Has a ticket or the control token exchanged for a cookie. A refusal is of what was shown, and shuts nobody out. */
export function showProof(proof: { readonly ticket: string } | { readonly token: string }): Promise<Answer<null>> {
  return send<null>({ method: 'POST', path: '/page-sessions', body: proof, isAtDoor: true });
}

/** Changes a part of something. */
export function patch<View>(path: string, body: object): Promise<Answer<View>> {
  return send<View>({ method: 'PATCH', path, body });
}

/** Ends something. */
export function remove(path: string): Promise<Answer<null>> {
  return send<null>({ method: 'DELETE', path });
}

/** A page of a list, and where the next one begins; null on the last one. */
export type Page<Item> = ListPage & { readonly items: readonly Item[] };

/** Reads a page of a list. */
export function getPage<Item>(
  path: string,
  after: string | null,
  interrupt?: AbortSignal,
): Promise<Answer<Page<Item>>> {
  const query = new URLSearchParams({ limit: String(LIST_PAGE_ITEMS), ...(after !== null && { after }) });
  return get<Page<Item>>(`${path}${path.includes('?') ? '&' : '?'}${query.toString()}`, interrupt);
}

/** Reads a list to its end. */
export async function getAll<Item>(path: string, interrupt?: AbortSignal): Promise<Answer<readonly Item[]>> {
  const items: Item[] = [];
  for (let after: string | null = null; ;) {
    const page: Answer<Page<Item>> = await getPage<Item>(path, after, interrupt);
    if (!page.ok) return page;
    items.push(...page.value.items);
    after = page.value.next;
    if (after === null) return { ok: true, value: items, status: page.status };
  }
}

/** Issues a command. When no answer comes it is repeated under the same id, under which it takes effect once. */
export async function command<Name extends ControlCommandName>(
  name: Name,
  body: ControlCommandBody<Name>,
): Promise<Answer<CommandView>> {
  const headers = { 'idempotency-key': newId() };
  for (let round = 0; ; round++) {
    const answer = await send<CommandView>({ method: 'POST', path: `/commands/${name}`, body, headers });
    const isUnknown = !answer.ok && (answer.problem.code === 'peer_away' || answer.problem.code === 'outcome_unknown');
    const waitMs = REPEAT_AFTER_MS[round];
    if (!isUnknown || waitMs === undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** A part of a path below `/api/v1`, for a name of whatever characters. */
export function part(name: string): string {
  return encodeURIComponent(name);
}

/** A random UUID, also where the page was not loaded from this machine and browsers give none. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

async function send<Value>(request: Request): Promise<Answer<Value>> {
  const { method, path, body, headers, signal: interrupt, isAtDoor = false } = request;
  try {
    const response = await fetch(`${BASE}${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(interrupt !== undefined && { signal: interrupt }),
    });
    const text = await response.text();
    const value: unknown = text === '' ? null : JSON.parse(text);
    if (response.ok) return { ok: true, value: value as Value, status: response.status };
    return { ok: false, problem: isAtDoor ? readProblem(value) : problemOf(value) };
  } catch {
    // No connection, a connection that broke, or an answer that is no JSON: nobody is there who speaks as a peer does.
    return { ok: false, problem: PEER_AWAY };
  }
}

/** The problem in an answer; that the page is not let in is kept in mind for all of it. */
export function problemOf(document: unknown): PageProblem {
  const problem = readProblem(document);
  if (problem.code === 'control_token_required') isShutOut.value = true;
  return problem;
}

function readProblem(document: unknown): PageProblem {
  if (typeof document !== 'object' || document === null || !('code' in document)) return PEER_AWAY;
  const { code, detail, retryable, errors } = document as PageProblem;
  return { code, detail, retryable, errors: errors ?? [] };
}
