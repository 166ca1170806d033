// Owns how a line typed at the interactive prompt splits into words, and how a word is typed so that it stays one: blanks
// separate, quotes and backslashes keep together, `#` begins a comment and `~/` is the home folder, as in a POSIX shell without
// any other expansion.

export type SplitLine =
  { readonly ok: true; readonly words: readonly string[] } | { readonly ok: false; readonly message: string };

/** A line up to the cursor: the words before the one that is being typed, and that one. */
export interface TypedSoFar {
  readonly words: readonly string[];
  /** The word at the cursor, without its quotes and backslashes. */
  readonly text: string;
  /** The same as it stands in the line. */
  readonly raw: string;
  /** The quote that is open at the cursor. */
  readonly quote: '' | '"' | "'";
}

/** Splits a line; an open quote or a trailing backslash is refused with a sentence that says so. Without `home` a `~` stays one. */
export function splitWords(line: string, home = '~'): SplitLine {
  const { words, last, unread } = scan(line, home);
  if (unread !== '') return { ok: false, message: unfinished(unread[0]!) };
  return { ok: true, words: last === null ? words : [...words, last.text] };
}

/** Splits a line that is still being typed: whatever is open is taken for the beginning of a word. */
export function typedSoFar(line: string): TypedSoFar {
  const { words, last, unread } = scan(line, '~');
  const raw = (last?.raw ?? '') + unread;
  const before = last?.text ?? '';
  const [opening] = unread;
  if (opening === '"') return { words, text: before + unescaped(unread.slice(1)), raw, quote: opening };
  if (opening === "'") return { words, text: before + unread.slice(1), raw, quote: opening };
  return { words, text: before, raw, quote: '' };
}

/** The word as it is typed at a POSIX shell or at the prompt. */
export function quotedWord(word: string): string {
  return /^[\p{L}\p{N}_@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The word as somebody types it who has begun with this quote, or with none; `isPart` leaves the quote open. */
export function wordAfter(quote: TypedSoFar['quote'], word: string, isPart: boolean): string {
  const end = isPart ? '' : quote;
  if (quote === "'") return `'${word.replaceAll("'", `'\\''`)}${end}`;
  if (quote === '"') return `"${word.replaceAll(/["\\$`]/g, '\\$&')}${end}`;
  const bare = word.replaceAll(/[^\p{L}\p{N}\p{M}_@%+=:,./-]/gu, '\\$&');
  return word === '' ? "''" : bare.replace(/^\\~\//, '~/');
}

interface ScannedLine {
  readonly words: readonly string[];
  /** The word at the end, unless a blank or a comment follows it. */
  readonly last: { readonly text: string; readonly raw: string } | null;
  /** What no rule reads: an open quote and what follows it, or a backslash at the end. */
  readonly unread: string;
}

function scan(line: string, home: string): ScannedLine {
  const words: string[] = [];
  const token = /\s+|"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^\s"'\\]+)/suy;
  let last = null as ScannedLine['last'];
  while (token.lastIndex < line.length) {
    const start = token.lastIndex;
    if (last === null && line[start] === '#') break;
    const match = token.exec(line);
    if (match === null) return { words, last, unread: line.slice(start) };
    const [raw, double, single, escaped, bare] = match;
    const inPlace: string | undefined = last === null ? bare?.replace(/^~(?=\/)/, () => home) : bare;
    const part: string | undefined =
      (double === undefined ? undefined : unescaped(double)) ?? single ?? escaped ?? inPlace;
    if (part !== undefined) {
      last = { text: (last?.text ?? '') + part, raw: (last?.raw ?? '') + raw };
    } else if (last !== null) {
      words.push(last.text);
      last = null;
    }
  }
  return { words, last, unread: '' };
}

/** What stands between double quotes, without the backslashes that mean something there. */
function unescaped(text: string): string {
  return text.replace(/\\(["\\$`])/g, '$1');
}

function unfinished(character: string): string {
  return character === '\\' ? 'The line ends with a backslash.' : `The quote ${character} is not closed.`;
}
