// Traces as a collector gets them: one command, over both programs, in one trace.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Cluster, expectOk } from './cluster.ts';

vi.setConfig({ testTimeout: 60_000 });

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';

/** As OTLP has it in JSON. */
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

const spans: (SentSpan & { readonly service: string | undefined })[] = [];
let collector: Server;

const textOf = (attributes: readonly Attribute[], name: string): string | undefined =>
  attributes.find(({ key }) => key === name)?.value.stringValue;

function take({ resourceSpans }: Export): void {
  for (const { resource, scopeSpans } of resourceSpans) {
    const service = textOf(resource.attributes, 'service.name');
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push(Object.assign(span, { service }));
  }
}

beforeAll(async () => {
  collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      take(JSON.parse(Buffer.concat(parts).toString()) as Export);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const cluster = await Cluster.start({ trackerCount: 1, environment });
  try {
    const alice = await cluster.user('alice');
    const headers = { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01`, 'x-correlation-id': 'order-66' };
    const sent = { body: { group: 'films' }, headers };
    await expectOk('create_group', alice.control.request('POST', '/commands/create_group', sent));
  } finally {
    // What stops sends what it has not sent.
    await cluster.stop();
  }
}, 90_000);
afterAll(() => collector.close());

it('a command is one trace: the request, the question to a tracker, the command there, its append, each part of the one before', () => {
  const ofTrace = spans.filter(({ traceId }) => traceId === TRACE);
  const steps = [
    { name: 'POST /api/v1/commands/create_group', service: 'cohort-peer' },
    { name: 'ask create_group', service: 'cohort-peer' },
    { name: 'create_group', service: 'cohort-tracker' },
    { name: 'apply', service: 'cohort-tracker' },
    { name: 'append', service: 'cohort-tracker' },
  ];
  let parentSpanId = CLIENT_SPAN;
  for (const step of steps) {
    const span = ofTrace.find(({ name }) => name === step.name);
    expect(span, step.name).toMatchObject({ ...step, parentSpanId });
    parentSpanId = span!.spanId;
  }
  expect(ofTrace).toHaveLength(steps.length);
});

it('both programs say the correlation id, and no span says more than it has to', () => {
  const named = spans.filter(({ attributes }) => textOf(attributes, 'cohort.correlation_id') === 'order-66');
  expect(new Set(named.map(({ service }) => service))).toEqual(new Set(['cohort-peer', 'cohort-tracker']));
  expect(JSON.stringify(spans)).not.toContain('correct horse battery');
});

it('with a collector that refuses what it gets, peers and trackers end as without one', async () => {
  const refusing = createServer((_request, response) => void response.writeHead(404).end());
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const { port } = refusing.address() as AddressInfo;
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const cluster = await Cluster.start({ trackerCount: 1, environment });
  try {
    const alice = await cluster.user('alice');
    await expectOk(
      'create_group',
      alice.control.request('POST', '/commands/create_group', { body: { group: 'films' } }),
    );
    expect(await alice.process.stop()).toEqual({ code: 0, signal: null });
    expect(await cluster.system.trackers[0]!.process.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await cluster.stop();
    refusing.close();
  }
});
