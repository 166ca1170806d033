// Owns the addresses at which the page hands files over: one request for each, whose body is the bytes of the file and nothing else.
import { Controller, Delete, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { DroppedFileQuery, DroppedFileView, DroppedFolderPlace } from '#wire/control-page';
import { DROPPED_FILES, type DroppedFiles } from '../dropping/dropped-files.ts';
import { ProblemResponses } from './openapi-document.ts';
import { acceptedOrThrow, ProblemError } from './problem-error.ts';

@ApiTags('page')
@ProblemResponses()
@Controller('api/v1/dropped-files')
export class DroppedFilesController {
  readonly #files: DroppedFiles;

  constructor(@Inject(DROPPED_FILES) files: DroppedFiles) {
    this.#files = files;
  }

  @Post()
  @ApiOperation({
    operationId: 'drop_file',
    summary:
      'Takes a file over into the data directory, from where upload_file shares it; it goes when no transfer refers to it',
  })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiCreatedResponse({ type: DroppedFileView })
  async drop(
    @Query() { name, folder, path }: DroppedFileQuery,
    @Req() request: FastifyRequest,
  ): Promise<DroppedFileView> {
    const length = request.headers['content-length'];
    // Without a byte in it a request has no body that anybody would read.
    const body = request.body instanceof Readable ? request.body : Readable.from([]);
    const place = { name, folder, path };
    const answer = await this.#files.keep(place, body, length === undefined ? null : Number(length));
    const kept = acceptedOrThrow(answer);
    return { folder: kept.folder, path: kept.path };
  }

  @Delete(':folder')
  @HttpCode(204)
  @ApiOperation({ operationId: 'delete_dropped_files', summary: 'Takes away what was dropped and is not shared' })
  @ApiNoContentResponse({ description: 'It is not there any more.' })
  async remove(@Param() { folder }: DroppedFolderPlace): Promise<void> {
    if (await this.#files.remove(folder)) return;
    throw new ProblemError('invalid_request', { detail: 'A transfer refers to these files: remove it first.' });
  }
}
