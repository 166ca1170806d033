// Owns how replies and pushes leave a connection: what is said to one peer in one turn of the event loop goes as one write,
// since each write is encrypted and handed to the system by itself, which costs more than making most replies.
import { JsonSocket } from '@nestjs/microservices';

/** A connection of Nest's transport that gathers what is sent over it until the end of the turn. */
export class ReplySocket extends JsonSocket {
  #isGathering = false;

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
}
