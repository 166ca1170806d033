// Owns the addresses at which a browser is let in to the page: a ticket for who has the token, and a cookie for who has a ticket. Keys get
// neither: what they may do ends when they are deleted, and a cookie would go on.
import { Body, Controller, Delete, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bearerToken } from '#wire/bearer-token';
import { PageSessionBody, PageTicketView } from '#wire/control-page';
import { ApiKeys } from './api-keys.ts';
import { ProblemResponses } from './openapi-document.ts';
import { PageSessions } from './page-sessions.ts';
import { invalidField, ProblemError } from './problem-error.ts';

@ApiTags('page')
@ProblemResponses()
@Controller('api/v1')
export class PageSessionsController {
  readonly #sessions: PageSessions;
  readonly #keys: ApiKeys;

  constructor(@Inject(PageSessions) sessions: PageSessions, @Inject(ApiKeys) keys: ApiKeys) {
    this.#sessions = sessions;
    this.#keys = keys;
  }

  @Post('page-tickets')
  @ApiOperation({
    operationId: 'create_page_ticket',
    summary: 'A ticket that lets one browser in, once and for a minute; not for API keys',
  })
  @ApiCreatedResponse({ type: PageTicketView })
  ticket(@Req() { headers }: FastifyRequest): PageTicketView {
    const token = bearerToken(headers.authorization);
    if (token !== null && !this.#keys.isControlToken(token)) {
      throw new ProblemError('control_token_required', {
        detail:
          'The page is opened with the control token of this peer: a key does not do, because a browser stays let in.',
      });
    }
    const { ticket, expiresMs } = this.#sessions.issue();
    return { ticket, expiresAt: new Date(expiresMs).toISOString() };
  }

  @Post('page-sessions')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'create_page_session',
    security: [],
    summary:
      'Exchanges a ticket, or the control token, for a cookie that lets this browser in for 30 days from its last visit',
  })
  @ApiNoContentResponse({ description: 'The cookie is set.' })
  enter(@Body() { ticket, token }: PageSessionBody, @Res({ passthrough: true }) reply: FastifyReply): void {
    if ((ticket === undefined) === (token === undefined)) {
      throw invalidField('ticket', 'must be there, or token in its place');
    }
    if (ticket !== undefined && !this.#sessions.redeem(ticket)) {
      throw new ProblemError('control_token_required', {
        detail: 'This ticket was used already, or is older than a minute: type cohort open again.',
      });
    }
    if (token !== undefined && !this.#keys.isControlToken(token)) {
      throw new ProblemError('control_token_required', {
        detail: 'This is not the token of this peer.',
        errors: [{ field: 'token', message: 'is not the one in control-token of this peer' }],
      });
    }
    void reply.header('set-cookie', this.#sessions.cookie());
  }

  @Delete('page-sessions')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'delete_page_session',
    security: [],
    summary: 'Takes the cookie of this browser back; a copy of it elsewhere stays good',
  })
  @ApiNoContentResponse({ description: 'The cookie is gone.' })
  leave(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.header('set-cookie', this.#sessions.clearedCookie());
  }
}
