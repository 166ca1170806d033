// Spans where nobody collects them, where somebody does or should, and around what fails.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inSpan, NO_SPAN, NO_TRACES, openTraces, type Span } from '#program/traces';

test('without a collector there are no traces, and work goes on as it is', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', '');
  expect(await openTraces('tracker')).toBe(NO_TRACES);
  expect(NO_TRACES.traceparent()).toBeUndefined();
  expect(await inSpan(NO_TRACES.begin('work', { kind: 'server' }), () => Promise.resolve(7))).toBe(7);
  vi.unstubAllEnvs();
});

describe('with a collector', () => {
  let collector: Server;
  let hangs: boolean;
  const sent: string[] = [];

  beforeEach(async () => {
    hangs = false;
    sent.length = 0;
    collector = createServer((request, response) => {
      if (hangs) return;
      request.on('data', (part: Buffer) => void sent.push(part.toString()));
      request.on('end', () => response.end('{}'));
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`);
  });
  afterEach(() => {
    collector.closeAllConnections();
    collector.close();
    vi.unstubAllEnvs();
  });

  test('what begins within a span after its end is part of nothing', async () => {
    const traces = await openTraces('peer');
    const request = traces.begin('request', { kind: 'server' });
    const ended = Promise.withResolvers<void>();
    const transfer = request.run(async () => {
      traces.begin('within', { kind: 'client' }).end();
      await ended.promise;
      expect(traces.traceparent()).toBeUndefined();
      expect(traces.begin('late', { kind: 'client' })).toBe(NO_SPAN);
    });
    request.end();
    ended.resolve();
    await transfer;
    await traces.close();
    expect(sent.join('')).toContain('"within"');
  });

  test.each([
    ['is away', () => collector.close()],
    ['hangs', () => void (hangs = true)],
  ])('a close is no failure and takes less than a second where that %s', async (_how, spoil) => {
    const traces = await openTraces('peer');
    traces.begin('request', { kind: 'server' }).end();
    spoil();
    const beganMs = performance.now();
    await traces.close();
    expect(performance.now() - beganMs).toBeLessThan(1_000);
  });
});

test('a span ends with its work, also when that fails', async () => {
  const ends: unknown[] = [];
  const span: Span = { run: (work) => work(), end: (about) => void ends.push(about) };
  await inSpan(span, () => Promise.resolve());
  await expect(inSpan(span, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(ends).toEqual([undefined, { isFailed: true }]);
});
