// Owns the question what would be lost to others with the copies of this peer.
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { LastCopiesQuery, LastCopyListView } from '#wire/control-copies';
import { LIST_LIMIT_DEFAULT } from '#wire/control-requests';
import { type CopyPageRequest, TRACKER_LINK, type TrackerLink } from '../tracker-link/tracker-link.ts';
import { ProblemResponses } from './openapi-document.ts';
import { acceptedOrThrow, invalidField } from './problem-error.ts';

@ApiTags('views')
@ProblemResponses()
@Controller('api/v1/last-copies')
export class CopiesController {
  readonly #link: TrackerLink;

  constructor(@Inject(TRACKER_LINK) link: TrackerLink) {
    this.#link = link;
  }

  @Get()
  @ApiOperation({
    operationId: 'list_last_copies',
    summary: 'What nobody else online has completely, of all that logout, leave_group or stop_share would take away',
  })
  @ApiOkResponse({ type: LastCopyListView })
  async lastCopies(@Query() query: LastCopiesQuery): Promise<LastCopyListView> {
    const { view, asOfOffset } = acceptedOrThrow(await this.#link.listCopies(requestOf(query)));
    const items = view.items.map(({ group, file, version, completeCopies, partialCopies }) => ({
      ...{ group, file, version, completeCopies, partialCopies },
    }));
    return { items, next: view.next, asOfOffset };
  }
}

function requestOf({ group, file, version, limit = LIST_LIMIT_DEFAULT, after }: LastCopiesQuery): CopyPageRequest {
  if (file !== undefined && group === undefined) throw invalidField('group', 'must be there too when file is');
  if (version !== undefined && file === undefined) throw invalidField('file', 'must be there too when version is');
  return {
    // Whoever leaves a group takes along what their other peers seed there.
    of: group !== undefined && file === undefined ? 'user' : 'peer',
    only: 'last',
    limit,
    ...(after !== undefined && { after }),
    ...(group !== undefined && { group }),
    ...(file !== undefined && { file }),
    ...(version !== undefined && { version }),
  };
}
