// Owns plots as SVG text: line charts side by side, each with its own axes from zero.

/** One chart; every line has a name and points in order. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const WIDTH = 420;
const HEIGHT = 300;
const MARGIN = 56;
const TICKS = 4;
const COLOURS = ['#1b6ca8', '#c0582b', '#3d8b40', '#7b4fa3'];

/** The charts in one picture. */
export function lineChart(charts: readonly Chart[]): string {
  const body = charts.map((chart, index) => `<g transform="translate(${index * WIDTH} 0)">${chartBody(chart)}</g>`);
  const size = `width="${charts.length * WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">\n${body.join('\n')}\n</svg>\n`;
}

function chartBody({ title, xLabel, yLabel, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const top = roundUp(Math.max(...points.map(({ y }) => y)));
  const last = Math.max(...points.map(({ x }) => x));
  const xOf = (x: number): number => MARGIN + (x / last) * (WIDTH - 2 * MARGIN);
  const yOf = (y: number): number => HEIGHT - MARGIN - (y / top) * (HEIGHT - 2 * MARGIN);
  const marks = [...new Set(points.map(({ x }) => x))].map((x) => text(xOf(x), HEIGHT - MARGIN + 18, String(x)));
  const grid = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const y = (top * tick) / TICKS;
    const rule = `<path d="M${MARGIN} ${yOf(y)}H${WIDTH - MARGIN}" stroke="#ddd"/>`;
    return rule + text(MARGIN - 26, yOf(y) + 4, y.toFixed(0));
  });
  const drawn = lines.map((line, index) => lineBody(line, { colour: COLOURS[index % COLOURS.length] ?? '', xOf, yOf }));
  const labels = [
    text(WIDTH / 2, 24, title),
    text(WIDTH / 2, HEIGHT - 12, xLabel),
    text(MARGIN - 26, MARGIN - 14, yLabel),
  ];
  return [...grid, ...marks, ...drawn, ...labels].join('\n');
}

function lineBody(
  { name, points }: Chart['lines'][number],
  style: { readonly colour: string; readonly xOf: (x: number) => number; readonly yOf: (y: number) => number },
): string {
  const { colour, xOf, yOf } = style;
  const places = points.map(({ x, y }) => `${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`);
  const dots = points.map(({ x, y }) => `<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3" fill="${colour}"/>`);
  const end = points.at(-1) ?? { x: 0, y: 0 };
  const label = `<text x="${xOf(end.x) + 8}" y="${yOf(end.y) + 4}" fill="${colour}">${name}</text>`;
  return `<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${label}`;
}

function text(x: number, y: number, words: string): string {
  return `<text x="${x}" y="${y}" text-anchor="middle">${words}</text>`;
}

/** The next number with one digit of its own: 1,340 becomes 2,000. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return Math.ceil(value / unit) * unit;
}
