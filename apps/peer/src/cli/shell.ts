// Owns the interactive prompt: one line, one command, the same commands as outside. A command that is refused ends nothing;
// Ctrl-C ends the command that runs, or the line that is typed; Ctrl-D, `quit` or `exit` the prompt.
import type { StatusView } from '#wire/control-status';
import type { CompletionPlace } from './completion.ts';
import { ControlClient, findPeer, peerPlace } from './control-client.ts';
import { type Grammar, holdsSecret, parseWords } from './grammar.ts';
import type { GlobalFlags } from './invocation.ts';
import { completeLine } from './line-completion.ts';
import { InputEnded } from './line-question.ts';
import { peerNames } from './peer-names.ts';
import { historyPath, type Remembrance, ShellHistory } from './shell-history.ts';
import type { Terminal } from './terminal.ts';
import { splitWords, typedSoFar } from './words.ts';

/** A prompt: what it completes, the flags that each line inherits, and what it does with the words of one. `run` never throws. */
export interface Shell {
  readonly terminal: Terminal;
  readonly grammar: Grammar;
  readonly flags: GlobalFlags;
  readonly run: (words: readonly string[]) => Promise<void>;
}

const LEAVE: readonly string[] = ['exit', 'quit'];
const GREETING = 'Type a command: help lists them, Tab completes them, quit leaves.\n';
/** Nobody waits longer to learn who is logged in. */
const STATUS_TIMEOUT_MS = 500;

/** Reads and runs lines until there are no more. */
export async function runShell(shell: Shell): Promise<void> {
  const { terminal, run } = shell;
  const next = await lineReader(shell);
  if (terminal.isTyped) terminal.note(GREETING);
  for (;;) {
    const line = await next();
    if (line === null) return;
    const split = splitWords(line, terminal.environment['HOME']);
    if (!split.ok) {
      terminal.note(`${split.message}\n`);
      continue;
    }
    // A hint that was copied begins with the program's name.
    const words = withoutProgram(split.words);
    const [first] = words;
    if (first === undefined) continue;
    if (LEAVE.includes(first)) return;
    if (first === 'shell') terminal.note('This is the prompt already: type a command.\n');
    else await run(words);
  }
}

/** What gives the next line, an empty one after Ctrl-C, or null at the end. */
async function lineReader(shell: Shell): Promise<() => Promise<string | null>> {
  const { terminal, flags } = shell;
  const place = completionPlace(shell);
  const { dataDirectory } = peerPlace(flags, terminal.environment);
  const history = terminal.isTyped
    ? await ShellHistory.open(await historyPath(dataDirectory, terminal.environment))
    : null;
  return async () => {
    try {
      const line = await terminal.readLine({
        question: terminal.isTyped ? `${await promptOf(shell)}> ` : '',
        complete: (typed) => completeLine(place, typed),
        history: history?.lines ?? [],
      });
      if (line.trim() !== '') await history?.add(line, remembranceOf(line, place.grammar));
      return line;
    } catch (error) {
      if (!(error instanceof InputEnded)) throw error;
      if (terminal.isTyped) terminal.note('\n');
      return error.isInterrupt ? '' : null;
    }
  };
}

/** Who is logged in, as it stands when the line is typed. */
async function promptOf({ terminal, flags }: Shell): Promise<string> {
  try {
    const address = await findPeer(peerPlace(flags, terminal.environment));
    const client = new ControlClient(address, AbortSignal.timeout(STATUS_TIMEOUT_MS));
    const { user } = await client.view<StatusView>('/status');
    return user === null ? 'cohort' : `cohort ${user}`;
  } catch {
    return 'cohort (no peer)';
  }
}

function completionPlace({ terminal, grammar, flags }: Shell): CompletionPlace {
  const { dataDir, controlTokenFile } = flags;
  const inherited = new Map<string, string>();
  if (dataDir !== undefined) inherited.set('--data-dir', dataDir);
  if (controlTokenFile !== undefined) inherited.set('--control-token-file', controlTokenFile);
  const leave = LEAVE.map((name) => ({ name, about: 'leave the prompt', words: [], flags: [] }));
  const commands = grammar.commands.filter(({ name }) => name !== 'shell');
  return {
    grammar: { ...grammar, commands: [...commands, ...leave] },
    namesFor: (typed) => peerNames(new Map([...inherited, ...typed]), terminal.environment),
    workingDirectory: terminal.workingDirectory,
  };
}

/** A line that is no whole one may hold a password all the same, and so may one whose command is misspelt. */
function remembranceOf(line: string, grammar: Grammar): Remembrance {
  const { words, text, raw } = typedSoFar(line);
  const typed = withoutProgram(raw === '' ? words : [...words, text]);
  if (holdsSecret(grammar, typed)) return 'forgotten';
  return parseWords(grammar, typed).command !== undefined && !/^\s/.test(line) ? 'kept' : 'known';
}

function withoutProgram(words: readonly string[]): readonly string[] {
  return words[0] === 'cohort' ? words.slice(1) : words;
}
