// Nest's module of the control endpoint. The ports and stores that its controllers ask for are given by whoever starts it.
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DROPPED_FILES } from '../dropping/dropped-files.ts';
import { TRACKER_LINK } from '../tracker-link/tracker-link.ts';
import { TRANSFERS } from '../transfers/transfers.ts';
import { ApiKeysController } from './api-keys.controller.ts';
import { ApiKeys } from './api-keys.ts';
import { CommandRunner } from './command-runner.ts';
import { CommandsController } from './commands.controller.ts';
import { ContentLinks } from './content-links.ts';
import { ContentController } from './content.controller.ts';
import { DATA_DIRECTORY, PAGE_FILES, PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from './control-tokens.ts';
import { CopiesController } from './copies.controller.ts';
import { DroppedFilesController } from './dropped-files.controller.ts';
import { EventJournal } from './event-journal.ts';
import { EventsController } from './events.controller.ts';
import { LimitsController } from './limits.controller.ts';
import { MetricsController } from './metrics.controller.ts';
import { PageController } from './page.controller.ts';
import { PageSessionsController } from './page-sessions.controller.ts';
import { PageSessions } from './page-sessions.ts';
import { StatusController } from './status.controller.ts';
import { TransfersController } from './transfers.controller.ts';
import { ViewsController } from './views.controller.ts';

/** What the controllers ask for, and the providers have to give. */
export const CONTROL_NEEDS = [
  ...[TRACKER_LINK, TRANSFERS, TRANSFER_ENGINE, PEER_ID, STATUS_FACTS, DATA_DIRECTORY],
  ...[CommandRunner, ApiKeys, EventJournal, ContentLinks, PageSessions, PAGE_FILES, DROPPED_FILES],
] as const;

@Module({})
export class ControlModule {
  static with(providers: Provider[]): DynamicModule {
    const controllers = [
      CommandsController,
      TransfersController,
      ViewsController,
      ContentController,
      CopiesController,
      StatusController,
      LimitsController,
      MetricsController,
      ApiKeysController,
      EventsController,
      PageController,
      PageSessionsController,
      DroppedFilesController,
    ];
    return { module: ControlModule, controllers, providers };
  }
}
