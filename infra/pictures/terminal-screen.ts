// Owns what a person sees of a terminal: text and the control sequences that shells and progress bars use, applied to lines of
// cells. Lines are never thrown away: what has scrolled out stands above the top of the screen, so that a film of it is one long
// page that moves. Sequences that change nothing visible are skipped; none that a recording here contains is guessed at.

/** How a cell looks. Colours are numbers of the terminal's own 16; null is the usual one. */
export interface CellStyle {
  readonly color: number | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** Characters in a row that look alike. */
export interface StyledText {
  readonly text: string;
  readonly style: CellStyle;
}

interface Cell {
  readonly character: string;
  readonly style: CellStyle;
}

const PLAIN: CellStyle = { color: null, isBold: false, isDim: false };
const BLANK: Cell = { character: ' ', style: PLAIN };
const TAB_COLUMNS = 8;
// CSI with its parameters and final byte; OSC to its end; any other escape of two characters; else one character.
// oxlint-disable-next-line no-control-regex
const TOKEN = /\u001b\[([?>=]?)([\d;]*)([A-Za-z~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b.|[^]/gu;
// oxlint-disable-next-line no-control-regex
const BEGUN = /\u001b(?:\[[?>=]?[\d;]*|\][^\u0007\u001b]*)?$/;

/** A terminal of a size, as it looks after what was written to it. */
export class TerminalScreen {
  readonly #columns: number;
  readonly #rows: number;
  readonly #lines: Cell[][] = [[]];
  #top = 0;
  #row = 0;
  #column = 0;
  #style = PLAIN;
  /** The beginning of a sequence whose end has not come yet. */
  #begun = '';

  constructor({ columns, rows }: { readonly columns: number; readonly rows: number }) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** The line that is the first on the screen, counted from the first that ever was. */
  get top(): number {
    return this.#top;
  }

  /** Where the next character goes; the row is counted like `top`. */
  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#row, column: this.#column };
  }

  /** All lines there have been, each in pieces of one style and without blanks at its end. */
  get lines(): StyledText[][] {
    return this.#lines.map(styledLine);
  }

  write(text: string): void {
    const whole = this.#begun + text;
    this.#begun = BEGUN.exec(whole)?.[0] ?? '';
    const complete = whole.slice(0, whole.length - this.#begun.length);
    for (const [token, mark, parameters, final] of complete.matchAll(TOKEN)) {
      if (final !== undefined) this.#control(final, mark === '' ? numbersOf(parameters ?? '') : null);
      else if (!token.startsWith('\u001b')) this.#character(token);
    }
  }

  #character(character: string): void {
    if (character === '\n') this.#moveTo(this.#row + 1, this.#column);
    else if (character === '\r') this.#column = 0;
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character === '\t') this.#column = (Math.floor(this.#column / TAB_COLUMNS) + 1) * TAB_COLUMNS;
    else if (character >= ' ') this.#print(character);
  }

  #print(character: string): void {
    if (this.#column >= this.#columns) this.#moveTo(this.#row + 1, 0);
    const line = this.#lines[this.#row]!;
    while (line.length < this.#column) line.push(BLANK);
    line[this.#column] = { character, style: this.#style };
    this.#column++;
  }

  /** `parameters` is null for private sequences, which show nothing. */
  #control(final: string, parameters: readonly number[] | null): void {
    if (parameters === null) return;
    const [first = 0, second = 0] = parameters;
    const count = Math.max(1, first);
    if (final === 'm') this.#style = styleAfter(this.#style, parameters);
    else if (final === 'K') this.#eraseInLine(first);
    else if (final === 'J') this.#eraseBelow(first);
    else if (final === 'H') this.#moveTo(this.#top + count - 1, Math.max(1, second) - 1);
    else if (final === 'A') this.#row = Math.max(this.#top, this.#row - count);
    else if (final === 'B') this.#moveTo(Math.min(this.#top + this.#rows - 1, this.#row + count), this.#column);
    else if (final === 'C') this.#column = Math.min(this.#columns - 1, this.#column + count);
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
    else if (final === 'G') this.#column = count - 1;
  }

  #moveTo(row: number, column: number): void {
    while (this.#lines.length <= row) this.#lines.push([]);
    this.#row = row;
    this.#column = column;
    this.#top = Math.max(this.#top, row - this.#rows + 1);
  }

  #eraseInLine(part: number): void {
    const line = this.#lines[this.#row]!;
    if (part === 0) line.length = Math.min(line.length, this.#column);
    else if (part === 2) line.length = 0;
    else line.splice(0, this.#column + 1, ...Array.from({ length: this.#column + 1 }, () => BLANK));
  }

  /** The whole screen is erased by going on below what there has been. */
  #eraseBelow(part: number): void {
    if (part === 0) {
      this.#eraseInLine(0);
      for (const line of this.#lines.slice(this.#row + 1)) line.length = 0;
      return;
    }
    this.#top = this.#lines.length;
    this.#moveTo(this.#top, this.#column);
  }
}

function numbersOf(parameters: string): number[] {
  return parameters === '' ? [] : parameters.split(';').map(Number);
}

function styleAfter(style: CellStyle, parameters: readonly number[]): CellStyle {
  let next = style;
  for (const number of parameters.length === 0 ? [0] : parameters) {
    if (number === 0) next = PLAIN;
    else if (number === 1) next = { ...next, isBold: true };
    else if (number === 2) next = { ...next, isDim: true };
    else if (number === 22) next = { ...next, isBold: false, isDim: false };
    else if (number >= 30 && number <= 37) next = { ...next, color: number - 30 };
    else if (number >= 90 && number <= 97) next = { ...next, color: number - 82 };
    else if (number === 39) next = { ...next, color: null };
  }
  return next;
}

function styledLine(cells: readonly Cell[]): StyledText[] {
  const parts: { text: string; style: CellStyle }[] = [];
  for (const { character, style } of cells) {
    const last = parts.at(-1);
    if (last !== undefined && isSame(last.style, style)) last.text += character;
    else parts.push({ text: character, style });
  }
  const last = parts.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return last?.text === '' ? parts.slice(0, -1) : parts;
}

function isSame(one: CellStyle, other: CellStyle): boolean {
  return one.color === other.color && one.isBold === other.isBold && one.isDim === other.isDim;
}
