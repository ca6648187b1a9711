import type { EqualityField, EqualityTerm, FilterSubject } from '@logloom/filter';
import type { LiveFilter } from '../stream/stream-kind.ts';

const attributes = 'attributes.';

/** The most selective first: a filter is indexed under the first of these that it requires. Reading attributes costs the most. */
const fields: readonly EqualityField[] = [
  'id',
  'correlationId',
  'traceId',
  'spanId',
  'host',
  'service',
  attributes,
  'correlationKind',
  'level',
];

/** Finds the filters that an event can match, by one equality that each requires; the others are not tested. */
export class FilterIndex<T extends { filter: LiveFilter }> {
  readonly #unfiled = new Set<T>();
  readonly #byField = new Map<EqualityField, Map<string, Set<T>>>();

  get isEmpty(): boolean {
    return this.#unfiled.size === 0 && this.#byField.size === 0;
  }

  add(entry: T): void {
    const term = bestTerm(entry.filter);
    if (term === undefined) {
      this.#unfiled.add(entry);
      return;
    }
    let byValue = this.#byField.get(term.field);
    if (byValue === undefined) this.#byField.set(term.field, (byValue = new Map<string, Set<T>>()));
    for (const value of term.values) {
      const entries = byValue.get(value);
      if (entries === undefined) byValue.set(value, new Set([entry]));
      else entries.add(entry);
    }
  }

  delete(entry: T): void {
    const term = bestTerm(entry.filter);
    if (term === undefined) {
      this.#unfiled.delete(entry);
      return;
    }
    const byValue = this.#byField.get(term.field);
    for (const value of term.values) {
      const entries = byValue?.get(value);
      entries?.delete(entry);
      if (entries?.size === 0) byValue!.delete(value);
    }
    if (byValue?.size === 0) this.#byField.delete(term.field);
  }

  /** Puts the entries whose filter the subject matches into `matching`, and returns the number of tests that it took. */
  match(subject: FilterSubject, matching: T[]): number {
    let tests = this.#test(this.#unfiled, subject, matching);
    for (const [field, byValue] of this.#byField) {
      const entries = isAttribute(field)
        ? entriesOfAttribute(subject, field, byValue)
        : entriesOf(subject.event[field], byValue);
      if (entries !== undefined) tests += this.#test(entries, subject, matching);
    }
    return tests;
  }

  #test(entries: ReadonlySet<T>, subject: FilterSubject, matching: T[]): number {
    for (const entry of entries) if (entry.filter.matches(subject)) matching.push(entry);
    return entries.size;
  }
}

function entriesOf<T>(
  value: string | null,
  byValue: ReadonlyMap<string, ReadonlySet<T>>,
): ReadonlySet<T> | undefined {
  return value === null ? undefined : byValue.get(value);
}

/** An attribute may have several values, and a filter may want more than one of them. */
function entriesOfAttribute<T>(
  subject: FilterSubject,
  field: `attributes.${string}`,
  byValue: ReadonlyMap<string, ReadonlySet<T>>,
): ReadonlySet<T> | undefined {
  const values = subject.attributes.get(field.slice(attributes.length));
  if (values === undefined) return undefined;
  if (values.length === 1) return byValue.get(String(values[0]));
  const found = new Set<T>();
  for (const value of values) for (const entry of byValue.get(String(value)) ?? []) found.add(entry);
  return found;
}

function isAttribute(field: EqualityField): field is `attributes.${string}` {
  return field.startsWith(attributes);
}

function bestTerm({ terms }: LiveFilter): EqualityTerm | undefined {
  for (const field of fields) {
    const term = terms.find((candidate) =>
      field === attributes ? isAttribute(candidate.field) : candidate.field === field,
    );
    if (term !== undefined) return term;
  }
  return undefined;
}
