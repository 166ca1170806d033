// Owns the addresses of the transfers of this peer: lists, one of them, and what may be done with it.
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { TransferListView, TransferView } from '#wire/control-api';
import { TransferFileListView } from '#wire/control-transfer-files';
import { DeleteTransferQuery, LIST_LIMIT_DEFAULT, ListQuery, RecheckBody } from '#wire/control-requests';
import { SelectionBody } from '#wire/control-selection';
import { TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { ProblemResponses } from './openapi-document.ts';
import { acceptedOrThrow, invalidField, ProblemError } from './problem-error.ts';

@ApiTags('transfers')
@ProblemResponses()
@Controller('api/v1/transfers')
export class TransfersController {
  readonly #transfers: Transfers;

  constructor(@Inject(TRANSFERS) transfers: Transfers) {
    this.#transfers = transfers;
  }

  @Get()
  @ApiOperation({ operationId: 'list_transfers', summary: 'Uploads and downloads of this peer, oldest first' })
  @ApiOkResponse({ type: TransferListView })
  list(@Query() { limit = LIST_LIMIT_DEFAULT, after }: ListQuery): TransferListView {
    this.#transfers.refreshCopyCounts();
    const all = this.#transfers.list();
    const begin = after === undefined ? 0 : all.findIndex(({ transferId }) => transferId === after) + 1;
    if (after !== undefined && begin === 0) throw invalidField('after', 'must be the id of a transfer that is there');
    const items = all.slice(begin, begin + limit);
    const hasMore = begin + limit < all.length;
    return { items, next: hasMore ? (items.at(-1)?.transferId ?? null) : null, asOfOffset: null };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'get_transfer', summary: 'One transfer' })
  @ApiOkResponse({ type: TransferView })
  find(@Param('id') id: string): TransferView {
    this.#transfers.refreshCopyCounts();
    const transfer = this.#transfers.find(id);
    if (transfer === null) throw new ProblemError('transfer_not_found');
    return transfer;
  }

  @Get(':id/files')
  @ApiOperation({ operationId: 'list_transfer_files', summary: 'The files of one, and how much of each is there' })
  @ApiOkResponse({ type: TransferFileListView })
  async files(@Param('id') id: string, @Query() query: ListQuery): Promise<TransferFileListView> {
    const answer = await this.#transfers.files(id, query);
    return 'status' in answer ? (acceptedOrThrow(answer) as never) : answer;
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ operationId: 'pause_transfer', summary: 'Pauses a download, or serving' })
  @ApiOkResponse({ type: TransferView })
  async pause(@Param('id') id: string): Promise<TransferView> {
    return viewOrThrow(await this.#transfers.pause(id));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ operationId: 'resume_transfer', summary: 'Goes on with a paused, failed or cancelled transfer' })
  @ApiOkResponse({ type: TransferView })
  async resume(@Param('id') id: string): Promise<TransferView> {
    return viewOrThrow(await this.#transfers.resume(id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ operationId: 'cancel_transfer', summary: 'Ends a transfer; what came so far stays on disk' })
  @ApiOkResponse({ type: TransferView })
  async cancel(@Param('id') id: string): Promise<TransferView> {
    return viewOrThrow(await this.#transfers.cancel(id));
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'prioritize_transfer',
    summary:
      'Changes which files of a download are wanted, and how much, while it runs or once it has what was wanted so far',
  })
  @ApiOkResponse({ type: TransferView })
  async prioritize(@Param('id') id: string, @Body() body: SelectionBody): Promise<TransferView> {
    if (body.only === undefined && body.priorities === undefined) {
      throw invalidField('only', 'must be there, or priorities: there is nothing to change');
    }
    return viewOrThrow(await this.#transfers.prioritize(id, body));
  }

  @Post(':id/recheck')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'recheck_transfer',
    summary: 'Checks a copy on disk against what was shared, and repairs it from others',
  })
  @ApiBody({ type: RecheckBody, required: false })
  @ApiOkResponse({ type: TransferView, description: 'Over; recheck says what it came to.' })
  @ApiAcceptedResponse({ type: TransferView, description: 'Under way; recheck of GET /transfers/{id} tells the end.' })
  async recheck(
    @Param('id') id: string,
    @Body() body: RecheckBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TransferView> {
    const { status, transfer } = acceptedOrThrow(await this.#transfers.recheck(id, body));
    if (status === 'running') reply.status(202);
    return transfer;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'delete_transfer', summary: 'Forgets a transfer, with what it wrote or without' })
  @ApiNoContentResponse({ description: 'Forgotten.' })
  async remove(@Param('id') id: string, @Query() { data = 'keep' }: DeleteTransferQuery): Promise<void> {
    const refused = await this.#transfers.remove(id, data);
    if (refused !== null) acceptedOrThrow(refused);
  }
}

function viewOrThrow(answer: TransferView | Parameters<typeof acceptedOrThrow>[0]): TransferView {
  return 'status' in answer ? (acceptedOrThrow(answer) as never) : answer;
}
