// Owns the seam between commands and the terminal they run in: everything a command reads or writes besides the peer goes
// through this, so that a command is the same in a pipe, at a prompt and in a test.
import { createInterface } from 'node:readline';
import { InputEnded, type LineQuestion } from './line-question.ts';
import { TypedInput } from './typed-input.ts';

/** Where a command runs. Results go to `out`, everything else (errors, prompts, progress) to `note`. */
export interface Terminal {
  out(text: string): void;
  note(text: string): void;
  /** Whether `note` reaches a terminal, where a line can be drawn over. */
  readonly canRedraw: boolean;
  readonly columns: number;
  /** Whether a person types what is read. */
  readonly isTyped: boolean;
  /** The next line that the person types, or of a standard input that is no terminal (then nothing is asked). */
  readLine(asked: LineQuestion): Promise<string>;
  /** The same without echo, for a secret. */
  readSecret(question: string): Promise<string>;
  /** Whether a word is an argument of this process, which everybody on the machine can read. */
  standsInProcessList(word: string): boolean;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The terminal that this process was started in. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const lines = pipedLines();
  const isTyped = stdin.isTTY === true;
  const typed = isTyped ? new TypedInput(stdin, stderr) : null;
  return {
    out: (text) => void stdout.write(text),
    note: (text) => void stderr.write(text),
    canRedraw: stderr.isTTY === true,
    get columns() {
      // A terminal that does not know its width says 0.
      return stderr.columns || 80;
    },
    isTyped,
    readLine: (asked) => typed?.line(asked) ?? lines(),
    readSecret: (question) => typed?.secret(question) ?? lines(),
    standsInProcessList: (word) => process.argv.includes(word),
    workingDirectory: process.cwd(),
    environment: process.env,
  };
}

/** Lines of a standard input that is no terminal, one a call; it is not touched before the first. */
function pipedLines(): () => Promise<string> {
  let iterator: AsyncIterator<string> | undefined;
  return async () => {
    iterator ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const line = await iterator.next();
    if (line.done === true) throw new InputEnded(false);
    return line.value;
  };
}
