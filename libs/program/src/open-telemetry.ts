// Owns traces as OpenTelemetry has them: spans in batches of bounded size to a collector. One that is away costs what it was not told.
// Loaded only where an endpoint is named.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, ROOT_CONTEXT, type Span as OtlpSpan, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { parseTraceparent } from '#wire/traceparent';
import type { Span, Traces } from './traces.ts';

/** For what is still to be sent at the end; a collector that is away costs no more. */
const CLOSE_TIMEOUT_MS = 500;
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Opens the traces of this process; where they go stands in the variables of OpenTelemetry. `noSpan` is for what nobody follows. */
export function openTelemetry(program: string, noSpan: Span): Traces {
  const service = process.env['OTEL_SERVICE_NAME'] ?? `cohort-${program}`;
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': service })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('cohort');
  const within = new AsyncLocalStorage<Within>();
  return {
    begin(name, { kind, parent, attributes = {} }) {
      const context = contextOf(parent) ?? contextWithin(openSpanIn(within));
      if (context === null && kind !== 'server') return noSpan;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, context ?? ROOT_CONTEXT);
      return spanOf(span, within);
    },
    traceparent() {
      const span = openSpanIn(within);
      if (span === undefined) return undefined;
      const { traceId, spanId, traceFlags } = span.spanContext();
      return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    },
    close: () => closeInTime(provider),
  };
}

/** What work is part of: a transfer that a request began, or a timer, goes on long after the span of that has ended. */
interface Within {
  readonly span: OtlpSpan;
  isEnded: boolean;
}

function openSpanIn(within: AsyncLocalStorage<Within>): OtlpSpan | undefined {
  const around = within.getStore();
  return around === undefined || around.isEnded ? undefined : around.span;
}

/** Neither throws nor takes long: what could not be sent is no reason for a stop to fail. */
async function closeInTime(provider: TracerProvider): Promise<void> {
  const over = new AbortController();
  const late = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([provider.shutdown().catch(() => undefined), late]);
  over.abort();
}

function spanOf(span: OtlpSpan, within: AsyncLocalStorage<Within>): Span {
  const around: Within = { span, isEnded: false };
  return {
    run: (work) => within.run(around, work),
    end: ({ attributes = {}, isFailed = false } = {}) => {
      span.setAttributes(attributes);
      if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      around.isEnded = true;
    },
  };
}

function contextOf(traceparent: string | undefined): Context | null {
  const remote = parseTraceparent(traceparent);
  return remote === null ? null : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
}

function contextWithin(span: OtlpSpan | undefined): Context | null {
  return span === undefined ? null : trace.setSpan(ROOT_CONTEXT, span);
}
