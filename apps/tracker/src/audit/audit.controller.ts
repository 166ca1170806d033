// Owns the audit's addresses at a tracker's HTTP port: who asks has a key that an operator made, and hears of everything that goes
// wrong as a problem document. Nothing here writes.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BadInput } from '#identity/start-input';
import { bearerToken } from '#wire/bearer-token';
import { type Problem, problemOf } from '#wire/wire-error';
import { AuditDesk } from './audit-desk.ts';
import { type AuditKey, AuditKeys } from './audit-keys.ts';
import { AUDIT_VIEWS, type AuditParameters, isAuditView } from './audit-question.ts';
import { AuditRefusal, auditProblemOf } from './audit-refusal.ts';

/** Who is told of questions. */
interface AuditListeners {
  readonly asked: (view: string) => void;
  readonly refused: (code: string) => void;
  /** A question with a key came over this connection. */
  readonly known: (socket: Socket) => void;
  /** What nobody foresaw, as it was thrown. */
  readonly bug: (error: unknown) => void;
}

/** Tells of questions whoever counts them, and who keeps their connections. */
export class AuditWatch implements AuditListeners {
  readonly asked: (view: string) => void;
  readonly refused: (code: string) => void;
  readonly known: (socket: Socket) => void;
  readonly bug: (error: unknown) => void;

  constructor({ asked, refused, known, bug }: AuditListeners) {
    this.asked = asked;
    this.refused = refused;
    this.known = known;
    this.bug = bug;
  }
}

/** How often it is looked whether a key still counts while it is answered. */
const KEY_LOOK_MS = 1_000;

/**
 * With every answer: nobody keeps it, nothing in it runs, and no page shows it in a frame. The connection gives way to nobody, so it
 * lasts for this answer, and not longer.
 */
const HEADERS = {
  connection: 'close',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

const NOWHERE = `There is no audit view at this address: GET /audit/<view> answers ${AUDIT_VIEWS.join(', ')}.`;

/** A view as it is asked for, before its parameters. */
const VIEW_URL = /^\/audit\/([a-z]+)(?:\?|$)/;
const BELOW_AUDIT = /^\/audit(?:[/?]|$)/;
/** Where no view is. */
const NOWHERE_URL = '/audit/';

/** The address that a request is led to: what is below `/audit` and no view may be anything, and no router is asked what. */
export function auditUrlOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  return BELOW_AUDIT.test(url) && !isAuditView(VIEW_URL.exec(url)?.[1] ?? '') ? NOWHERE_URL : url;
}

/** What is led there, or is no GET, is told like all that goes wrong below `/audit`, before its body is read. Call it before the port opens. */
export function watchAuditAddresses(application: NestFastifyApplication): void {
  const controller = application.get(AuditController);
  const fastify = application.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const { method, url } = request;
    const isGet = method === 'GET' || method === 'HEAD';
    if (!BELOW_AUDIT.test(url) || (url !== NOWHERE_URL && isGet)) return;
    await controller.nowhere(request, reply);
    return reply;
  });
}

@Controller()
export class AuditController {
  readonly #desk: AuditDesk;
  readonly #keys: AuditKeys;
  readonly #watch: AuditWatch;

  constructor(desk: AuditDesk, keys: AuditKeys, watch: AuditWatch) {
    this.#desk = desk;
    this.#keys = keys;
    this.#watch = watch;
  }

  @Get('audit/:view')
  async ask(@Param('view') view: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    void reply.headers(HEADERS);
    try {
      const { authorization } = request.headers;
      const { keyId } = await this.#keyIn(authorization);
      this.#watch.known(request.raw.socket);
      this.#watchKey(authorization, gone);
      if (!isAuditView(view)) throw new AuditRefusal('not_found', NOWHERE);
      const parameters = parametersOf(request.query);
      const { contentType, stream } = await this.#desk.ask({ view, parameters }, { keyId, gone: gone.signal });
      this.#watch.asked(view);
      // From here on the answer can only be cut off. Nobody else would hear why.
      stream.once('error', (error) => reply.raw.closed || this.#count(error));
      await reply.type(contentType).send(stream);
    } catch (error) {
      if (!reply.raw.closed) this.#refuse(reply, error);
    }
  }

  /** Whatever else is asked below `/audit`, by any method, of whoever has a key or none. */
  async nowhere({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.headers(HEADERS);
    try {
      await this.#keyIn(headers.authorization);
      throw new AuditRefusal('not_found', NOWHERE);
    } catch (error) {
      this.#refuse(reply, error);
    }
  }

  /** Throws AuditRefusal for whoever has none. */
  async #keyIn(authorization: string | undefined): Promise<AuditKey> {
    const token = bearerToken(authorization);
    const key = token === null ? null : await this.#keys.keyOf(token);
    if (key === null) throw new AuditRefusal('audit_key_required');
    return key;
  }

  /** A key that is deleted counts no more for what is under way, either. */
  #watchKey(authorization: string | undefined, gone: AbortController): void {
    if (gone.signal.aborted) return;
    const timer = setInterval(() => void this.#keyIn(authorization).catch((error) => gone.abort(error)), KEY_LOOK_MS);
    gone.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  #refuse(reply: FastifyReply, error: unknown): void {
    const problem = this.#count(error);
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply
      .status(problem.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem));
  }

  #count(error: unknown): Problem {
    const problem = auditProblemOf(error) ?? this.#bug(error);
    this.#watch.refused(problem.code);
    return problem;
  }

  #bug(error: unknown): Problem {
    this.#watch.bug(error);
    return problemOf('internal_error');
  }
}

/** Each parameter once. Throws BadInput. */
function parametersOf(query: unknown): AuditParameters {
  for (const [name, value] of Object.entries(query as object)) {
    if (typeof value !== 'string') throw new BadInput(`--${name}: is given more than once`);
  }
  return query as AuditParameters;
}
