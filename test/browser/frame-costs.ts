// Owns what a frame of a page costs, from Chromium's own trace: milliseconds of CPU for each kind of work. What is painted into pixels
// (`raster`) and put together from them (`compositing`) is done by a graphics processor where there is one, and by the CPU here.
import type { Browser, Page } from 'playwright-core';

/** Milliseconds of CPU. The first five are on the thread of the page, and stand in each other's way; the others run beside it. */
export interface FrameCosts {
  readonly script: number;
  readonly style: number;
  readonly layout: number;
  readonly paint: number;
  readonly other: number;
  readonly raster: number;
  readonly compositing: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** Microseconds of CPU, of whole events. */
  readonly tdur?: number;
  readonly dur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'cc', 'viz', 'v8'];
const TASK = /RunTask$/;
const PAGE_THREAD = 'CrRendererMain';
const RASTER_THREAD = /^(?:CompositorTileWorker|ThreadPoolForegroundWorker)/;
const COMPOSITING_THREAD = /^(?:Compositor|VizCompositorThread|CrGpuMain)$/;
/** What work on the thread of the page is, by the name of its event; what is in none of them is counted to the one around it. */
const WORK: readonly (readonly [kind: keyof FrameCosts, name: RegExp])[] = [
  ['style', /^(?:UpdateLayoutTree|ScheduleStyleRecalculation)$/],
  ['layout', /^Layout$/],
  ['paint', /^(?:PrePaint|Paint|Layerize|UpdateLayer|Commit|CompositeLayers)$/],
  [
    'script',
    /^(?:FunctionCall|FireAnimationFrame|EventDispatch|RunMicrotasks|EvaluateScript|TimerFire|MajorGC|MinorGC|V8\..*)$/,
  ],
];

/** Traces what happens meanwhile, and divides it by the frames that `work` says there were. */
export async function frameCosts(browser: Browser, page: Page, work: () => Promise<number>): Promise<FrameCosts> {
  await browser.startTracing(page, { categories: CATEGORIES });
  const frameCount = await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  return perFrame(trace.traceEvents, frameCount);
}

function perFrame(events: readonly TraceEvent[], frameCount: number): FrameCosts {
  const names = new Map(
    events
      .filter(({ name, ph }) => ph === 'M' && name === 'thread_name')
      .map((event) => [threadOf(event), event.args?.name ?? '']),
  );
  const costs = { script: 0, style: 0, layout: 0, paint: 0, other: 0, raster: 0, compositing: 0 };
  for (const [thread, whole] of Map.groupBy(
    events.filter(({ ph }) => ph === 'X'),
    threadOf,
  )) {
    const name = names.get(thread) ?? '';
    for (const { kind, microseconds } of ownTimes(whole)) {
      if (name === PAGE_THREAD) costs[kind] += microseconds;
      else if (RASTER_THREAD.test(name)) costs.raster += microseconds;
      else if (COMPOSITING_THREAD.test(name)) costs.compositing += microseconds;
    }
  }
  const entries = Object.entries(costs).map(([kind, microseconds]) => [kind, microseconds / 1000 / frameCount]);
  return Object.fromEntries(entries) as unknown as FrameCosts;
}

/** How long each event of a thread took but for those within it, as the kind of work that it, or what is around it, is. */
function* ownTimes(
  events: readonly TraceEvent[],
): Generator<{ readonly kind: keyof FrameCosts; readonly microseconds: number }> {
  const open: { readonly end: number; readonly kind: keyof FrameCosts }[] = [];
  const begun = events.toSorted((one, other) => one.ts - other.ts || (other.dur ?? 0) - (one.dur ?? 0));
  for (const { name, ts, dur = 0, tdur = 0 } of begun) {
    while (open.length > 0 && open.at(-1)!.end <= ts) open.pop();
    const around = open.at(-1);
    // Work that is in no task of a thread is counted by the task alone.
    if (around === undefined && !TASK.test(name)) continue;
    const kind = WORK.find(([, names]) => names.test(name))?.[0] ?? around?.kind ?? 'other';
    if (around !== undefined) yield { kind: around.kind, microseconds: -tdur };
    yield { kind, microseconds: tdur };
    open.push({ end: ts + dur, kind });
  }
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`;
}
