// Owns the audit's addresses at a tracker's HTTP port: who asks has a key that an operator made, and hears of everything that goes
// wrong as a problem document. Nothing here writes.
import { Controller, Get, Logger, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BadInput } from '#identity/start-input';
import { bearerToken } from '#wire/bearer-token';
import { type Problem, problemOf } from '#wire/wire-error';
import { AuditDesk } from './audit-desk.ts';
import { AuditKeys } from './audit-keys.ts';
import { type AuditParameters, isAuditView } from './audit-question.ts';
import { AuditRefusal, auditProblemOf } from './audit-refusal.ts';

/** What is counted of questions. */
export class AuditCounts {
  readonly asked: (view: string) => void;
  readonly refused: (code: string) => void;

  constructor(count: { asked: (view: string) => void; refused: (code: string) => void }) {
    this.asked = count.asked;
    this.refused = count.refused;
  }
}

/** With every answer: nobody keeps it, nothing in it runs, and no page shows it in a frame. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

@Controller()
export class AuditController {
  readonly #desk: AuditDesk;
  readonly #keys: AuditKeys;
  readonly #counts: AuditCounts;
  readonly #logger = new Logger('audit');

  constructor(desk: AuditDesk, keys: AuditKeys, counts: AuditCounts) {
    this.#desk = desk;
    this.#keys = keys;
    this.#counts = counts;
  }

  @Get('audit/:view')
  async ask(@Param('view') view: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    void reply.headers(HEADERS);
    try {
      await this.#refuseStranger(request.headers.authorization);
      if (!isAuditView(view)) throw new AuditRefusal('not_found', `There is no audit view ${view}.`);
      const parameters = parametersOf(request.query);
      const { contentType, stream } = await this.#desk.ask({ view, parameters }, gone.signal);
      this.#counts.asked(view);
      await reply.type(contentType).send(stream);
    } catch (error) {
      if (!gone.signal.aborted) this.#refuse(reply, error);
    }
  }

  async #refuseStranger(authorization: string | undefined): Promise<void> {
    const token = bearerToken(authorization);
    const key = token === null ? null : await this.#keys.keyOf(token);
    if (key === null) throw new AuditRefusal('audit_key_required');
  }

  #refuse(reply: FastifyReply, error: unknown): void {
    const problem = auditProblemOf(error) ?? this.#bug(error);
    this.#counts.refused(problem.code);
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply
      .status(problem.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem));
  }

  #bug(error: unknown): Problem {
    this.#logger.error(error instanceof Error ? error.stack : error);
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
