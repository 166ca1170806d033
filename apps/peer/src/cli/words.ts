// Owns how a line typed at the interactive prompt splits into words, and how a word is quoted so that it stays one: blanks
// separate, quotes and backslashes keep together, as in a POSIX shell without expansion of any kind.

export type SplitLine =
  { readonly ok: true; readonly words: readonly string[] } | { readonly ok: false; readonly message: string };

/** Splits a line; an open quote or a trailing backslash is refused with a sentence that says so. */
export function splitWords(line: string): SplitLine {
  const words: string[] = [];
  const token = /\s+|"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^\s"'\\]+)/suy;
  let word: string | null = null;
  while (token.lastIndex < line.length) {
    const start = token.lastIndex;
    const match = token.exec(line);
    if (match === null) return { ok: false, message: unfinished(line[start]!) };
    const [, double, single, escaped, bare] = match;
    const part = double?.replace(/\\(["\\])/g, '$1') ?? single ?? escaped ?? bare;
    if (part !== undefined) {
      word = (word ?? '') + part;
    } else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  if (word !== null) words.push(word);
  return { ok: true, words };
}

/** The word as it is typed at a POSIX shell or at the prompt. */
export function quotedWord(word: string): string {
  return /^[\p{L}\p{N}_@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function unfinished(character: string): string {
  return character === '\\' ? 'The line ends with a backslash.' : `The quote ${character} is not closed.`;
}
