// Owns `cohort complete`, which the scripts of `cohort completion` ask for what can stand at the cursor: one candidate a line. It
// is quiet whatever happens: nobody who presses a key wants to read a complaint.
import { type Candidate, complete } from './completion.ts';
import { PATHS_LINE } from './completion-scripts.ts';
import type { Grammar } from './grammar.ts';
import { peerNames } from './peer-names.ts';
import type { Terminal } from './terminal.ts';
import { type TypedSoFar, typedSoFar, wordAfter } from './words.ts';

export interface CompleteFlags {
  /** Characters at which bash ends a word; then the one word is the line up to the cursor, as it was typed. */
  readonly bash?: string;
}

/** complete: prints candidates for the last of the words. */
export async function completeCommand(
  { terminal, grammar }: { readonly terminal: Terminal; readonly grammar: Grammar },
  words: readonly string[],
  { bash }: CompleteFlags,
): Promise<void> {
  const place = {
    grammar,
    namesFor: (flags: ReadonlyMap<string, string>) => peerNames(flags, terminal.environment),
    workingDirectory: bash === undefined ? null : terminal.workingDirectory,
  };
  if (bash === undefined) {
    const { candidates, paths } = await complete(place, words.slice(0, -1), words.at(-1) ?? '');
    terminal.out(candidates.map(describedLine).join(''));
    if (paths) terminal.out(`${PATHS_LINE}\n`);
    return;
  }
  const typed = typedSoFar(words[0] ?? '');
  const { candidates } = await complete(place, typed.words.slice(1), typed.text);
  const written = candidates.filter((candidate) => canStandInBash(candidate, typed));
  terminal.out(written.map((candidate) => `${inBash(candidate, typed, bash)}\n`).join(''));
}

/** zsh and fish quote by themselves, and show what a candidate is. */
function describedLine({ word, about }: Candidate): string {
  return about === '' ? `${word}\n` : `${word}\t${about}\n`;
}

/** Between double quotes nothing keeps bash from taking a `!` for a line of its history. */
function canStandInBash({ word }: Candidate, { quote }: TypedSoFar): boolean {
  return quote !== '"' || !word.includes('!');
}

/**
 * What bash puts in the place of the word that it sees: that begins behind the open quote, which bash closes by itself, or behind
 * the last character that ends words there. Bash takes it as it is: names are anybody's, and whatever it would run or replace
 * in one has to be quoted here.
 */
function inBash({ word }: Candidate, { raw, quote }: TypedSoFar, wordBreaks: string): string {
  // Bash takes the quote for closed when the word ends with one.
  if (quote !== '') return wordAfter(quote, word, !word.endsWith(quote)).slice(1);
  const typed = wordAfter('', word, true);
  const ends = [...raw.matchAll(/\\.|(.)/gsu)].filter(([, bare]) => bare !== undefined && wordBreaks.includes(bare));
  const seenFrom = ends.length === 0 ? 0 : ends.at(-1)!.index + 1;
  return typed.startsWith(raw.slice(0, seenFrom)) ? typed.slice(seenFrom) : typed;
}
