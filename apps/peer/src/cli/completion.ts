// Owns what can stand at the end of a line that is being typed: commands, flags and choices from the grammar, and names that
// the running peer, or the disk, is asked for. What nobody answers completes nothing, and complains of nothing.
import { flagsAt, type Grammar, type GrammarWord, type ParsedWords, parseWords, type WordKind } from './grammar.ts';
import { pathCandidates } from './path-completion.ts';

/** A word that may stand there. */
export interface Candidate {
  readonly word: string;
  /** What it is, for who has several to choose from; may be empty. */
  readonly about: string;
  /** Whether the word goes on behind it, as that of a folder does. */
  readonly isPart?: boolean;
}

/** Who knows the names. Each answers with nothing when it does not, and in a bounded time. */
export interface NameSource {
  groups(beginning: string, isWanted: (standing: string) => boolean): Promise<readonly Candidate[]>;
  files(group: string, beginning: string): Promise<readonly Candidate[]>;
  transfers(isWanted: (state: string) => boolean): Promise<readonly Candidate[]>;
  members(group: string): Promise<readonly Candidate[]>;
  requests(group: string): Promise<readonly Candidate[]>;
  sessions(): Promise<readonly Candidate[]>;
  keys(): Promise<readonly Candidate[]>;
}

/** Where a line is being completed. */
export interface CompletionPlace {
  readonly grammar: Grammar;
  /** Asked of the peer that the flags of the line name. */
  readonly namesFor: (flags: ReadonlyMap<string, string>) => NameSource;
  /** Null where the shell completes local paths itself. */
  readonly workingDirectory: string | null;
}

/** What may stand at the end of a line; `paths` when paths may that the place does not list. */
export interface Completions {
  readonly candidates: readonly Candidate[];
  readonly paths: boolean;
}

/** What is asked about one word. */
interface Question {
  readonly parsed: ParsedWords;
  readonly text: string;
  readonly names: NameSource;
  readonly workingDirectory: string | null;
}

const NOTHING: Completions = { candidates: [], paths: false };
const AT_REST = new Set(['paused', 'failed', 'cancelled']);
const ENDED = new Set(['complete', 'seeding', 'failed', 'cancelled']);

/**
 * Completes the word `text` behind the words of a line, which do not begin with `cohort`. What no line can hold is left out: a name
 * with a line break, or with what a terminal obeys.
 */
export async function complete(place: CompletionPlace, words: readonly string[], text: string): Promise<Completions> {
  const { candidates, paths } = await completionsAt(place, words, text);
  return { candidates: candidates.filter(({ word }) => !/\p{Cc}/u.test(word)), paths };
}

async function completionsAt(
  { grammar, namesFor, workingDirectory }: CompletionPlace,
  words: readonly string[],
  text: string,
): Promise<Completions> {
  const parsed = parseWords(grammar, words);
  const { open, isFlagsEnd } = parsed;
  const question = { parsed, text, names: namesFor(parsed.values), workingDirectory };
  const value = open?.value ?? null;
  if (value !== null) return wordCompletions(value, question);
  if (isFlagsEnd) return commandWordCompletions(grammar, question);
  if (text.startsWith('-')) return flagCompletions(grammar, question);
  // A name that begins with a dash would be taken for a flag.
  const { candidates, paths } = await commandWordCompletions(grammar, question);
  return { candidates: candidates.filter(({ word }) => !word.startsWith('-')), paths };
}

async function commandWordCompletions(grammar: Grammar, question: Question): Promise<Completions> {
  const { parsed, text } = question;
  const { hasCommand, command } = parsed;
  if (!hasCommand) return matching(commandCandidates(grammar), text);
  if (command === undefined) return NOTHING;
  const index = parsed.words.length;
  const word = command.words[index];
  if (word === undefined) return NOTHING;
  if (word.kind === 'command') return matching(commandCandidates(grammar), text);
  // Group and path may change places; the path is the one that is there.
  if (command.name === 'upload_file') return uploadCompletions(question);
  const found = await wordCompletions(word, question);
  if (command.name !== 'recheck' || index !== 0) return found;
  return both(found, await wordCompletions({ kind: 'transfer', choices: [] }, question));
}

async function flagCompletions(grammar: Grammar, question: Question): Promise<Completions> {
  const { parsed, text } = question;
  const flags = flagsAt(grammar, parsed.command);
  const [name, value] = text.split(/=(.*)/s);
  if (value === undefined) {
    const about = flags.map((flag) => ({ word: flag.name, about: flag.about }));
    return matching([...about, { word: '--help', about: 'what it takes' }], text);
  }
  const taken = flags.find((known) => known.name === name)?.value ?? null;
  if (taken === null) return NOTHING;
  const { candidates } = await wordCompletions(taken, { ...question, text: value });
  const whole = candidates.map(({ word, about, isPart = false }) => ({ word: `${name}=${word}`, about, isPart }));
  return { candidates: whole, paths: false };
}

async function uploadCompletions(question: Question): Promise<Completions> {
  const [first] = question.parsed.words;
  const group = { kind: 'group', choices: [] } as const;
  const path = { kind: 'path', choices: [] } as const;
  if (first === undefined) return both(await wordCompletions(group, question), await wordCompletions(path, question));
  return wordCompletions(/[/\\]/.test(first) ? group : path, question);
}

async function wordCompletions({ kind, choices }: GrammarWord, question: Question): Promise<Completions> {
  if (choices.length > 0) return matching(choices.map(plain), question.text);
  if (kind === 'path' || kind === 'destination') {
    const { workingDirectory, text } = question;
    if (workingDirectory === null) return { candidates: [], paths: true };
    return { candidates: await pathCandidates(text, workingDirectory), paths: false };
  }
  return matching(await namesOf(kind, question), question.text);
}

async function namesOf(kind: WordKind, { parsed, text, names }: Question): Promise<readonly Candidate[]> {
  const { command, words } = parsed;
  const [group] = words;
  switch (kind) {
    case 'group':
      return names.groups(text, standingFor(command?.name));
    case 'file':
      return group === undefined ? [] : names.files(group, text);
    case 'transfer':
      return names.transfers(stateFor(command?.name));
    case 'user':
      if (group === undefined) return [];
      return command?.name.endsWith('_request') === true ? names.requests(group) : names.members(group);
    case 'peer':
      return names.sessions();
    case 'key':
      return names.keys();
    case 'command':
    case 'destination':
    case 'path':
    case 'secret':
    case 'text':
      return [];
  }
}

/** Which standing in a group makes it one that a command can be meant for. */
function standingFor(command: string | undefined): (standing: string) => boolean {
  if (command === 'join_group') return (standing) => standing === 'none';
  const isForOwners = /_request$|^(?:remove_member|transfer_ownership|set_copies|list_requests)$/.test(command ?? '');
  if (isForOwners) return (standing) => standing === 'owner';
  return (standing) => standing === 'owner' || standing === 'member';
}

function stateFor(command: string | undefined): (state: string) => boolean {
  if (command === 'resume') return (state) => AT_REST.has(state);
  if (command === 'pause') return (state) => !AT_REST.has(state);
  if (command === 'cancel') return (state) => !ENDED.has(state);
  return () => true;
}

function commandCandidates({ commands }: Grammar): readonly Candidate[] {
  return commands.map(({ name, about }) => ({ word: name, about }));
}

function matching(candidates: readonly Candidate[], text: string): Completions {
  const found = candidates.filter(({ word }) => word.startsWith(text));
  return { candidates: found.toSorted((left, right) => (left.word < right.word ? -1 : 1)), paths: false };
}

function plain(word: string): Candidate {
  return { word, about: '' };
}

function both(left: Completions, right: Completions): Completions {
  return { candidates: [...left.candidates, ...right.candidates], paths: left.paths || right.paths };
}
