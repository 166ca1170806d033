// Owns the address under which the limits of this peer are read and replaced while it runs.
import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { LimitsBody, NewLimitsBody } from '#wire/control-limits';
import { TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { ProblemResponses } from './openapi-document.ts';
import { ProblemError } from './problem-error.ts';

@ApiTags('peer')
@ProblemResponses()
@Controller('api/v1/limits')
export class LimitsController {
  readonly #transfers: Transfers;

  constructor(@Inject(TRANSFERS) transfers: Transfers) {
    this.#transfers = transfers;
  }

  @Get()
  @ApiOperation({ operationId: 'limits', summary: 'Rates, and how many transfers are active at a time' })
  @ApiOkResponse({ type: LimitsBody })
  limits(): LimitsBody {
    return this.#transfers.limits();
  }

  @Put()
  @ApiOperation({
    operationId: 'set_limits',
    summary: 'Replaces all limits, also for what is under way; they are kept over restarts',
  })
  @ApiExtraModels(NewLimitsBody)
  @ApiBody({ schema: { allOf: [{ $ref: getSchemaPath(NewLimitsBody) }], minProperties: 1 } })
  @ApiOkResponse({ type: LimitsBody })
  setLimits(@Body() body: NewLimitsBody): Promise<LimitsBody> {
    if (Object.values(body).every((limit) => limit === undefined)) {
      throw new ProblemError('invalid_request', {
        detail: 'The body names no limit: give every one that is to hold, or {"groups": []} for none at all.',
      });
    }
    return this.#transfers.setLimits(body);
  }
}
