// Owns the counters of one tracker and their rendering as Prometheus text. Labels come from closed sets, so their number is
// bounded.

/** A value that is read when the text is asked for. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: () => number;
}

interface Counter {
  readonly help: string;
  readonly label: string;
  readonly counts: Map<string, number>;
}

/** Everything that `/metrics` shows. */
export class TrackerMetrics {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges: Gauge[] = [];

  constructor() {
    this.#define('cohort_commands_total', 'Commands answered, by outcome.', 'outcome');
    this.#define('cohort_refused_without_record_total', 'Requests refused before the log, by code.', 'code');
    this.#define('cohort_connections_refused_total', 'Connections refused or cut off, by code.', 'code');
    this.#define('cohort_audit_questions_total', 'Questions of auditors that were answered, by view.', 'view');
    this.#define('cohort_pushes_total', 'Messages pushed to peers, by type.', 'type');
  }

  /** Counts a command that the log decided: `accepted`, or the reason. */
  countOutcome(outcome: string): void {
    this.#count('cohort_commands_total', outcome);
  }

  /** Counts a request that was answered without a record. */
  countRefusal(code: string): void {
    this.#count('cohort_refused_without_record_total', code);
  }

  /** Counts a connection that was refused, or cut off. */
  countConnection(refusal: string): void {
    this.#count('cohort_connections_refused_total', refusal);
  }

  /** Counts a question of an auditor that an answer has begun to. */
  countAudit(view: string): void {
    this.#count('cohort_audit_questions_total', view);
  }

  countPush(type: string): void {
    this.#count('cohort_pushes_total', type);
  }

  addGauge(gauge: Gauge): void {
    this.#gauges.push(gauge);
  }

  /** Prometheus text format 0.0.4. */
  render(): string {
    const counters = [...this.#counters].flatMap(([name, { help, label, counts }]) => {
      const byLabel = [...counts].toSorted(([left], [right]) => (left < right ? -1 : 1));
      const values = byLabel.map(([value, count]) => `${name}{${label}="${value}"} ${count}`);
      return heading(name, help, 'counter').concat(values);
    });
    const gauges = this.#gauges.flatMap(({ name, help, value }) =>
      heading(name, help, 'gauge').concat(`${name} ${value()}`),
    );
    return `${[...counters, ...gauges].join('\n')}\n`;
  }

  #define(name: string, help: string, label: string): void {
    this.#counters.set(name, { help, label, counts: new Map() });
  }

  #count(name: string, label: string): void {
    const { counts } = this.#counters.get(name)!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
}

function heading(name: string, help: string, type: 'counter' | 'gauge'): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
