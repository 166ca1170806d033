// Owns what a person sees of what a program has written to a terminal: text where the cursor was, drawn over where the program
// went back. It knows the few sequences that line editors use, and scrolls for ever.
import { characterWidth } from '../../apps/peer/src/cli/text-width.ts';

const TOKEN =
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what this finds
  /\u001b\[([?>=]?)([\d;]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[()]?.|[\u0000-\u001f\u007f]|[^\u0000-\u001f\u007f]/gsu;

/** A screen of so many columns. */
export class TerminalScreen {
  columns: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** Lines from the first one on, without blanks at their ends. */
  get lines(): readonly string[] {
    return this.#rows.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  /** Row of the cursor, from 0. */
  get row(): number {
    return this.#row;
  }

  /** The line with the cursor, up to it. */
  get lineToCursor(): string {
    const cells = this.#rows[this.#row] ?? [];
    return Array.from({ length: this.#column }, (_, column) => cells[column] ?? ' ').join('');
  }

  write(text: string): void {
    for (const [token, mark, numbers, letter] of text.matchAll(TOKEN)) {
      if (letter !== undefined) {
        if (mark === '') this.#control(letter, (numbers ?? '').split(';').map(Number));
      } else if (!this.#move(token)) this.#put(token);
    }
  }

  /** Whether a character moves the cursor, or does nothing that is seen. */
  #move(character: string): boolean {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#goTo(this.#row + 1);
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character === '\t') this.#column = Math.min(this.columns - 1, (Math.floor(this.#column / 8) + 1) * 8);
    return character < ' ' || character.startsWith('\u001b') || character === '\u007f';
  }

  #put(character: string): void {
    const width = characterWidth(character);
    if (width === 0) return;
    if (this.#column + width > this.columns) {
      this.#column = 0;
      this.#goTo(this.#row + 1);
    }
    const cells = this.#rows[this.#row]!;
    cells[this.#column] = character;
    // The second cell of a wide character.
    if (width === 2) cells[this.#column + 1] = '';
    this.#column += width;
  }

  #control(letter: string, [first = 0]: readonly number[]): void {
    const count = Math.max(1, first);
    const cells = this.#rows[this.#row]!;
    if (letter === 'A') this.#goTo(Math.max(0, this.#row - count));
    else if (letter === 'B') this.#goTo(this.#row + count);
    else if (letter === 'C') this.#column += count;
    else if (letter === 'D') this.#column = Math.max(0, this.#column - count);
    else if (letter === 'G') this.#column = count - 1;
    else if (letter === 'K') cells.splice(first === 2 ? 0 : this.#column);
    else if (letter === 'J' && first === 0) {
      cells.splice(this.#column);
      this.#rows.splice(this.#row + 1);
    } else if (letter === 'J') this.#clear();
  }

  /** The screen begins anew, and the cursor goes to its first line: whoever clears it goes there. */
  #clear(): void {
    this.#rows = [[]];
    this.#row = 0;
    this.#column = 0;
  }

  #goTo(row: number): void {
    this.#row = row;
    while (this.#rows.length <= row) this.#rows.push([]);
  }
}
