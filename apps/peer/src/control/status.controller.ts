// Owns the peer's own facts: who it is, how it stands with the trackers, and whether it lives.
import { Controller, Get, Inject, Optional } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { StatusView, type TrackerView } from '#wire/control-status';
import type { KeepingView } from '#wire/control-upkeep';
import { formatFingerprint } from '#wire/tracker-info';
import { TRACKER_LINK, type TrackerLink, type TrackerStatus } from '../tracker-link/tracker-link.ts';
import { TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { COPY_KEEPING, STATUS_FACTS } from './control-tokens.ts';
import { ProblemResponses } from './openapi-document.ts';

/** What does not change while the peer runs. */
export type StatusFacts = Pick<StatusView, 'peerId' | 'listen' | 'advertise' | 'transport'>;

@ApiTags('peer')
@Controller()
export class StatusController {
  readonly #link: TrackerLink;
  readonly #transfers: Transfers;
  readonly #facts: StatusFacts;
  /** Beside the constructor, which takes no more than three things. */
  @Optional()
  @Inject(COPY_KEEPING)
  private readonly keeping?: { view(): KeepingView };

  constructor(
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(TRANSFERS) transfers: Transfers,
    @Inject(STATUS_FACTS) facts: StatusFacts,
  ) {
    this.#link = link;
    this.#transfers = transfers;
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
      endedSession: this.#link.endedSession(),
      reachable: this.#link.reachable(),
      logId: this.#link.logId(),
      outage: this.#link.outage(),
      scrub: this.#transfers.scrub(),
      keeping: this.keeping?.view() ?? null,
      trackers: this.#link.trackers().map(trackerView),
    };
  }

  @Get('health/live')
  @ApiExcludeEndpoint()
  live(): { status: 'live' } {
    return { status: 'live' };
  }
}

/** A tracker as /status and the events show it. */
export function trackerView({ address, trackerId, ...rest }: TrackerStatus): TrackerView {
  return { address, fingerprint: trackerId === null ? null : formatFingerprint(trackerId), ...rest };
}
