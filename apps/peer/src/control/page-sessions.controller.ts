// Owns the addresses at which a browser is let in to the page: a ticket for who has the token, and a cookie for who has a ticket.
import { Body, Controller, Delete, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
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
    summary: 'A ticket that lets one browser in, once and for a minute',
  })
  @ApiCreatedResponse({ type: PageTicketView })
  ticket(): PageTicketView {
    const { ticket, expiresMs } = this.#sessions.issue();
    return { ticket, expiresAt: new Date(expiresMs).toISOString() };
  }

  @Post('page-sessions')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'create_page_session',
    security: [],
    summary: 'Exchanges a ticket, or the control token, for a cookie that lets this browser in for 30 days',
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
    if (token !== undefined && this.#keys.scopeOf(token) !== 'admin') {
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
    summary: 'Takes the cookie of this browser back',
  })
  @ApiNoContentResponse({ description: 'The cookie is gone.' })
  leave(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.header('set-cookie', this.#sessions.clearedCookie());
  }
}
