// Owns the addresses under which the peer's named keys are listed, made and ended.
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiKeyListView, NewApiKeyView } from '#wire/control-api';
import { NewApiKeyBody } from '#wire/control-requests';
import { ApiKeys } from './api-keys.ts';
import { ProblemResponses } from './openapi-document.ts';
import { ProblemError } from './problem-error.ts';

@ApiTags('peer')
@Controller()
export class ApiKeysController {
  readonly #keys: ApiKeys;

  constructor(@Inject(ApiKeys) keys: ApiKeys) {
    this.#keys = keys;
  }

  @Get('api/v1/api-keys')
  @ProblemResponses()
  @ApiOperation({ operationId: 'list_api_keys', summary: 'The named keys, without the keys themselves' })
  @ApiOkResponse({ type: ApiKeyListView })
  listKeys(): ApiKeyListView {
    return { items: this.#keys.list(), next: null, asOfOffset: null };
  }

  @Post('api/v1/api-keys')
  @ProblemResponses()
  @ApiOperation({ operationId: 'create_api_key', summary: 'Makes a named key; this answer alone shows it' })
  @ApiCreatedResponse({ type: NewApiKeyView })
  addKey(@Body() body: NewApiKeyBody): Promise<NewApiKeyView> {
    return this.#keys.add(body);
  }

  @Delete('api/v1/api-keys/:keyId')
  @HttpCode(204)
  @ProblemResponses()
  @ApiOperation({ operationId: 'delete_api_key', summary: 'Ends a named key' })
  @ApiNoContentResponse({ description: 'The key is worth nothing any more.' })
  async removeKey(@Param('keyId') keyId: string): Promise<void> {
    const isRemoved = await this.#keys.remove(keyId);
    if (!isRemoved) throw new ProblemError('not_found', { detail: 'There is no such key.' });
  }
}
