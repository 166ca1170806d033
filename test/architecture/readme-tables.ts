// Owns the table of commands in the README, read, and the same facts taken from the domain's code: who may issue a command,
// and every reason for which its decider can refuse it (its own words, and those of the functions that it calls).
import { COMMANDS, COMMAND_NAMES, type CommandName, type Sender } from '#domain/command';
import { REJECTION_REASONS, type RejectionReason } from '#domain/rejection';

/** One row. Refusals are sorted. */
export interface CommandFacts {
  readonly command: string;
  readonly sender: string;
  readonly refusals: readonly string[];
}

const SENDER_WORDS: Readonly<Record<Sender, string>> = {
  peer: 'anybody with a peer',
  session: 'a logged-in user',
  tracker: 'a tracker or its operator',
};

/** The rows of the table whose heading begins with `| command |`. */
export function tableOf(markdown: string): CommandFacts[] {
  const table = /^\| command .*\n\|[-| :]+\|\n((?:\|.*\n)+)/m.exec(markdown)?.[1] ?? '';
  return table.split('\n').flatMap((line) => {
    const [, command, sender, , refusals] = line.split('|').map((cell) => cell.trim());
    if (command === undefined || command === '') return [];
    return [{ command: unquoted(command)[0] ?? '', sender: sender ?? '', refusals: unquoted(refusals ?? '').sort() }];
  });
}

/** A test that a row of a table names: a file under `test`, and words of a title in it. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** For each row of the table whose last heading is `shown by`: what it is about, and the tests that show the rest of it. */
export function shownRowsOf(markdown: string): { readonly about: string; readonly tests: readonly NamedTest[] }[] {
  const table = /^\|.*\| shown by +\|\n\|[-| :]+\|\n((?:\|.*\n)+)/m.exec(markdown)?.[1] ?? '';
  return table.split('\n').flatMap((line) => {
    const [, about, , shown] = line.split('|').map((cell) => cell.trim());
    if (about === undefined || shown === undefined) return [];
    const tests = [...shown.matchAll(/`([^`]+)`: ([^;]+)/g)].map(([, file, title]) => ({
      file: file!,
      title: title!.trim(),
    }));
    return [{ about, tests }];
  });
}

/** What the code says. `decideSource` and `viewsSource` are the texts of the domain's files of those names. */
export function factsOf(decideSource: string, viewsSource: string): CommandFacts[] {
  const source = `${decideSource}\n${viewsSource}`;
  return COMMAND_NAMES.map((name) => ({
    command: name,
    sender: SENDER_WORDS[COMMANDS[name].sender],
    refusals: [...reasonsIn(deciderOf(name, decideSource), source, new Set())].sort(),
  }));
}

function unquoted(cell: string): string[] {
  return [...cell.matchAll(/`([a-z_]+)`/g)].map(([, word]) => word!);
}

/** The text of a command's entry in the tables of deciders. */
function deciderOf(name: CommandName, source: string): string {
  const entry = new RegExp(`^  ${name}: \\((?:[^\\n]*,\\n|[^\\n]*\\{\\n(?:    .*\\n|\\n)*  \\},\\n)`, 'm').exec(source);
  if (entry === null) throw new Error(`decide.ts has no decider of ${name}`);
  return entry[0];
}

/** The reasons in a text and in all functions that it calls. */
function reasonsIn(text: string, source: string, seen: Set<string>): Set<RejectionReason> {
  const reasons = new Set<RejectionReason>();
  for (const [, word] of text.matchAll(/'([a-z_]+)'/g)) {
    const reason = REJECTION_REASONS.find((candidate) => candidate === word);
    if (reason !== undefined) reasons.add(reason);
  }
  for (const [, callee] of text.matchAll(/\b([a-zA-Z]+)\(/g)) {
    if (seen.has(callee!)) continue;
    seen.add(callee!);
    const body = new RegExp(`^(?:export )?function ${callee}\\([\\s\\S]*?\\n\\}`, 'm').exec(source)?.[0];
    if (body === undefined) continue;
    for (const reason of reasonsIn(body, source, seen)) reasons.add(reason);
  }
  return reasons;
}
