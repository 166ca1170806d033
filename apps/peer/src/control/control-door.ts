// Owns who has a connection to the control endpoint, and how many requests were refused, by code: of the closed set of errors,
// and for what never became a request.
import type { Server, Socket } from 'node:net';
import { Door } from '#identity/door';
import { CONTROL_CONNECTIONS_MAX } from '#wire/limits';
import type { ErrorCode } from '#wire/wire-error';

/** Why something was refused at the control endpoint. */
export type ControlRefusal = ErrorCode | 'too_many_connections' | 'malformed_request' | 'request_timeout';

/** What whoever is sent away before it is let in is counted as. */
const REFUSALS = {
  no_room: 'too_many_connections',
  too_long: 'request_timeout',
  garbage: 'malformed_request',
} as const satisfies Record<string, ControlRefusal>;

/** The door of one endpoint. */
export class ControlDoor {
  #door: Door | null = null;
  readonly #refusals = new Map<ControlRefusal, number>();

  /** From now on connections come through here. When there is no room, the oldest one over which no token was sent gives way. */
  watch(server: Server, silenceMs: number): void {
    this.#door = new Door(server, {
      places: { placesMax: CONTROL_CONNECTIONS_MAX, perNetworkMax: CONTROL_CONNECTIONS_MAX },
      silenceMs,
      sentAway: (why) => this.refuse(REFUSALS[why]),
    });
  }

  /** The endpoint is about to be closed: who has not been let in yet is not waited for. */
  close(): void {
    this.#door?.close();
  }

  /** A request with a token that counts came over this connection: it gives way to nobody. */
  know(socket: Socket): void {
    this.#door?.admit(socket);
  }

  refuse(refusal: ControlRefusal): void {
    this.#refusals.set(refusal, (this.#refusals.get(refusal) ?? 0) + 1);
  }

  /** What never became a request, by the error of Node's HTTP server. */
  refuseUnread({ code }: NodeJS.ErrnoException): void {
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') this.refuse('request_timeout');
    else if (code === 'HPE_HEADER_OVERFLOW') this.refuse('too_large');
    else if (code?.startsWith('HPE_') === true) this.refuse('malformed_request');
  }

  /** How many were refused so far, and why. */
  refusals(): [refusal: ControlRefusal, count: number][] {
    return [...this.#refusals];
  }
}
