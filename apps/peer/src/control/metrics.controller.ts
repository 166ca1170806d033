// Owns the address of the peer's figures.
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import { TRACKER_LINK, type TrackerLink } from '../tracker-link/tracker-link.ts';
import { TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { ControlDoor } from './control-door.ts';
import { TRANSFER_ENGINE } from './control-tokens.ts';
import { metricsText } from './metrics-text.ts';

@Controller('metrics')
export class MetricsController {
  readonly #link: TrackerLink;
  readonly #engine: TransferEngine;
  readonly #transfers: Transfers;
  /** Beside the constructor, which takes no more than three. */
  @Inject(ControlDoor)
  readonly door!: ControlDoor;

  constructor(
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(TRANSFER_ENGINE) engine: TransferEngine,
    @Inject(TRANSFERS) transfers: Transfers,
  ) {
    this.#link = link;
    this.#engine = engine;
    this.#transfers = transfers;
  }

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiExcludeEndpoint()
  metrics(): string {
    return metricsText({
      engine: this.#engine.metrics(),
      trackers: this.#link.trackers(),
      transferStates: this.#transfers.list().map(({ state }) => state),
      limits: this.#transfers.limits(),
      controlRefusals: this.door.refusals(),
    });
  }
}
