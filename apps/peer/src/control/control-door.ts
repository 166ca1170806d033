// Owns who has a connection to the control endpoint, and how many requests were refused, by code: of the closed set of errors,
// and for what never became a request.
import type { Socket } from 'node:net';
import { DoorPlaces } from '#identity/door-places';
import { CONTROL_CONNECTIONS_MAX } from '#wire/limits';
import type { ErrorCode } from '#wire/wire-error';

export type ControlRefusal = ErrorCode | 'too_many_connections' | 'malformed_request' | 'request_timeout';

/** The door of one endpoint. */
export class ControlDoor {
  readonly #places = new DoorPlaces<Socket>({
    placesMax: CONTROL_CONNECTIONS_MAX,
    perNetworkMax: CONTROL_CONNECTIONS_MAX,
  });
  readonly #refusals = new Map<ControlRefusal, number>();

  /** A connection has come. When there is no room it takes the place of the oldest one over which no token was sent. */
  enter(socket: Socket): void {
    socket.once('close', () => this.#places.leave(socket));
    const leaving = this.#places.enter(socket, '');
    if (leaving === null) return;
    this.refuse('too_many_connections');
    leaving.destroy();
  }

  /** A request with a token that counts came over this connection: it gives way to nobody. */
  know(socket: Socket): void {
    this.#places.know(socket);
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
