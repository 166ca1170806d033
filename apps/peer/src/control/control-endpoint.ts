// Owns the HTTP server of the control endpoint: who is let in before a body is read, how long a request may take to come, how
// bodies are checked, what errors look like, what browsers are told, and where the interface describes itself.
import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { Provider } from '@nestjs/common';
import type { Server } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { listenAddressOf } from '#identity/listen-address';
import { nestLoggerOf } from '#program/nest-logger';
import { type ProcessLog, SILENT_LOG } from '#program/process-log';
import { Figures } from '#metrics/figures';
import { NO_TRACES, type Traces } from '#program/traces';
import type { KeepingView } from '#wire/control-upkeep';
import type { HostPort } from '#wire/host-port';
import { CONTROL_BODY_BYTES_MAX, CONTROL_REQUEST_TIMEOUT_MS, NAME_IN_ADDRESS_CHARACTERS_MAX } from '#wire/limits';
import { type FieldError, problemOf } from '#wire/wire-error';
import type { TransferEngine } from '../swarm/transfer-engine.ts';
import { TRACKER_LINK, type TrackerLink } from '../tracker-link/tracker-link.ts';
import { TRANSFERS, type Transfers } from '../transfers/transfers.ts';
import { type AccessPolicy, type AccessRequest, accessRefusal, isDrop, needsToken } from './access-policy.ts';
import { signedFileOf } from './content-links.ts';
import { ControlDoor } from './control-door.ts';
import { COPY_KEEPING, DATA_DIRECTORY, TRANSFER_ENGINE } from './control-tokens.ts';
import { ControlModule } from './control.module.ts';
import { correlate, CORRELATION_HEADER, correlationIdOf } from './correlation.ts';
import { EventJournal } from './event-journal.ts';
import { EventStreams } from './event-streams.ts';
import { controlDocument } from './openapi-document.ts';
import { peerFigures } from './peer-figures.ts';
import { ProblemError } from './problem-error.ts';
import { ProblemFilter, sendProblem } from './problem.filter.ts';
import type { MovedBytes } from './traffic-feed.ts';
import { answerUnread } from './unread-request.ts';

/** Where the interface describes itself, for people; `-json` after it for programs. */
const DOCS_PATH = 'api/docs';

/** What browsers are told with every answer: no script and no style but those of this endpoint, nothing from elsewhere, no frame around it. */
const BROWSER_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The page of the documentation styles itself in its text, and draws from data: addresses. */
const DOCS_POLICY = BROWSER_HEADERS['content-security-policy'].replace(
  "style-src 'self'",
  "style-src 'self' 'unsafe-inline'",
);

/** Where the endpoint listens, who may ask, and what answers. */
export interface ControlEndpointOptions {
  readonly listen: HostPort;
  /** Names of --allow-host. */
  readonly allowedHosts: readonly string[];
  readonly scopeOf: AccessPolicy['scopeOf'];
  readonly opensLink: AccessPolicy['opensLink'];
  readonly opensPage: AccessPolicy['opensPage'];
  /** The ports and stores that the controllers ask for. */
  readonly providers: Provider[];
  /** Nobody is told when it is left out. */
  readonly log?: ProcessLog;
  readonly traces?: Traces;
  /** Shorter in tests. */
  readonly requestTimeoutMs?: number;
}

/** A running control endpoint. */
export interface ControlEndpoint {
  readonly address: HostPort;
  /** What its /metrics tells. */
  readonly figures: Figures;
  close(): Promise<void>;
}

/** Starts the endpoint. Throws the system's error when the address cannot be had. */
export async function openControlEndpoint(options: ControlEndpointOptions): Promise<ControlEndpoint> {
  const door = new ControlDoor();
  const { host, port } = await listenAddressOf(options.listen);
  const { scopeOf, opensLink, opensPage, log, traces, requestTimeoutMs = CONTROL_REQUEST_TIMEOUT_MS } = options;
  const app = await createControlApp(options.providers, { door, log, traces, requestTimeoutMs });
  const policy = { port, ...hostsOf(options, host), scopeOf, opensLink, opensPage };
  guard(app.getHttpAdapter().getInstance(), { policy, door, requestTimeoutMs });
  SwaggerModule.setup(DOCS_PATH, app, () => controlDocument(app));
  await app.init();
  const server = app.getHttpServer() as Server;
  door.watch(server, requestTimeoutMs);
  server.on('clientError', (error) => door.refuseUnread(error));
  // Not through Nest, which would print the error that is thrown to who tells it.
  await app.getHttpAdapter().getInstance().listen({ host, port });
  const bound = app.getHttpServer().address() as { port: number };
  policy.port = bound.port;
  const close = (): Promise<void> => {
    door.close();
    return app.close();
  };
  return { address: { host, port: bound.port }, figures: app.get(Figures), close };
}

interface ControlAppOptions {
  readonly door?: ControlDoor;
  readonly log?: ProcessLog | undefined;
  readonly traces?: Traces | undefined;
  readonly requestTimeoutMs?: number;
}

/** The application without its guards and its address: what the OpenAPI document is made from. */
export async function createControlApp(
  providers: Provider[],
  {
    door = new ControlDoor(),
    log = SILENT_LOG,
    traces = NO_TRACES,
    requestTimeoutMs = CONTROL_REQUEST_TIMEOUT_MS,
  }: ControlAppOptions = {},
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: CONTROL_BODY_BYTES_MAX,
    routerOptions: { maxParamLength: NAME_IN_ADDRESS_CHARACTERS_MAX },
    // For requests as a whole it is kept in the guard: a file that is dropped may take longer.
    requestTimeout: 0,
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs / 10 },
    forceCloseConnections: true,
    clientErrorHandler: (error, socket) => answerUnread(error, { socket, headers: BROWSER_HEADERS }),
    // An address that cannot be read: no route, no hook and no filter come to see it.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      door.refuse('invalid_request');
      refuseAddress(error, { request, reply: reply.headers(BROWSER_HEADERS), log });
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    ControlModule.with([...providers, figuresProvider(door), EVENT_STREAMS]),
    adapter,
    {
      bodyParser: false,
      logger: nestLoggerOf(log),
      abortOnError: false,
    },
  );
  app.useGlobalFilters(new ProblemFilter(log, (code) => door.refuse(code)));
  correlate(adapter.getInstance(), { log, traces });
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: (errors) => new ProblemError('invalid_request', { errors: errors.flatMap(fieldErrors) }),
    }),
  );
  return app;
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly log: ProcessLog;
}

function refuseAddress(error: Error, { request: { method, headers }, reply, log }: Asked): void {
  const correlationId = correlationIdOf(headers);
  const problem = problemOf('invalid_request', { detail: error.message });
  log.info('refused', { method, status: problem.status, code: problem.code, correlationId });
  sendProblem(reply.header(CORRELATION_HEADER, correlationId), { ...problem, correlationId });
}

/** The first thing wrong with each field, as a sentence. */
function fieldErrors(error: ValidationError): FieldError[] {
  const { property: field, constraints = {}, children = [] } = error;
  if (constraints['whitelistValidation'] !== undefined) return [{ field, message: 'is not a field of this request' }];
  const message = Object.values(constraints)[0];
  const own = message === undefined ? [] : [fieldError(field, message)];
  const inner = children.flatMap(fieldErrors);
  return [...own, ...inner.map((child) => ({ field: fieldWithin(field, child.field), message: child.message }))];
}

/** A sentence that begins with the field, or with one item of it: `only[2] must be ...`. */
function fieldError(field: string, sentence: string): FieldError {
  const [, position = '', message = sentence] = /^(\[\d+\])? (.*)$/s.exec(sentence.slice(field.length)) ?? [];
  return sentence.startsWith(field) ? { field: `${field}${position}`, message } : { field, message: sentence };
}

/** A field of what another one holds: `groups[0].group`. */
function fieldWithin(field: string, inner: string): string {
  const [position] = /^[0-9]+/.exec(inner) ?? [];
  return position === undefined ? `${field}.${inner}` : `${field}[${position}]${inner.slice(position.length)}`;
}

/** `{ view(): KeepingView }`, and nothing where no copies are kept. */
type Keeping = { view(): KeepingView } | undefined;
type FigureParts = [TrackerLink, TransferEngine, Transfers, EventStreams, string, Keeping];

function figuresProvider(door: ControlDoor): Provider {
  const keeping = { token: COPY_KEEPING, optional: true };
  return {
    provide: Figures,
    inject: [TRACKER_LINK, TRANSFER_ENGINE, TRANSFERS, EventStreams, DATA_DIRECTORY, keeping],
    useFactory: (...[link, engine, transfers, streams, dataDirectory, kept]: FigureParts) =>
      peerFigures({
        engine: () => engine.metrics(),
        trackers: () => link.trackers(),
        transferStates: () => transfers.list().map(({ state }) => state),
        limits: () => transfers.limits(),
        scrub: () => transfers.scrub(),
        keeping: () => kept?.view() ?? null,
        dataDirectory,
        eventStreamCount: () => streams.size,
        controlRefusals: () => door.refusals(),
      }),
  };
}

/** What goes to all who follow the events has more to look at than one controller asks for. */
const EVENT_STREAMS: Provider = {
  provide: EventStreams,
  inject: [EventJournal, TRANSFERS, TRACKER_LINK, TRANSFER_ENGINE],
  useFactory: (...[journal, transfers, link, engine]: [EventJournal, Transfers, TrackerLink, TransferEngine]) =>
    new EventStreams({ journal, transfers, link, moved: () => movedBytes(engine), now: Date.now }),
};

function movedBytes(engine: TransferEngine): MovedBytes {
  const { workers } = engine.metrics();
  return {
    receivedBytes: workers.reduce((sum, worker) => sum + worker.receivedBytes, 0),
    sentBytes: workers.reduce((sum, worker) => sum + worker.sentBytes, 0),
  };
}

interface Guard {
  readonly policy: AccessPolicy;
  readonly door: ControlDoor;
  readonly requestTimeoutMs: number;
}

function guard(fastify: FastifyInstance, { policy, door, requestTimeoutMs }: Guard): void {
  fastify.removeAllContentTypeParsers();
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) done(null, {});
    else void parseJson(request, text as string, done);
  });
  // What is dropped is read by who writes it to the disk, and by nobody else.
  fastify.addContentTypeParser('application/octet-stream', (_request, stream, done) => done(null, stream));
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(BROWSER_HEADERS);
    const asked = accessRequestOf(request);
    if (asked.route?.startsWith(`/${DOCS_PATH}`) === true) reply.header('content-security-policy', DOCS_POLICY);
    if (asked.hasBody) limitTime(request, { isFile: isDrop(asked), requestTimeoutMs });
    const refusal = accessRefusal(asked, policy);
    if (refusal === null && needsToken(asked)) door.know(request.raw.socket);
    if (refusal === null) done();
    else done(new ProblemError(refusal.code, refusal.detail === undefined ? {} : { detail: refusal.detail }));
  });
}

/** A body has to be there in time, and a file that is dropped has to go on coming. Who is late is told and counted as by Node itself. */
function limitTime(
  { raw, server }: FastifyRequest,
  { isFile, requestTimeoutMs }: { readonly isFile: boolean; readonly requestTimeoutMs: number },
): void {
  const { socket } = raw;
  let { bytesRead } = socket;
  const look = (): void => {
    const isComing = isFile && socket.bytesRead > bytesRead;
    ({ bytesRead } = socket);
    if (isComing) timer.refresh();
    else
      server.server.emit('clientError', Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  };
  const timer = setTimeout(look, requestTimeoutMs);
  const over = (): void => clearTimeout(timer);
  raw.once('end', over).once('close', over);
}

function accessRequestOf(request: FastifyRequest): AccessRequest {
  const { headers } = request;
  return {
    method: request.method,
    route: request.routeOptions.url,
    host: headers.host,
    origin: headers.origin,
    fetchSite: headers['sec-fetch-site'] as string | undefined,
    fetchMode: headers['sec-fetch-mode'] as string | undefined,
    authorization: headers.authorization,
    cookie: headers.cookie,
    contentType: headers['content-type'],
    signed: signedFileOf(request.params, request.query),
    hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
  };
}

function hostsOf(
  { listen, allowedHosts }: ControlEndpointOptions,
  address: string,
): Pick<AccessPolicy, 'ownHosts' | 'allowedHosts'> {
  const inHeader = (host: string): string => (host.includes(':') ? `[${host}]` : host.toLowerCase());
  return {
    ownHosts: new Set(['127.0.0.1', 'localhost', '[::1]', inHeader(listen.host), inHeader(address)]),
    allowedHosts: new Set(allowedHosts.map((host) => host.toLowerCase())),
  };
}
