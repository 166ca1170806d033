// Owns the seam between commands and the terminal they run in: everything a command reads or writes besides the peer goes
// through this, so that a command is the same in a pipe, at a prompt and in a test.
import { createInterface } from 'node:readline';

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
  readLine(question: string, complete: (line: string) => readonly string[]): Promise<string>;
  /** The same without echo, for a secret. */
  readSecret(question: string): Promise<string>;
  /** Whether a word is an argument of this process, which everybody on the machine can read. */
  standsInProcessList(word: string): boolean;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** There is no next line: standard input has ended, or the person gave up with Ctrl-C or Ctrl-D. */
export class InputEnded extends Error {
  readonly isInterrupt: boolean;
  constructor(isInterrupt: boolean) {
    super(isInterrupt ? 'Interrupted.' : 'Standard input ended where an answer was needed.');
    this.isInterrupt = isInterrupt;
  }
}

/** The terminal that this process was started in. */
export function processTerminal(): Terminal {
  const lines = pipedLines();
  const history: string[] = [];
  const isTyped = process.stdin.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(text),
    canRedraw: process.stderr.isTTY === true,
    get columns() {
      // A terminal that does not know its width says 0.
      return process.stderr.columns || 80;
    },
    isTyped,
    readLine: (question, complete) => (isTyped ? askLine({ question, complete, history }) : lines()),
    readSecret: (question) => (isTyped ? askWithoutEcho(question) : lines()),
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

/** Opened for one line and closed again, so that a command that runs between two lines has the terminal to itself. */
async function askLine(ask: {
  question: string;
  complete: (line: string) => readonly string[];
  history: string[];
}): Promise<string> {
  const prompt = createInterface({
    input: process.stdin,
    output: process.stderr,
    history: ask.history,
    completer: (line: string) => [[...ask.complete(line)], line] as [string[], string],
  });
  const given = Promise.withResolvers<string>();
  prompt.on('history', (lines: string[]) => ask.history.splice(0, ask.history.length, ...lines));
  prompt.on('SIGINT', () => given.reject(new InputEnded(true)));
  prompt.on('close', () => given.reject(new InputEnded(false)));
  prompt.question(ask.question, given.resolve);
  try {
    return await given.promise;
  } finally {
    prompt.close();
  }
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\b', '\u007f'];

async function askWithoutEcho(question: string): Promise<string> {
  const { stdin, stderr } = process;
  const given = Promise.withResolvers<string>();
  const secret: string[] = [];
  const listen = (typed: string): void => {
    for (const character of typed) {
      if (character === '\r' || character === '\n') given.resolve(secret.join(''));
      else if (character === CTRL_C || character === CTRL_D) given.reject(new InputEnded(character === CTRL_C));
      else if (character === BACKSPACE || character === DELETE) secret.pop();
      else secret.push(character);
    }
  };
  // Before the question: whoever answers at once must not see it either.
  stdin.setRawMode(true);
  stderr.write(question);
  stdin.setEncoding('utf8');
  stdin.on('data', listen).resume();
  try {
    return await given.promise;
  } finally {
    stdin.off('data', listen).pause();
    stdin.setRawMode(false);
    stderr.write('\n');
  }
}
