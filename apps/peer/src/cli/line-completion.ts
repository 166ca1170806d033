// Owns what the Tab key does at the prompt: candidates as they are typed there, in the quotes that were begun.
import { type CompletionPlace, complete } from './completion.ts';
import type { LineCompletion } from './line-question.ts';
import { typedSoFar, wordAfter } from './words.ts';

/** Completes the end of a line; never rejects. */
export async function completeLine(place: CompletionPlace, line: string): Promise<LineCompletion> {
  const { words, text, raw, quote } = typedSoFar(line);
  // A hint that was copied begins with the program's name.
  const typed = words[0] === 'cohort' ? words.slice(1) : words;
  const { candidates } = await complete(place, typed, text);
  const by = candidates.map(({ word, about, isPart = false }) => ({
    about,
    typed: wordAfter(quote, word, isPart),
    isPart,
  }));
  const [only, ...others] = by;
  if (only !== undefined && others.length === 0)
    return { replaced: raw, by: [`${only.typed}${only.isPart ? '' : ' '}`] };
  // What several are is shown, and never typed: they differ before it. Commands are many, and told by help.
  const isTold = words.length > 0;
  return {
    replaced: raw,
    by: by.map((each) => (isTold && each.about !== '' ? `${each.typed}  (${each.about})` : each.typed)),
  };
}
