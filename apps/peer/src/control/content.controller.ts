// Owns the addresses of content: the bytes of a file of a share, and links to it.
import { Body, Controller, Get, Head, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  CONTENT_LINK_SECONDS_DEFAULT,
  ContentLinkBody,
  ContentLinkView,
  ContentPlace,
  ContentQuery,
} from '#wire/control-content';
import { TRACKER_LINK, type TrackerLink } from '../tracker-link/tracker-link.ts';
import { type OpenContent, TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { type ContentAnswer, contentAnswer } from './content-answer.ts';
import { ContentLinks } from './content-links.ts';
import { sendContent } from './content-sending.ts';
import { ProblemResponses } from './openapi-document.ts';
import { acceptedOrThrow, ProblemError } from './problem-error.ts';

@ApiTags('content')
@ProblemResponses()
@Controller('api/v1/groups/:group/files/:file')
export class ContentController {
  readonly #transfers: Transfers;
  readonly #link: TrackerLink;
  readonly #links: ContentLinks;

  constructor(
    @Inject(TRANSFERS) transfers: Transfers,
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(ContentLinks) links: ContentLinks,
  ) {
    this.#transfers = transfers;
    this.#link = link;
    this.#links = links;
  }

  // Before the one of GET, of which Fastify would make one by itself.
  @Head('content')
  @ApiOperation({ operationId: 'head_content', summary: 'What get_content would answer, without the bytes' })
  @ApiOkResponse({ description: 'Its length, type and entity tag.' })
  head(@Param() share: ContentPlace, @Query() query: ContentQuery, @Res() reply: FastifyReply): Promise<void> {
    return this.#answer(share, query, reply);
  }

  @Get('content')
  @ApiOperation({
    operationId: 'get_content',
    summary: 'The bytes of a file, each piece verified before any of it is sent; fetched if they are not here',
  })
  @ApiHeader({ name: 'Range', required: false, schema: { type: 'string', example: 'bytes=0-1023' } })
  @ApiHeader({ name: 'If-Range', required: false, schema: { type: 'string' } })
  @ApiHeader({ name: 'If-None-Match', required: false, schema: { type: 'string' } })
  @ApiProduces('*/*')
  @ApiOkResponse({ description: 'All of it.', schema: { type: 'string', format: 'binary' } })
  @ApiResponse({ status: 206, description: 'One range of it.', schema: { type: 'string', format: 'binary' } })
  @ApiResponse({ status: 304, description: 'It is what If-None-Match names.' })
  get(@Param() share: ContentPlace, @Query() query: ContentQuery, @Res() reply: FastifyReply): Promise<void> {
    return this.#answer(share, query, reply);
  }

  @Post('content-link')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'create_content_link',
    summary: 'An address of one file that needs no token, for a while and for who is logged in now',
  })
  @ApiBody({ type: ContentLinkBody, required: false })
  @ApiOkResponse({ type: ContentLinkView })
  async link(
    @Param() { group, file }: ContentPlace,
    @Body() body: ContentLinkBody,
    @Req() request: FastifyRequest,
  ): Promise<ContentLinkView> {
    if (this.#link.user() === null) throw new ProblemError('not_logged_in');
    const { path, version, keep = false, lifetimeSeconds = CONTENT_LINK_SECONDS_DEFAULT } = body;
    const answer = await this.#link.findSources({ group, file, ...(version !== undefined && { version }) });
    // Without trackers it may be a link to a copy that is here.
    if (answer.status === 'rejected') acceptedOrThrow(answer);
    const { pathAndQuery, expiresMs } = this.#links.make({ group, file, path, version, keep }, lifetimeSeconds);
    const { origin, host } = request.headers;
    return { url: `${origin ?? `http://${host}`}${pathAndQuery}`, expiresAt: new Date(expiresMs).toISOString() };
  }

  async #answer(
    { group, file }: ContentPlace,
    { path, version, keep }: ContentQuery,
    reply: FastifyReply,
  ): Promise<void> {
    const content = await this.#transfers.openContent({ group, file, path, version, keep: keep === 'true' });
    if ('status' in content) return acceptedOrThrow(content);
    closeWith(reply, content);
    try {
      const answer = answerOf(content, reply.request);
      if (answer.status === 416) throw outOfRange(reply, answer);
      await sendContent(reply, content, answer);
    } finally {
      content.close();
    }
  }
}

/** Whichever ends first ends the other. */
function closeWith({ raw: response }: FastifyReply, content: OpenContent): void {
  response.once('close', () => content.close());
  if (response.destroyed) content.close();
  content.ended.addEventListener('abort', () => {
    if (response.headersSent && !response.writableEnded) response.destroy();
  });
}

function answerOf(content: OpenContent, { method, headers }: FastifyRequest): ContentAnswer {
  return contentAnswer(content, {
    ...{ method, range: headers.range, ifRange: headers['if-range'] as string | undefined },
    ifNoneMatch: headers['if-none-match'],
  });
}

function outOfRange(reply: FastifyReply, { headers }: ContentAnswer): ProblemError {
  reply.headers(headers);
  return new ProblemError('range_not_satisfiable');
}
