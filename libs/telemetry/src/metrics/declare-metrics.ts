import { Counter, Gauge, Histogram, type Aggregator, type Registry } from 'prom-client';
import { WeightedHistogram } from './weighted-histogram.ts';

export interface MetricOptions<Label extends string> {
  /** As Prometheus knows it: `logloom_`, its owner, what is measured, a base unit; counters end in `_total`. */
  name: string;
  /** What the value counts: `seconds`, `bytes`, `events`. */
  unit: string;
  /** What it means: one sentence, without a full stop. */
  help: string;
  /** What each label tells apart, in words. Its values are few: nothing that a sender or viewer chooses. */
  labels?: Readonly<Record<Label, string>>;
  /** How the values of several threads or processes under one label set become one; default: their sum. */
  aggregator?: Aggregator;
}

/** Sets the value for one set of labels. */
export type SetValue<Label extends string> = (
  value: number,
  labels?: Partial<Record<Label, string | number>>,
) => void;

type Read<Label extends string> = (set: SetValue<Label>) => void;

type Type = 'counter' | 'gauge' | 'histogram';

/** What all declarations have, for the page of metrics and for tests. */
export interface DescribedMetric {
  readonly type: Type;
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
}

abstract class Declaration<Label extends string> implements DescribedMetric {
  abstract readonly type: Type;
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly #aggregator: Aggregator;
  readonly #reads = new WeakMap<Registry, Read<Label>[]>();

  constructor({ name, unit, help, labels, aggregator = 'sum' }: MetricOptions<Label>) {
    this.name = name;
    this.unit = unit;
    this.help = help;
    this.labels = labels ?? {};
    this.#aggregator = aggregator;
  }

  /** Adds what is read when this registry is asked for the metric; returns all that is read, the first time. */
  protected addRead(registry: Registry, read: Read<Label>): readonly Read<Label>[] | undefined {
    const known = this.#reads.get(registry);
    if (known === undefined) {
      const reads = [read];
      this.#reads.set(registry, reads);
      return reads;
    }
    known.push(read);
    return undefined;
  }

  protected config(registry: Registry) {
    const { name, help, labels } = this;
    const labelNames = Object.keys(labels) as Label[];
    return { name, help, labelNames, registers: [registry], aggregator: this.#aggregator };
  }
}

export interface CounterOptions<Label extends string> extends MetricOptions<Label> {
  /**
   * Values of labels that are known before anything is counted: their series are 0 from the start. The first increase of a series that
   * appears with it is invisible to rate() and increase().
   */
  known?: readonly Readonly<Record<Label, string>>[];
}

class CounterDeclaration<Label extends string> extends Declaration<Label> {
  readonly type = 'counter';
  readonly #known: readonly Readonly<Record<Label, string>>[];

  constructor({ known = [], ...options }: CounterOptions<Label>) {
    super(options);
    this.#known = known;
  }

  /** The counter of this registry; made at the first call, with the values of its known labels at 0. */
  create(registry: Registry): Counter<Label> {
    const made = registry.getSingleMetric(this.name) as Counter<Label> | undefined;
    if (made !== undefined) return made;
    const counter = new Counter(this.config(registry));
    for (const labels of this.#known) counter.inc(labels, 0);
    return counter;
  }

  /** Registers a counter whose values are read from elsewhere when metrics are asked for; several may be. */
  observe(registry: Registry, read: Read<Label>): void {
    const reads = this.addRead(registry, read);
    if (reads === undefined) return;
    const known = this.#known;
    new Counter<Label>({
      ...this.config(registry),
      collect() {
        this.reset();
        for (const labels of known) this.inc(labels, 0);
        for (const one of reads)
          one((value, labels = {}) => this.inc(labels as Record<Label, string>, value));
      },
    });
  }
}

class GaugeDeclaration<Label extends string> extends Declaration<Label> {
  readonly type = 'gauge';

  /** The gauge of this registry; made at the first call. */
  create(registry: Registry): Gauge<Label> {
    return (
      (registry.getSingleMetric(this.name) as Gauge<Label> | undefined) ?? new Gauge(this.config(registry))
    );
  }

  /** Registers a gauge whose values are read when metrics are asked for; what is not set then is not there. */
  observe(registry: Registry, read: Read<Label>): void {
    const reads = this.addRead(registry, read);
    if (reads === undefined) return;
    const hasNoLabels = Object.keys(this.labels).length === 0;
    new Gauge<Label>({
      ...this.config(registry),
      collect() {
        this.reset();
        // A gauge without labels would be 0 where nothing is known.
        if (hasNoLabels) this.remove();
        for (const one of reads)
          one((value, labels = {}) => this.set(labels as Record<Label, string>, value));
      },
    });
  }
}

class HistogramDeclaration<Label extends string> extends Declaration<Label> {
  readonly type = 'histogram';
  readonly #buckets: readonly number[];

  constructor({ buckets, ...options }: MetricOptions<Label> & { buckets: readonly number[] }) {
    super(options);
    this.#buckets = buckets;
  }

  /** The histogram of this registry; made at the first call. */
  create(registry: Registry): Histogram<Label> {
    return (
      (registry.getSingleMetric(this.name) as Histogram<Label> | undefined) ??
      new Histogram({ ...this.config(registry), buckets: [...this.#buckets] })
    );
  }

  /** As create(), for one set of labels that counts many equal observations at once. */
  weighted(registry: Registry, labels: Record<Label, string>): WeightedHistogram {
    return (
      (registry.getSingleMetric(this.name) as unknown as WeightedHistogram | undefined) ??
      new WeightedHistogram({ ...this.config(registry), buckets: [...this.#buckets] }, labels)
    );
  }
}

/** Every combination of labels' values, for a counter's `known`. */
export function combinations<const Label extends string>(
  values: Readonly<Record<Label, readonly string[]>>,
): Record<Label, string>[] {
  let made: Record<string, string>[] = [{}];
  for (const [label, each] of Object.entries<readonly string[]>(values))
    made = made.flatMap((labels) => each.map((value) => ({ ...labels, [label]: value })));
  return made;
}

export function counter<const Label extends string = never>(
  options: CounterOptions<Label>,
): CounterDeclaration<Label> {
  return new CounterDeclaration(options);
}

export function gauge<const Label extends string = never>(
  options: MetricOptions<Label>,
): GaugeDeclaration<Label> {
  return new GaugeDeclaration(options);
}

/** `buckets`: upper bounds in the unit, ascending. */
export function histogram<const Label extends string = never>(
  options: MetricOptions<Label> & { buckets: readonly number[] },
): HistogramDeclaration<Label> {
  return new HistogramDeclaration(options);
}

export type MetricDeclarations = Readonly<Record<string, DescribedMetric>>;

/**
 * Declares the metrics of one service or lib, each once, for the code and for docs/metrics.md. Throws TypeError where a name breaks
 * Prometheus' conventions (https://prometheus.io/docs/practices/naming/) or a help is missing.
 */
export function declareMetrics<const D extends MetricDeclarations>(
  owner: string,
  declarations: D,
): D & { readonly [ownerKey]: string } {
  for (const metric of Object.values(declarations)) checkMetric(metric);
  return { ...declarations, [ownerKey]: owner };
}

/** Who declared a group of metrics: the folder of the project. */
export const ownerKey = Symbol('owner');

/** Units that are no base units, and short forms of units, as `promtool check metrics` refuses them. */
const wrongUnit =
  /_(?:ms|millis|milliseconds|micros|microseconds|minutes|hours|days|percent|kb|mb|kilobytes|megabytes|sec|secs|s|b)(?:_total)?$/;

function checkMetric({ name, type, unit, help, labels }: DescribedMetric): void {
  const refuse = (why: string): never => {
    throw new TypeError(`${name}: ${why}`);
  };
  if (!/^logloom(_[a-z0-9]+)+$/.test(name)) refuse('is no name of a metric');
  if (name.endsWith('_total') !== (type === 'counter')) refuse('counters, and only they, end in _total');
  if (/_(?:count|sum|bucket|counter|gauge|histogram)$/.test(name)) refuse('ends in a word of the format');
  if (wrongUnit.test(name)) refuse('is not in a base unit');
  for (const base of ['seconds', 'bytes', 'ratio'])
    if (name.replace(/_total$/, '').endsWith(`_${base}`) !== (unit === base))
      refuse(`has ${unit} as its unit`);
  if (!/^[A-Z].*[^.]$/.test(help)) refuse('its help is no sentence without a full stop');
  for (const [label, meaning] of Object.entries(labels))
    if (
      !/^[a-z]+(_[a-z]+)*$/.test(label) ||
      ['le', 'quantile', 'job', 'instance', 'service'].includes(label) ||
      meaning === ''
    )
      refuse(`${label} is no name of a label`);
}
