// Owns how the audit prints: what a pipe has no room for is waited for, and a reader that goes away ends it quietly, a disk that
// is full not so.
import { once } from 'node:events';
import { EXIT } from '../exit-codes.ts';

/** Where a verb says what it found. */
export type VerbOutput = Pick<AuditOutput, 'json' | 'line' | 'flush' | 'bytes'>;

/** Texts that were said and not yet written. */
export class AuditOutput {
  readonly #stream: NodeJS.WritableStream;
  #waiting: string[] = [];
  #isGone = false;

  /** `onGone` is called when nobody reads any more, as behind `| head`; nothing is written from then on. */
  constructor(onGone: () => void = () => process.exit(0), stream: NodeJS.WritableStream = process.stdout) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#isGone = true;
      if (error.code === 'EPIPE') return onGone();
      process.stderr.write(`cohort: what was found cannot be written: ${error.message}\n`);
      process.exit(EXIT.unavailable);
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
    if (this.#isGone || this.#stream.write(bytes)) return;
    await once(this.#stream, 'drain').catch((error: unknown) => {
      if (!this.#isGone) throw error;
    });
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
