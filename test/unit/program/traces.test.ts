// Spans where nobody collects them, and around what fails.
import { expect, test, vi } from 'vitest';
import { inSpan, NO_TRACES, openTraces, type Span } from '#program/traces';

test('without a collector there are no traces, and work goes on as it is', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', '');
  expect(await openTraces('tracker')).toBe(NO_TRACES);
  expect(NO_TRACES.traceparent()).toBeUndefined();
  expect(await inSpan(NO_TRACES.begin('work', { kind: 'server' }), () => Promise.resolve(7))).toBe(7);
  vi.unstubAllEnvs();
});

test('a span ends with its work, also when that fails', async () => {
  const ends: unknown[] = [];
  const span: Span = { run: (work) => work(), end: (about) => void ends.push(about) };
  await inSpan(span, () => Promise.resolve());
  await expect(inSpan(span, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(ends).toEqual([undefined, { isFailed: true }]);
});
