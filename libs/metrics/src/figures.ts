// Owns how both programs tell their figures to Prometheus: one registry for each tracker and peer, so that several live in one
// process. What is counted where it happens is a counter or a histogram; what somebody knows anyway is read when it is asked for, and
// costs nothing between two questions.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';

/** What the text is said to be. */
export const FIGURES_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

/** The labels of a sample with their values, in the order in which they are written. */
export type Labels = Readonly<Record<string, string>>;

/** A figure with its name by the conventions of Prometheus: unit last, `_total` for what only grows. */
export interface Figure<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  /** Names of its labels, whose values come from closed sets; none if left out. */
  readonly labels?: readonly Label[];
}

/** A figure that is read when it is asked for: one value, or one for each set of labels. */
export interface ReadFigure extends Figure {
  readonly type: 'counter' | 'gauge';
  readonly read: () => number | readonly Sample[] | Promise<readonly Sample[]>;
}

/** A value with its labels. */
export type Sample = readonly [labels: Labels, value: number];

/** A figure that is spread over buckets: their upper bounds, in the unit of the figure. */
export interface SpreadFigure<Label extends string = string> extends Figure<Label> {
  readonly buckets: readonly number[];
}

/** How often the delay of the event loop is looked at, and how busy it was: both together cost less than a thousandth of a core. */
const DELAY_LOOK_MS = 100;
const BUSY_LOOK_MS = 1_000;

/** Everything that one program's `/metrics` tells. */
export class Figures {
  readonly #registry = new Registry();

  /** A sum that is added to where something happens. */
  counter<Label extends string>({ name, help, labels = [] }: Figure<Label>): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  /** Durations or sizes, in buckets. */
  histogram<Label extends string>({ name, help, labels = [], buckets }: SpreadFigure<Label>): Histogram<Label> {
    return new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [this.#registry] });
  }

  /** A figure that somebody else keeps. Nothing comes between its reset and its samples, so questions at one time add up nothing. */
  read({ type, name, help, labels = [], read }: ReadFigure): void {
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'gauge') {
      const gauge = new Gauge({
        ...options,
        collect: async () => {
          const samples = samplesOf(await read());
          gauge.reset();
          for (const [sampleLabels, value] of samples) gauge.set({ ...sampleLabels }, value);
        },
      });
      return;
    }
    const counter = new Counter({
      ...options,
      collect: async () => {
        const samples = samplesOf(await read());
        counter.reset();
        for (const [sampleLabels, value] of samples) counter.inc({ ...sampleLabels }, value);
      },
    });
  }

  /** Adds what Node and the system know of this process: processor, memory, files, event loop, garbage collection. Once in a process. */
  addProcess(): void {
    const looks = { eventLoopMonitoringPrecision: DELAY_LOOK_MS, eventLoopUtilizationTimeout: BUSY_LOOK_MS };
    collectDefaultMetrics({ register: this.#registry, ...looks });
  }

  /** All of it, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function samplesOf(read: number | readonly Sample[]): readonly Sample[] {
  return typeof read === 'number' ? [[{}, read]] : read;
}
