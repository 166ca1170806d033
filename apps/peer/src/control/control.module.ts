// Nest's module of the control endpoint. The ports and stores that its controllers ask for are given by whoever starts it.
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { TRACKER_LINK } from '../tracker-link/tracker-link.ts';
import { TRANSFERS } from '../transfers/transfers.ts';
import { ApiKeysController } from './api-keys.controller.ts';
import { ApiKeys } from './api-keys.ts';
import { CommandRunner } from './command-runner.ts';
import { CommandsController } from './commands.controller.ts';
import { ContentLinks } from './content-links.ts';
import { ContentController } from './content.controller.ts';
import { PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from './control-tokens.ts';
import { EventJournal } from './event-journal.ts';
import { EventsController } from './events.controller.ts';
import { LimitsController } from './limits.controller.ts';
import { MetricsController } from './metrics.controller.ts';
import { StatusController } from './status.controller.ts';
import { TransfersController } from './transfers.controller.ts';
import { ViewsController } from './views.controller.ts';

/** What the controllers ask for, and the providers have to give. */
export const CONTROL_NEEDS = [
  ...[TRACKER_LINK, TRANSFERS, TRANSFER_ENGINE, PEER_ID, STATUS_FACTS],
  ...[CommandRunner, ApiKeys, EventJournal, ContentLinks],
] as const;

@Module({})
export class ControlModule {
  static with(providers: Provider[]): DynamicModule {
    const controllers = [
      CommandsController,
      TransfersController,
      ViewsController,
      ContentController,
      StatusController,
      LimitsController,
      MetricsController,
      ApiKeysController,
      EventsController,
    ];
    return { module: ControlModule, controllers, providers };
  }
}
