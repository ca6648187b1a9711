import { attributeNumbers } from '@logloom/filter';
import { percentile } from '../request-groups.ts';
import { SearchStoreError, type FoundEvent } from '../search-store.ts';
import {
  keyText,
  percentileParts,
  type AggregateGroup,
  type AggregateQuery,
  type GroupKey,
  type Metric,
} from './aggregate-query.ts';
import { fieldPlace, numberPath, textsAt, type GroupField } from './group-fields.ts';

/** What is read of an event. */
export type GroupedEvent = Pick<FoundEvent, GroupField | 'timestamp' | 'attributes'>;

/** Groups, and their values' numbers and texts: bounded, because they are kept. */
const maxKept = 5_000_000;

interface Group {
  key: GroupKey;
  figure: Figure;
}

/** Groups events one by one, exactly; for engines that cannot do it themselves. */
export class EventGroups {
  readonly #by: ReturnType<typeof fieldPlace>[];
  readonly #metric: Metric;
  readonly #valuesOf: (event: GroupedEvent) => readonly (string | number)[];
  readonly #groups = new Map<string, Group>();
  #kept = 0;

  /** Throws SearchStoreError `unknown-field`. */
  constructor({ by, metric, of }: Pick<AggregateQuery, 'by' | 'metric' | 'of'>) {
    this.#by = by.map(fieldPlace);
    this.#metric = metric;
    if (metric === 'count' || of === undefined) this.#valuesOf = () => [];
    else if (metric === 'distinct') {
      const place = fieldPlace(of);
      this.#valuesOf = (event) => textsAt(place, event);
    } else {
      const path = numberPath(of);
      this.#valuesOf = (event) => attributeNumbers(event.attributes, path);
    }
  }

  /** Throws SearchStoreError `too-many-groups`. */
  add(event: GroupedEvent): void {
    const values = this.#valuesOf(event);
    let keys: (string | null)[][] = [[]];
    for (const place of this.#by) {
      const texts = textsAt(place, event);
      const parts = texts.length === 0 ? [null] : texts;
      keys = keys.flatMap((key) => parts.map((part) => [...key, part]));
    }
    for (const key of keys) {
      const text = keyText(key);
      let group = this.#groups.get(text);
      if (group === undefined) {
        this.#groups.set(text, (group = { key, figure: new Figure(this.#metric) }));
        this.#kept++;
      }
      this.#kept += group.figure.add(values);
    }
    if (this.#kept > maxKept)
      throw new SearchStoreError(
        'too-many-groups',
        `there are more than ${maxKept} groups and values; narrow the filter or the range`,
      );
  }

  /** Every group, in no order. */
  groups(): AggregateGroup[] {
    return [...this.#groups.values()].map(({ key, figure: { count, missing, value } }) => ({
      key,
      value,
      count,
      missing,
    }));
  }
}

/** A metric of the values of some events. */
class Figure {
  readonly #metric: Metric;
  count = 0;
  missing = 0;
  #n = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;
  readonly #numbers: number[] = [];
  readonly #texts = new Set<string>();

  constructor(metric: Metric) {
    this.#metric = metric;
  }

  /** Returns how many values it keeps. */
  add(values: readonly (string | number)[]): number {
    this.count++;
    if (values.length === 0 && this.#metric !== 'count') this.missing++;
    const before = this.#texts.size + this.#numbers.length;
    for (const value of values) {
      if (typeof value === 'string') this.#texts.add(value);
      else {
        this.#n++;
        this.#sum += value;
        this.#min = Math.min(this.#min, value);
        this.#max = Math.max(this.#max, value);
        if (this.#metric in percentileParts) this.#numbers.push(value);
      }
    }
    return this.#texts.size + this.#numbers.length - before;
  }

  get value(): number | null {
    if (this.#metric === 'count') return this.count;
    if (this.#metric === 'distinct') return this.#texts.size;
    if (this.#n === 0) return null;
    if (this.#metric === 'sum') return this.#sum;
    if (this.#metric === 'avg') return this.#sum / this.#n;
    if (this.#metric === 'min') return this.#min;
    if (this.#metric === 'max') return this.#max;
    return percentile(Float64Array.from(this.#numbers).sort(), percentileParts[this.#metric]!);
  }
}
