// Owns how the page reaches a browser: its one document at the root, and what that names beside it. Nothing in them is secret.
import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PAGE_FILES } from './control-tokens.ts';
import type { PageFiles } from './page-files.ts';
import { PageSessions } from './page-sessions.ts';
import { ProblemError } from './problem-error.ts';

@ApiExcludeController()
@Controller()
export class PageController {
  readonly #files: PageFiles;
  readonly #sessions: PageSessions;

  constructor(@Inject(PAGE_FILES) files: PageFiles, @Inject(PageSessions) sessions: PageSessions) {
    this.#files = files;
    this.#sessions = sessions;
  }

  @Get()
  page(@Res() reply: FastifyReply): void {
    const renewed = this.#sessions.renewedCookie(reply.request.headers.cookie);
    if (renewed !== null) void reply.header('set-cookie', renewed);
    this.#send(reply, '');
  }

  @Get('assets/:name')
  asset(@Param('name') name: string, @Res() reply: FastifyReply): void {
    this.#send(reply, `assets/${name}`);
  }

  #send(reply: FastifyReply, address: string): void {
    const file = this.#files.get(address);
    if (file === undefined) {
      const detail = address === '' ? 'The page is not built: run npm run build, and start the peer again.' : undefined;
      throw new ProblemError('not_found', detail === undefined ? {} : { detail });
    }
    const { type, cacheControl, etag, plain, gzipped } = file;
    const { headers } = reply.request;
    void reply.headers({ etag, vary: 'accept-encoding', 'cache-control': cacheControl });
    if (headers['if-none-match']?.split(/\s*,\s*/).includes(etag) === true) {
      void reply.status(304).send();
      return;
    }
    const takesGzip = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
    void reply.headers({ 'content-type': type, ...(takesGzip && { 'content-encoding': 'gzip' }) });
    void reply.send(takesGzip ? gzipped : plain);
  }
}
