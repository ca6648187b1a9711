import { Histogram, type HistogramConfiguration } from 'prom-client';

interface ExportedValue {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/**
 * A histogram of one set of labels that takes many equal observations in one call: what a batch has in common is counted once, with
 * the number of its events.
 */
export class WeightedHistogram extends Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  readonly #labels: Readonly<Record<string, string>>;
  #sum = 0;

  constructor(options: HistogramConfiguration<string>, labels: Readonly<Record<string, string>>) {
    super(options);
    this.#bounds = [...options.buckets!];
    // One more for what is above all bounds.
    this.#counts = Array.from({ length: this.#bounds.length + 1 }, () => 0);
    this.#labels = labels;
  }

  /** Counts `weight` observations of the value. */
  add(value: number, weight: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > this.#bounds[i]!) i++;
    this.#counts[i]! += weight;
    this.#sum += value * weight;
  }

  override async get(): Promise<never> {
    const { name, help } = this as unknown as { name: string; help: string };
    const values: ExportedValue[] = [];
    let count = 0;
    for (let i = 0; i <= this.#bounds.length; i++) {
      count += this.#counts[i]!;
      const labels = { le: this.#bounds[i] ?? '+Inf', ...this.#labels };
      values.push({ metricName: `${name}_bucket`, labels, value: count });
    }
    values.push({ metricName: `${name}_sum`, labels: { ...this.#labels }, value: this.#sum });
    values.push({ metricName: `${name}_count`, labels: { ...this.#labels }, value: count });
    // The shape that prom-client's own histograms have; its types lack the aggregator.
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as never;
  }

  /** What a registry writes as text from. */
  async getForPromString(): Promise<never> {
    return this.get();
  }
}
