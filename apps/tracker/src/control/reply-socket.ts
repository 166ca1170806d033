// Owns one connection of Nest's transport: how long a message may take to come, and how replies and pushes leave. What is said to
// one peer in one turn of the event loop goes as one write, since each write is encrypted and handed to the system by
// itself, which costs more than making most replies.
import type { Socket } from 'node:net';
import { JsonSocket } from '@nestjs/microservices';

/** Nest does not export the options of its socket. */
type JsonSocketOptions = NonNullable<ConstructorParameters<typeof JsonSocket>[1]>;

/** How much may come and wait, and for how long. */
export interface ReplySocketOptions extends Omit<JsonSocketOptions, 'incompleteMessageTimeout'> {
  /** From the first byte of a message to its last: Nest's own time begins anew with every byte. */
  readonly messageTimeoutMs: number;
  /** Told before a connection is ended whose message has not come in time. */
  readonly onTooSlow: () => void;
}

/** A connection of Nest's transport that gathers what is sent over it until the end of the turn. */
export class ReplySocket extends JsonSocket {
  readonly #options: ReplySocketOptions;
  #isGathering = false;
  /** Ends the connection when the message whose beginning has come is not whole in time. */
  #deadline: NodeJS.Timeout | null = null;

  constructor(socket: Socket, options: ReplySocketOptions) {
    super(socket, { ...options, incompleteMessageTimeout: 0 });
    this.#options = options;
    socket.on('message', () => this.#expectNothing());
    for (const end of ['error', 'close']) socket.once(end, () => this.#expectNothing());
  }

  protected override handleData(data: Buffer | string): void {
    super.handleData(data);
    // Also behind a whole message; what its peer does not let be answered waits for the peer to read.
    if (!this.#holdsPart() || this['isBackpressured']) return;
    this.#deadline ??= setTimeout(() => this.#giveUp(), this.#options.messageTimeoutMs).unref();
  }

  /** Whether the beginning of a message has come, and not its end. */
  #holdsPart(): boolean {
    return this['buffer'].length > 0 || this['contentLength'] !== null;
  }

  protected override handleSend(message: unknown, callback?: (error?: unknown) => void): void {
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.netSocket.cork();
      setImmediate(() => {
        this.#isGathering = false;
        this.netSocket.uncork();
      });
    }
    super.handleSend(message, callback);
  }

  #expectNothing(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #giveUp(): void {
    this.#options.onTooSlow();
    this.netSocket.destroy();
  }
}
