import { describe, expect, it } from 'vitest';
import { type CellStyle, TerminalScreen } from '../../../../infra/pictures/terminal-screen.ts';

function screenOf(...texts: readonly string[]): TerminalScreen {
  const screen = new TerminalScreen({ columns: 10, rows: 3 });
  for (const text of texts) screen.write(text);
  return screen;
}

const linesOf = (screen: TerminalScreen): string[] =>
  screen.lines.map((parts) => parts.map(({ text }) => text).join(''));

describe('a terminal screen', () => {
  it.each<[string, string, string[]]>([
    ['lines', 'one\r\ntwo', ['one', 'two']],
    ['a line that goes on below where it is full', 'abcdefghijkl', ['abcdefghij', 'kl']],
    ['what is written over', 'abc\rx', ['xbc']],
    ['a key that is taken back', 'ab\b \b', ['a']],
    ['a line that is erased', 'abc\r\u001b[2Kx', ['x']],
    ['the end of a line that is erased', 'abcd\u001b[2D\u001b[K', ['ab']],
    ['a tab', 'a\tb', ['a       b']],
    ['a move up', 'a\r\nb\u001b[Ac', ['ac', 'b']],
    ['a character of two code units', '🦊x', ['🦊x']],
    ['private modes and titles', '\u001b[?2004ha\u001b]0;title\u0007b\u001b[?25l', ['ab']],
  ])('shows %s', (_what, text, lines) => {
    expect(linesOf(screenOf(text))).toEqual(lines);
  });

  it('moves down when there are more lines than it has rows, and keeps what is above', () => {
    const screen = screenOf('1\r\n2\r\n3\r\n4');
    expect({ top: screen.top, lines: linesOf(screen) }).toEqual({ top: 1, lines: ['1', '2', '3', '4'] });
  });

  it('goes on below all there has been when it is erased', () => {
    const screen = screenOf('1\r\n2', '\u001b[2J\u001b[H', '3');
    expect({ top: screen.top, lines: linesOf(screen) }).toEqual({ top: 2, lines: ['1', '2', '3'] });
  });

  it('tells styles apart, until they are reset', () => {
    const plain: CellStyle = { color: null, isBold: false, isDim: false };
    expect(screenOf('\u001b[1;32mok\u001b[0m no').lines[0]).toEqual([
      { text: 'ok', style: { ...plain, color: 2, isBold: true } },
      { text: ' no', style: plain },
    ]);
  });

  it('shows the same whatever pieces the text comes in', () => {
    const text = 'ab\r\n\u001b[1;32mcd\u001b[0m\r\u001b[2Kef\u001b]0;title\u0007\r\ngh';
    expect(screenOf(...text).lines).toEqual(screenOf(text).lines);
  });
});
