// Owns talking to a peer's control endpoint as any program would: bearer token from its data directory, JSON over HTTP.
// Every answer comes back as it is, refusals too; `expectOk` is for who wants only success.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An answer. `body` is parsed JSON, or the text when it is none. */
export interface HttpAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** What the endpoint sends when it refuses. */
export interface ProblemBody {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly retryable: boolean;
  readonly commandId?: string;
  readonly correlationId?: string;
  readonly offset?: number;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

/** The endpoint refused where success was expected. */
export class UnexpectedRefusal extends Error {
  readonly problem: ProblemBody;
  constructor(what: string, status: number, problem: ProblemBody) {
    super(`${what}: ${status} ${problem?.code ?? ''} ${problem?.detail ?? JSON.stringify(problem)}`);
    this.problem = problem;
  }
}

/** One peer's control endpoint. */
export class ControlApi {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** The endpoint of the peer that runs on a data directory. */
  static async of(dataDirectory: string): Promise<ControlApi> {
    const { url } = JSON.parse(await readFile(join(dataDirectory, 'control.json'), 'utf8')) as { url: string };
    return new ControlApi(url, (await readFile(join(dataDirectory, 'control-token'), 'utf8')).trim());
  }

  /** POST /commands/<name>; `key` is the Idempotency-Key. */
  command<Body = unknown>(name: string, body: object = {}, key?: string): Promise<HttpAnswer<Body>> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return this.request('POST', `/commands/${name}`, { body, headers });
  }

  get<Body = unknown>(path: string): Promise<HttpAnswer<Body>> {
    return this.request('GET', path);
  }

  post<Body = unknown>(path: string, body?: object): Promise<HttpAnswer<Body>> {
    return this.request('POST', path, body === undefined ? {} : { body });
  }

  delete<Body = unknown>(path: string): Promise<HttpAnswer<Body>> {
    return this.request('DELETE', path);
  }

  /** Any request below /api/v1. `rawBody` goes as it is. */
  async request<Body>(
    method: string,
    path: string,
    sent: { body?: object; rawBody?: string; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<HttpAnswer<Body>> {
    const payload = sent.rawBody ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(payload !== undefined && { body: payload }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) as Body };
  }
}

/** The body of an answer that must be a success. Throws `UnexpectedRefusal`. */
export async function expectOk<Body>(what: string, answer: Promise<HttpAnswer<Body>>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new UnexpectedRefusal(what, status, body as ProblemBody);
  return body;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
