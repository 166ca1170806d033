// Owns the address of the peer's figures.
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { METRICS_TEXT } from './control-tokens.ts';

@Controller('metrics')
export class MetricsController {
  readonly #text: () => string;

  constructor(@Inject(METRICS_TEXT) text: () => string) {
    this.#text = text;
  }

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiExcludeEndpoint()
  metrics(): string {
    return this.#text();
  }
}
