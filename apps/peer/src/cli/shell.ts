// Owns the interactive prompt: one line, one command, the same commands as outside. A command that is refused ends nothing;
// Ctrl-C ends the command that runs, Ctrl-D or `exit` the prompt.
import { InputEnded, type Terminal } from './terminal.ts';
import { splitWords } from './words.ts';

/** A prompt: the names that it completes, and what it does with the words of a line. `run` never throws. */
export interface Shell {
  readonly terminal: Terminal;
  readonly names: readonly string[];
  readonly run: (words: readonly string[]) => Promise<void>;
}

const PROMPT = 'cohort> ';
const LEAVE = ['exit', 'quit'];

/** Reads and runs lines until there are no more. */
export async function runShell({ terminal, names, run }: Shell): Promise<void> {
  const known = [...names, ...LEAVE, 'help'].sort();
  if (terminal.isTyped) terminal.note('Type a command, help for a list of them, exit to leave.\n');
  for (;;) {
    const line = await nextLine(terminal, known);
    if (line === null) return;
    const split = splitWords(line);
    if (!split.ok) {
      terminal.note(`${split.message}\n`);
      continue;
    }
    const [first] = split.words;
    if (first === undefined) continue;
    if (LEAVE.includes(first)) return;
    // A hint that was copied begins with the program's name.
    await run(first === 'cohort' ? split.words.slice(1) : split.words);
  }
}

/** The next line, an empty one after Ctrl-C, or null at the end. */
async function nextLine(terminal: Terminal, known: readonly string[]): Promise<string | null> {
  try {
    return await terminal.readLine(PROMPT, (line) => known.filter((name) => name.startsWith(line)));
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error;
    if (terminal.isTyped) terminal.note('\n');
    return error.isInterrupt ? '' : null;
  }
}
