import { compilePredicate, FilterSubject, parseFilter, type FilterNode } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import type { LoadEvent } from './load-event.ts';

/** Whether an event of a run matches. */
export type FilterMatcher = (event: LoadEvent, correlationId: string | null, run: string) => boolean;

/** Fields that are known only when an event is stored. */
const unknownFields = ['id', 'correlationKind', 'timestamp', 'partition', 'offset'];

/** The filter as Logloom itself matches it. `filter` has no problem. */
export function filterMatcher(filter: string): FilterMatcher {
  const parsed = parseFilter(filter);
  if (!parsed.ok) throw new TypeError(parsed.error.message);
  const matches = compilePredicate(parsed.filter);
  return ({ n, service, level, message, host, attributes }, correlationId, run) =>
    matches(
      new FilterSubject({
        source: { kind: 'http', topic: '', partition: 0, offset: 0, index: 0 },
        timestamp: 0,
        receivedAt: 0,
        level,
        service,
        host: host ?? null,
        message,
        correlationId,
        correlationKind: null,
        traceId: null,
        spanId: null,
        attributes: JSON.stringify({ ...attributes, loadtest: { run, n } }),
        id: '',
        partition: 0,
        offset: 0,
      } satisfies PlacedEvent),
    );
}

/** Why a load test cannot use the filter; undefined: it can. */
export function filterProblem(filter: string): string | undefined {
  const parsed = parseFilter(filter);
  if (!parsed.ok) return `is no filter: ${parsed.error.message} (at ${parsed.error.position})`;
  const unknown = fieldsOf(parsed.filter.ast).find((field) => unknownFields.includes(field));
  return unknown === undefined
    ? undefined
    : `asks for ${unknown}, which follows from storing an event: what has to match would not be known`;
}

function fieldsOf(node: FilterNode): string[] {
  switch (node.type) {
    case 'not':
      return fieldsOf(node.child);
    case 'and':
    case 'or':
      return node.children.flatMap(fieldsOf);
    case 'keyword':
    case 'number':
      return [node.field];
    default:
      return [];
  }
}
