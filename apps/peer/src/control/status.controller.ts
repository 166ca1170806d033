// Owns the peer's own facts: who it is and how it stands with the trackers, its keys, its health and its figures.
import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiExcludeEndpoint,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiKeyListView, NewApiKeyView, StatusView, type TrackerView } from '#wire/control-api';
import { NewApiKeyBody } from '#wire/control-requests';
import { formatFingerprint } from '#wire/tracker-info';
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import { TRACKER_LINK, type TrackerLink, type TrackerStatus } from '../tracker-link/tracker-link.ts';
import { ApiKeys } from './api-keys.ts';
import { STATUS_FACTS, TRANSFER_ENGINE } from './control-tokens.ts';
import { metricsText } from './metrics-text.ts';
import { ProblemResponses } from './openapi-document.ts';
import { ProblemError } from './problem-error.ts';

/** What does not change while the peer runs. */
export type StatusFacts = Pick<StatusView, 'peerId' | 'listen' | 'advertise' | 'transport'>;

@ApiTags('peer')
@Controller()
export class StatusController {
  readonly #link: TrackerLink;
  readonly #keys: ApiKeys;
  readonly #engine: TransferEngine;
  readonly #facts: StatusFacts;

  constructor(
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(ApiKeys) keys: ApiKeys,
    @Inject(TRANSFER_ENGINE) engine: TransferEngine,
    @Inject(STATUS_FACTS) facts: StatusFacts,
  ) {
    this.#link = link;
    this.#keys = keys;
    this.#engine = engine;
    this.#facts = facts;
  }

  @Get('api/v1/status')
  @ProblemResponses()
  @ApiOperation({ operationId: 'status', summary: 'Who this peer is, who is logged in, and its trackers' })
  @ApiOkResponse({ type: StatusView })
  status(): StatusView {
    return {
      ...this.#facts,
      user: this.#link.user(),
      reachable: this.#link.reachable(),
      logId: this.#link.logId(),
      trackers: this.#link.trackers().map(trackerView),
    };
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

  @Get('health/live')
  @ApiExcludeEndpoint()
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiExcludeEndpoint()
  metrics(): string {
    return metricsText(this.#engine.metrics(), this.#link.trackers());
  }
}

/** A tracker as /status and the events show it. */
export function trackerView({ address, trackerId, state, active, appliedOffset }: TrackerStatus): TrackerView {
  const fingerprint = trackerId === null ? null : formatFingerprint(trackerId);
  return { address, fingerprint, state, active, appliedOffset };
}
