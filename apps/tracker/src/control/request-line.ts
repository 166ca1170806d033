// Owns the turns of one connection: of the requests that came over it a few begin in each turn of the event loop, and a
// bounded number is under way, so that whoever asks for much waits for it and nobody else does. While requests wait, nothing
// more is read from the connection, so the line is never longer than what one read brought.
import type { Socket } from 'node:net';
import { RPC_REQUESTS_PER_TURN_MAX, RPC_REQUESTS_UNDER_WAY_MAX } from '#wire/limits';

/** The requests of one connection, in the order in which they came. */
export class RequestLine {
  readonly #socket: Socket;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #begunThisTurn = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    // The transport resumes a connection whose peer has read its replies; what waits here goes first.
    socket.on('resume', () => this.#holdBack());
  }

  /** Resolves when a request that has come may begin; `end` has to follow. */
  begin(): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push(begin);
      this.#advance();
    });
  }

  /** A request that has begun is answered. */
  end(): void {
    this.#underWay -= 1;
    this.#advance();
  }

  #advance(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      if (this.#begunThisTurn === 0) setImmediate(() => this.#nextTurn());
      this.#begunThisTurn += 1;
      this.#underWay += 1;
      this.#waiting.shift()!();
    }
    if (this.#waiting.length > 0) this.#holdBack();
    else if (this.#socket.isPaused() && !this.#socket.writableNeedDrain) this.#socket.resume();
  }

  #hasRoom(): boolean {
    return this.#begunThisTurn < RPC_REQUESTS_PER_TURN_MAX && this.#underWay < RPC_REQUESTS_UNDER_WAY_MAX;
  }

  #nextTurn(): void {
    this.#begunThisTurn = 0;
    this.#advance();
  }

  #holdBack(): void {
    if (this.#waiting.length > 0) this.#socket.pause();
  }
}
