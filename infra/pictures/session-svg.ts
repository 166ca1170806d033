// Owns the picture of a recorded session: an SVG that plays it by itself, without a script, wherever an image may stand. What has
// been on the screen is one long page; each line is there from when it was written to when it was written over, and the page moves up
// as the terminal scrolled. Who cannot see it move sees how it ends.
import { type Cast, shownOutputs } from './cast.ts';
import { type StyledText, TerminalScreen } from './terminal-screen.ts';

const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const FONT_PIXELS = 14;
const PADDING = 16;
/** What is written within so short a time is one picture. */
const PICTURE_SECONDS = 0.1;
/** How long the end stays before it all begins again. */
const REST_SECONDS = 5;

const BACKGROUND = '#0f1419';
const FOREGROUND = '#d6dae0';
/** The 16 colours of a terminal: contrast with the background of 4.5 to 1 or more, but for black. */
const COLORS = [
  ...['#3b4048', '#f47067', '#6bc46d', '#daaa3f', '#6cb6ff', '#dcbdfb', '#56d4dd', '#d6dae0'],
  ...['#8b949e', '#ff938a', '#8ddb8c', '#eac55f', '#96d0ff', '#eedcfd', '#76e3ea', '#ffffff'],
];

/** One state of a line of the page; it lasts to the end where `toSeconds` is null. */
interface LineState {
  readonly row: number;
  readonly fromSeconds: number;
  toSeconds: number | null;
  readonly parts: readonly StyledText[];
  readonly key: string;
}

/** What changes as a whole: from a time on, another value. */
type Track = { readonly atSeconds: number; readonly value: string }[];

interface Film {
  readonly states: readonly LineState[];
  readonly tops: Track;
  readonly cursors: Track;
  readonly endSeconds: number;
}

/** Draws a recording. */
export function sessionSvg(cast: Cast): string {
  const film = filmOf(cast);
  const seconds = film.endSeconds + REST_SECONDS;
  const width = Math.ceil(cast.columns * CELL_WIDTH + 2 * PADDING);
  const height = cast.rows * LINE_HEIGHT + 2 * PADDING;
  const lines = film.states.map((state) => lineElement(state, seconds));
  const cursorStyle = `fill="${FOREGROUND}" opacity="0.6"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(cast.title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<svg x="${PADDING}" y="${PADDING}" width="${width - 2 * PADDING}" height="${height - 2 * PADDING}" ` +
      `font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${FONT_PIXELS}" ` +
      `fill="${FOREGROUND}" style="white-space:pre">`,
    `<g>${moving(film.tops, seconds)}`,
    ...lines,
    `<rect width="${CELL_WIDTH}" height="${LINE_HEIGHT - 3}" ${cursorStyle}>${moving(film.cursors, seconds)}</rect>`,
    '</g></svg></svg>\n',
  ].join('\n');
}

/** Plays the recording picture by picture and notes what changes. */
function filmOf(cast: Cast): Film {
  const screen = new TerminalScreen(cast);
  const states: LineState[] = [];
  const open = new Map<number, LineState>();
  const [tops, cursors]: [Track, Track] = [[], []];
  const outputs = shownOutputs(cast);
  const look = (atSeconds: number): void => {
    for (const [row, parts] of screen.lines.entries()) {
      const key = JSON.stringify(parts);
      const before = open.get(row);
      if (before?.key === key || (before === undefined && parts.length === 0)) continue;
      if (before !== undefined) before.toSeconds = atSeconds;
      const state = { row, fromSeconds: atSeconds, toSeconds: null, parts, key };
      open.set(row, state);
      if (parts.length > 0) states.push(state);
    }
    const { row, column } = screen.cursor;
    follow(tops, atSeconds, `0 ${-screen.top * LINE_HEIGHT}`);
    follow(cursors, atSeconds, `${round(column * CELL_WIDTH)} ${row * LINE_HEIGHT}`);
  };
  look(0);
  for (const [index, { atSeconds, text }] of outputs.entries()) {
    screen.write(text);
    const picture = Math.floor(atSeconds / PICTURE_SECONDS);
    const next = outputs[index + 1]?.atSeconds ?? Infinity;
    if (Math.floor(next / PICTURE_SECONDS) !== picture) look((picture + 1) * PICTURE_SECONDS);
  }
  return {
    states,
    tops,
    cursors,
    endSeconds: ((outputs.at(-1)?.atSeconds ?? 0) / PICTURE_SECONDS + 1) * PICTURE_SECONDS,
  };
}

function follow(track: Track, atSeconds: number, value: string): void {
  if (track.at(-1)?.value !== value) track.push({ atSeconds, value });
}

/** Where something stands at the end, and the way there. */
function moving(track: Track, seconds: number): string {
  const values = track.map(({ value }) => value).join(';');
  const times = track.map(({ atSeconds }) => partOf(atSeconds, seconds)).join(';');
  return animation(
    'animateTransform',
    `attributeName="transform" type="translate" values="${values}" keyTimes="${times}"`,
    seconds,
  );
}

function lineElement({ row, fromSeconds, toSeconds, parts }: LineState, seconds: number): string {
  const [from, to] = [partOf(fromSeconds, seconds), toSeconds === null ? null : partOf(toSeconds, seconds)];
  const values = ['hidden', 'visible', ...(to === null ? [] : ['hidden'])].join(';');
  const times = ['0', from, ...(to === null ? [] : [to])].join(';');
  const isShownFirst = fromSeconds === 0 && to === null;
  const visibility = `attributeName="visibility" values="${values}" keyTimes="${times}"`;
  const shown = isShownFirst ? '' : animation('animate', visibility, seconds);
  // Without its animation a line is there when it is there at the end.
  const still = to === null ? '' : ' visibility="hidden"';
  return `<g${still}>${shown}${textElements(parts, row * LINE_HEIGHT + FONT_PIXELS)}</g>`;
}

function animation(name: string, about: string, seconds: number): string {
  return `<${name} ${about} calcMode="discrete" dur="${round(seconds)}s" repeatCount="indefinite"/>`;
}

/** The pieces of a line, each as wide as its cells whatever the font is. */
function textElements(parts: readonly StyledText[], baseline: number): string {
  let column = 0;
  return parts
    .map(({ text, style: { color, isBold, isDim } }) => {
      const shown = text.trim();
      const x = round((column + text.indexOf(shown)) * CELL_WIDTH);
      column += [...text].length;
      if (shown === '') return '';
      const look =
        (color === null ? '' : ` fill="${COLORS[color]}"`) +
        (isBold ? ' font-weight="bold"' : '') +
        (isDim ? ' opacity="0.7"' : '');
      return `<text x="${x}" y="${baseline}" textLength="${round([...shown].length * CELL_WIDTH)}"${look}>${escaped(shown)}</text>`;
    })
    .join('');
}

function partOf(atSeconds: number, seconds: number): string {
  return (atSeconds / seconds).toFixed(5);
}

function round(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
