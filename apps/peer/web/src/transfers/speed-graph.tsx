// Owns the graph of the last five minutes: what came as a filled area, what was sent as a dashed line, so that they are told apart
// without their colours. It is drawn at most once a second, and says the same in words.
import type { JSX } from 'preact';
import { bytesText } from '../lists/amounts.ts';
import { type Painting, usePainting } from '../lists/canvas-painting.ts';
import { type RateSeries, scaleTop } from './speed-history.ts';
import { ratesTick, speedHistory } from './transfer-store.ts';

interface SpeedGraphProps {
  /** Null for all transfers together. */
  readonly transferId: string | null;
  readonly label: string;
  /** Whether what this peer sends is told: it is counted for all transfers together only. */
  readonly hasUp?: boolean;
}

/** Rates over the last five minutes. */
export function SpeedGraph({ transferId, label, hasUp = false }: SpeedGraphProps): JSX.Element {
  const tick = ratesTick.value;
  const series = speedHistory(transferId).series();
  const top = scaleTop(series);
  const canvas = usePainting((painting) => paint(painting, series, top), [tick, transferId]);
  const down = rateWords('Down', series.down);
  const up = hasUp ? rateWords('Up', series.up) : null;
  return (
    <figure class="speed-graph">
      <div class="speed-scale" aria-hidden="true">
        {bytesText(top)}/s
      </div>
      <canvas class="speed-canvas" role="img" aria-label={`${label}, the last five minutes`} ref={canvas} />
      <figcaption class="speed-legend">
        <span class="speed-key is-down">{down}</span>
        {up !== null && <span class="speed-key is-up">{up}</span>}
      </figcaption>
    </figure>
  );
}

/** `Down 1.5 MiB/s, at most 3.0 MiB/s`. */
function rateWords(word: string, rates: Float64Array): string {
  const highest = rates.reduce((most, rate) => Math.max(most, rate), 0);
  const now = rates.at(-1) ?? 0;
  return highest === 0 ? `${word} nothing` : `${word} ${bytesText(now)}/s, at most ${bytesText(highest)}/s`;
}

function paint({ context, width, height, colour }: Painting, { down, up }: RateSeries, top: number): void {
  context.lineWidth = 1;
  context.strokeStyle = colour('--graph-grid');
  context.beginPath();
  for (const part of [0.25, 0.5, 0.75]) {
    const y = Math.round(height * part) + 0.5;
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.stroke();
  const place = { width, height: height - 1, top };
  trace(context, down, place);
  context.lineTo(width, height);
  context.lineTo(0, height);
  context.closePath();
  context.fillStyle = colour('--graph-down');
  context.globalAlpha = 0.16;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  trace(context, down, place);
  context.strokeStyle = colour('--graph-down');
  context.stroke();
  if (up.every((rate) => rate === 0)) return;
  trace(context, up, place);
  context.setLineDash([4, 3]);
  context.strokeStyle = colour('--graph-up');
  context.stroke();
  context.setLineDash([]);
}

interface Place {
  readonly width: number;
  readonly height: number;
  readonly top: number;
}

function trace(context: CanvasRenderingContext2D, rates: Float64Array, { width, height, top }: Place): void {
  context.beginPath();
  for (const [second, rate] of rates.entries()) {
    const x = (second / (rates.length - 1)) * width;
    const y = height - (rate / top) * (height - 2);
    if (second === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
}
