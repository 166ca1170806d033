// Owns how the audit prints: what a pipe has no room for is waited for, and a reader that goes away ends it quietly.
import { once } from 'node:events';

/** Texts that were said and not yet written. */
export class AuditOutput {
  readonly #stream: NodeJS.WritableStream;
  #waiting: string[] = [];

  constructor(stream: NodeJS.WritableStream = process.stdout) {
    this.#stream = stream;
    // `| head` has seen enough.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }

  /** Says a line, with the next flush. */
  line(text: string): void {
    this.#waiting.push(text, '\n');
  }

  /** Says a value as a line of JSON. */
  json(value: object): void {
    this.line(JSON.stringify(value));
  }

  /** Writes what was said, and resolves when there is room for more. */
  async flush(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    if (text !== '') await this.bytes(Buffer.from(text));
  }

  /** Writes bytes as they are. */
  async bytes(bytes: Uint8Array): Promise<void> {
    if (!this.#stream.write(bytes)) await once(this.#stream, 'drain');
  }
}

/** Shows how far a long replay is, where a person watches. */
export function showProgress(): ((offset: number) => void) | undefined {
  const { stderr } = process;
  if (!stderr.isTTY) return undefined;
  let shownMs = 0;
  process.on('exit', () => stderr.write('\r\u001b[K'));
  return (offset) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < 200) return;
    shownMs = nowMs;
    stderr.write(`\r${offset.toLocaleString('en')} records`);
  };
}
