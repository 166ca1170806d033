// Owns what a program tells of the way of a request, for who follows it over several programs: spans, each with its beginning, its end
// and what it is part of. Where nobody collects them there are none, and nothing is loaded for them.

/** What a span is about when it begins. */
export interface SpanAbout {
  /** Of the two ends of a request, or of work in between. */
  readonly kind: 'server' | 'client' | 'internal';
  /** The `traceparent` that came with a request; else it is part of the span within which it begins. */
  readonly parent?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A stretch of work. */
export interface Span {
  /** What begins within `work` is part of it, until it ends; after that it is part of nothing. */
  run<Result>(work: () => Result): Result;
  end(about?: { readonly attributes?: SpanAbout['attributes']; readonly isFailed?: boolean }): void;
}

/** The traces of one process, made where it starts and handed down. */
export interface Traces {
  /** A span with neither a parent nor a request is none. */
  begin(name: string, about: SpanAbout): Span;
  /** W3C trace context of the span within which this is asked, for who is asked next; undefined outside of all. */
  traceparent(): string | undefined;
  /** Sends what has not been sent, where that takes no half of a second; never throws. */
  close(): Promise<void>;
}

/** A span that nobody follows. */
export const NO_SPAN: Span = { run: (work) => work(), end: () => undefined };

/** For who has nobody to tell. */
export const NO_TRACES: Traces = {
  begin: () => NO_SPAN,
  traceparent: () => undefined,
  close: () => Promise.resolve(),
};

/** OpenTelemetry's own names. */
const ENDPOINT_VARIABLES = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/** The traces of this process: sent to where the environment says, by OTLP over HTTP. */
export async function openTraces(program: string): Promise<Traces> {
  const isCollected = ENDPOINT_VARIABLES.some((name) => (process.env[name] ?? '') !== '');
  return isCollected ? (await import('./open-telemetry.ts')).openTelemetry(program, NO_SPAN) : NO_TRACES;
}

/** Does work in a span of its own. */
export async function inSpan<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (error) {
    span.end({ isFailed: true });
    throw error;
  }
}
