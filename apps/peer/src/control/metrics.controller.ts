// Owns the address of the peer's figures.
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { Figures, FIGURES_TYPE } from '#metrics/figures';

@Controller('metrics')
export class MetricsController {
  readonly #figures: Figures;

  constructor(@Inject(Figures) figures: Figures) {
    this.#figures = figures;
  }

  @Get()
  @Header('content-type', FIGURES_TYPE)
  @ApiExcludeEndpoint()
  metrics(): Promise<string> {
    return this.#figures.text();
  }
}
