// Owns who may ask at the port for operators, how many at once and for how long: it has no token, so a page in a browser on this
// machine must not reach it under a name of its own that it lets lead to loopback.
import type { Server, Socket } from 'node:net';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { isLoopback } from '#identity/dialled-addresses';
import { Door } from '#identity/door';
import { OPERATOR_CONNECTIONS_MAX, OPERATOR_REQUEST_TIMEOUT_MS } from '#wire/limits';

/** Why a connection to the port for operators is cut off. */
export type OperatorRefusal = 'too_many_operators' | 'operator_too_slow' | 'operator_malformed';

/** What whoever is sent away before it is let in is counted as. */
const REFUSALS = {
  no_room: 'too_many_operators',
  too_long: 'operator_too_slow',
  garbage: 'operator_malformed',
} as const satisfies Record<string, OperatorRefusal>;

/** A Host header with a name of loopback, whatever its port: a page that was led here sends the name that it was led by. */
const LOOPBACK_HEADER = /^(?:127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(?::[0-9]+)?$/i;

/** How long a request may take to come; whoever connects and says nothing is cut off after the same time. */
export function operatorServerOptions(
  requestTimeoutMs = OPERATOR_REQUEST_TIMEOUT_MS,
): Pick<FastifyServerOptions, 'requestTimeout'> & { readonly http: object } {
  const http = { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs / 10 };
  return { requestTimeout: requestTimeoutMs, http };
}

/** The door of one port for operators. */
export class OperatorDoor {
  readonly #refused: (refusal: OperatorRefusal) => void;
  #door: Door | null = null;

  constructor(refused: (refusal: OperatorRefusal) => void) {
    this.#refused = refused;
  }

  /** From now on connections come through here. When there is no room the oldest one gives way, of the address that has most. */
  watch(server: Server): void {
    // What never became a request: Node's HTTP server has answered it.
    server.on('clientError', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#refused('operator_too_slow');
      else if (code?.startsWith('HPE_') === true) this.#refused('operator_malformed');
    });
    this.#door = new Door(server, {
      places: { placesMax: OPERATOR_CONNECTIONS_MAX, perNetworkMax: OPERATOR_CONNECTIONS_MAX },
      silenceMs: OPERATOR_REQUEST_TIMEOUT_MS,
      sentAway: (why) => this.#refused(REFUSALS[why]),
    });
  }

  /** Somebody who has a key asks over this connection: it gives way to nobody. */
  admit(socket: Socket): void {
    this.#door?.admit(socket);
  }

  /** The port is about to be closed: who has not been let in yet is not waited for. */
  close(): void {
    this.#door?.close();
  }
}

/**
 * On loopback only loopback's own names are answered, and the one that the operator gave. Elsewhere whoever reaches the port is an
 * operator, by any name.
 */
export function guardOperatorPort(
  fastify: FastifyInstance,
  listen: { readonly name: string; readonly address: string },
  refused: (code: 'foreign_host') => void,
): void {
  if (!isLoopback(listen.address)) return;
  fastify.addHook('onRequest', (request, reply, done) => {
    const { host = '' } = request.headers;
    if (LOOPBACK_HEADER.test(host) || host.toLowerCase().replace(/:[0-9]+$/, '') === listen.name) return done();
    refused('foreign_host');
    void reply.status(403).send({ code: 'foreign_host', detail: 'ask for 127.0.0.1, localhost or [::1]' });
  });
}
