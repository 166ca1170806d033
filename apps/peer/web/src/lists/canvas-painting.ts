// Owns how something is painted on a canvas of the page: sharp on every screen, in the colours of the theme, and anew when its place or
// the theme is another one.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { theme } from '../state/theme.ts';

/** What is painted on, in CSS pixels. */
export interface Painting {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** The value of a custom property of the style sheet. */
  readonly colour: (property: string) => string;
}

/** Paints after each drawing of the component in which one of `parts` is another one. Returns the ref of the canvas. */
export function usePainting(
  paint: (painting: Painting) => void,
  parts: readonly unknown[],
): { readonly current: HTMLCanvasElement | null } {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(paint);
  latest.current = paint;
  useLayoutEffect(() => {
    if (canvas.current !== null) paintOn(canvas.current, latest.current);
  }, [...parts, theme.value]);
  useLayoutEffect(() => {
    const again = (): void => {
      if (canvas.current !== null) paintOn(canvas.current, latest.current);
    };
    const resized = new ResizeObserver(again);
    if (canvas.current !== null) resized.observe(canvas.current);
    const scheme = globalThis.matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', again);
    return () => {
      resized.disconnect();
      scheme.removeEventListener('change', again);
    };
  }, []);
  return canvas;
}

function paintOn(canvas: HTMLCanvasElement, paint: (painting: Painting) => void): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width === 0 || height === 0) return;
  const scale = globalThis.devicePixelRatio;
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  paint({ context, width, height, colour: (property) => style.getPropertyValue(property) });
}
