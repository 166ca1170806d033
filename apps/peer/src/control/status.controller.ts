// Owns the peer's own facts: who it is and how it stands with the trackers, its health and its figures.
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { StatusView, type TrackerView } from '#wire/control-api';
import { formatFingerprint } from '#wire/tracker-info';
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import { TRACKER_LINK, type TrackerLink, type TrackerStatus } from '../tracker-link/tracker-link.ts';
import { STATUS_FACTS, TRANSFER_ENGINE } from './control-tokens.ts';
import { metricsText } from './metrics-text.ts';
import { ProblemResponses } from './openapi-document.ts';

/** What does not change while the peer runs. */
export type StatusFacts = Pick<StatusView, 'peerId' | 'listen' | 'advertise' | 'transport'>;

@ApiTags('peer')
@Controller()
export class StatusController {
  readonly #link: TrackerLink;
  readonly #engine: TransferEngine;
  readonly #facts: StatusFacts;

  constructor(
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(TRANSFER_ENGINE) engine: TransferEngine,
    @Inject(STATUS_FACTS) facts: StatusFacts,
  ) {
    this.#link = link;
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
