// Owns what a person types at a terminal: one line is taken at a time, and what was pasted or typed ahead waits for whoever asks
// next, be that the prompt or a question of a command. Between two lines the terminal has its usual mode, in which Ctrl-C is a signal.
import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { InputEnded, type LineQuestion } from './line-question.ts';

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\b', '\u007f'];
// oxlint-disable-next-line no-control-regex -- a control character is what it ends at
const ENDS = /\r\n|[\r\n\u0003]/;
const HISTORY_LINES_MAX = 1000;

/** The lines that are typed at one terminal, echoed on its output. */
export class TypedInput {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #ahead = '';
  #hasEnded = false;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
    // After Ctrl-C nobody wants the lines that were pasted behind.
    process.on('SIGINT', () => this.#forget());
  }

  /** The next line, edited and completed. Throws `InputEnded`. */
  async line({ question, complete, history }: LineQuestion): Promise<string> {
    const keys = new LineKeys(this.#input);
    const prompt = createInterface({
      input: keys,
      output: this.#output,
      history: [...history],
      historySize: HISTORY_LINES_MAX,
      completer: (line: string, answer: (error: null, found: [string[], string]) => void) => {
        void complete(line).then(({ by, replaced }) => answer(null, [[...by], replaced]));
      },
    });
    try {
      return await this.#answerOf(prompt, { question, keys });
    } finally {
      prompt.close();
    }
  }

  /** The next line without echo. Throws `InputEnded`. */
  async secret(question: string): Promise<string> {
    // Before the question: whoever answers at once must not see it either.
    this.#input.setRawMode(true);
    this.#output.write(question);
    const secret: string[] = [];
    try {
      await this.#feed((typed) => {
        for (const character of typed) {
          if (character === CTRL_C || character === CTRL_D) throw new InputEnded(character === CTRL_C);
          if (character === BACKSPACE || character === DELETE) secret.pop();
          else if (!isLineEnd(character)) secret.push(character);
        }
      });
      return secret.join('');
    } finally {
      this.#input.setRawMode(false);
      this.#output.write('\n');
    }
  }

  async #answerOf(prompt: Interface, { question, keys }: { question: string; keys: LineKeys }): Promise<string> {
    const given = Promise.withResolvers<string>();
    prompt.on('SIGINT', () => given.reject(new InputEnded(true)));
    prompt.on('close', () => given.reject(new InputEnded(false)));
    prompt.question(question, given.resolve);
    await Promise.race([given.promise, this.#feed((typed) => void keys.push(typed), given.promise)]);
    return given.promise;
  }

  /** Gives what is typed to `take`, up to the end of a line or until `isOver` settles. What follows the line stays for the next one. */
  async #feed(take: (typed: string) => void, isOver?: Promise<unknown>): Promise<void> {
    const lineEnded = Promise.withResolvers<void>();
    const listen = (typed: string): void => {
      const [line, rest] = firstLine(this.#ahead + typed);
      this.#ahead = rest;
      try {
        if (line !== '') take(line);
        if (isLineEnd(line.at(-1))) lineEnded.resolve();
      } catch (error) {
        lineEnded.reject(error as Error);
      }
    };
    const end = (): void => {
      this.#hasEnded = true;
      lineEnded.reject(new InputEnded(false));
    };
    if (this.#hasEnded) end();
    this.#input.setEncoding('utf8');
    listen('');
    this.#input.on('data', listen).on('end', end).resume();
    try {
      await Promise.race([lineEnded.promise, ...(isOver === undefined ? [] : [isOver])]);
    } finally {
      this.#input.off('data', listen).off('end', end).pause();
    }
  }

  #forget(): void {
    this.#ahead = '';
  }
}

/** The keys of one line, for readline, which would read on behind it. */
class LineKeys extends Readable {
  readonly isTTY = true;
  readonly #terminal: ReadStream;

  constructor(terminal: ReadStream) {
    super({ encoding: 'utf8', read: () => undefined });
    this.#terminal = terminal;
  }

  /** Readline asks for the terminal's mode where it reads keys. */
  setRawMode(isRaw: boolean): void {
    this.#terminal.setRawMode(isRaw);
  }
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\r' || character === '\n';
}

/** The text up to the first end of a line, or Ctrl-C, with that, and what follows; the two characters of one end stay together. */
function firstLine(text: string): [string, string] {
  const end = ENDS.exec(text);
  if (end === null) return [text, ''];
  return [`${text.slice(0, end.index)}${end[0] === CTRL_C ? CTRL_C : '\n'}`, text.slice(end.index + end[0].length)];
}
