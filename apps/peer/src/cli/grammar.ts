// Owns the command line's grammar as data: what commander was told of commands, arguments and flags, for those who complete a
// line or ask what a word of it is. Nothing is said twice: the names of arguments say what they stand for.
import type { Command, Option } from 'commander';

/** What a word stands for. `text` is whatever a person thinks of. */
export type WordKind =
  'command' | 'destination' | 'file' | 'group' | 'key' | 'path' | 'peer' | 'secret' | 'transfer' | 'text' | 'user';

/** A word that a command or a flag takes. */
export interface GrammarWord {
  readonly kind: WordKind;
  /** The only words that may stand here; empty when others may. */
  readonly choices: readonly string[];
}

export interface GrammarFlag {
  /** `--json`. */
  readonly name: string;
  readonly about: string;
  /** Null for a switch. */
  readonly value: GrammarWord | null;
}

export interface GrammarCommand {
  readonly name: string;
  readonly about: string;
  readonly words: readonly GrammarWord[];
  readonly flags: readonly GrammarFlag[];
}

export interface Grammar {
  readonly commands: readonly GrammarCommand[];
  /** Flags that every command takes. */
  readonly flags: readonly GrammarFlag[];
}

/** The words of a line, told apart. */
export interface ParsedWords {
  /** Undefined before the command, or when the first word is none. */
  readonly command: GrammarCommand | undefined;
  /** Whether a first word is there, known or not. */
  readonly hasCommand: boolean;
  readonly words: readonly string[];
  /** Values of flags by name, the last one of each. */
  readonly values: ReadonlyMap<string, string>;
  /** The flag that the next word is the value of. */
  readonly open: GrammarFlag | undefined;
  /** Whether `--` has ended the flags. */
  readonly isFlagsEnd: boolean;
}

const KIND_BY_ARGUMENT: Readonly<Record<string, WordKind>> = {
  command: 'command',
  destination: 'destination',
  file: 'file',
  group: 'group',
  keyId: 'key',
  newPassword: 'secret',
  password: 'secret',
  path: 'path',
  peerId: 'peer',
  'tracker_info.txt': 'path',
  transferId: 'transfer',
  user: 'user',
};

/** Values of flags: no flag takes a file of a group. */
const KIND_BY_VALUE: Readonly<Record<string, WordKind>> = { file: 'path', folder: 'path', group: 'group' };

/** What commander knows of a program, without the commands that are no person's. */
export function grammarOf(program: Command): Grammar {
  const commands = program.createHelp().visibleCommands(program);
  return {
    flags: program.options.map(flagOf),
    commands: commands.map((command) => ({
      name: command.name(),
      about: command.description(),
      words: command.registeredArguments.map((argument) => ({
        kind: KIND_BY_ARGUMENT[argument.name()] ?? 'text',
        choices: argument.argChoices ?? [],
      })),
      flags: command.options.map(flagOf),
    })),
  };
}

/** Tells the words of a line apart; a flag that nobody knows is a switch. */
export function parseWords(grammar: Grammar, line: readonly string[]): ParsedWords {
  const words: string[] = [];
  const values = new Map<string, string>();
  let command: GrammarCommand | undefined;
  let hasCommand = false;
  let open: GrammarFlag | undefined;
  let isFlagsEnd = false;
  for (const word of line) {
    if (open !== undefined) {
      values.set(open.name, word);
      open = undefined;
    } else if (!isFlagsEnd && word === '--') isFlagsEnd = true;
    else if (!isFlagsEnd && word.startsWith('--')) {
      const [name, value] = word.split(/=(.*)/s);
      const flag = flagsAt(grammar, command).find((known) => known.name === name);
      if (value !== undefined) values.set(name!, value);
      else if (flag !== undefined && flag.value !== null) open = flag;
    } else if (hasCommand) words.push(word);
    else {
      hasCommand = true;
      command = grammar.commands.find(({ name }) => name === word);
    }
  }
  return { command, hasCommand, words, values, open, isFlagsEnd };
}

/** The flags that may stand behind a command. */
export function flagsAt({ flags }: Grammar, command: GrammarCommand | undefined): readonly GrammarFlag[] {
  return [...(command?.flags ?? []), ...flags];
}

/** Whether one of the words is a password. */
export function holdsSecret(grammar: Grammar, line: readonly string[]): boolean {
  const { command, words } = parseWords(grammar, line);
  const first = command?.words.findIndex(({ kind }) => kind === 'secret') ?? -1;
  return first >= 0 && words.length > first;
}

function flagOf(option: Option): GrammarFlag {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const kind = KIND_BY_VALUE[value ?? ''] ?? 'text';
  return {
    name: option.long ?? option.flags,
    about: option.description,
    value: value === undefined ? null : { kind, choices: option.argChoices ?? [] },
  };
}
