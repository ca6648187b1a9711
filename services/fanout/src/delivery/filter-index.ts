import type { EqualityTerm, FilterSubject } from '@logloom/filter';
import type { LiveFilter } from '../stream/stream-kind.ts';

type Field = EqualityTerm['field'];

/** The most selective first: a filter is indexed under the first of these that it requires. */
const fields: readonly Field[] = [
  'id',
  'correlationId',
  'traceId',
  'spanId',
  'host',
  'service',
  'correlationKind',
  'level',
];

/** Finds the filters that an event can match, by one equality that each requires; the others are not tested. */
export class FilterIndex<T extends { filter: LiveFilter }> {
  readonly #unfiled = new Set<T>();
  readonly #byField = new Map<Field, Map<string, Set<T>>>();

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
      const value = subject.event[field];
      const entries = value === null ? undefined : byValue.get(value);
      if (entries !== undefined) tests += this.#test(entries, subject, matching);
    }
    return tests;
  }

  #test(entries: ReadonlySet<T>, subject: FilterSubject, matching: T[]): number {
    for (const entry of entries) if (entry.filter.matches(subject)) matching.push(entry);
    return entries.size;
  }
}

function bestTerm({ terms }: LiveFilter): EqualityTerm | undefined {
  for (const field of fields) {
    const term = terms.find((candidate) => candidate.field === field);
    if (term !== undefined) return term;
  }
  return undefined;
}
