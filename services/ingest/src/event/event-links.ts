import {
  canaryKind,
  forEachOtherId,
  isPlaceholderId,
  loadtestKind,
  type IdKind,
  type Link,
  type LogEvent,
} from '@logloom/schemas';

export interface LinkOptions {
  /** The order of ids, which decides whose request takes the other's. */
  order: readonly IdKind[];
  /** The kinds of ids that join. */
  joins: ReadonlySet<IdKind>;
}

/** Longer ones are refused in fields, but not in attributes. */
const maxIdLength = 256;

/** Calls back with the links by which the other ids of an event join the request of its correlation id. */
export function forEachLink(
  event: LogEvent,
  { order, joins }: LinkOptions,
  visit: (link: Omit<Link, 'cause'>) => void,
): void {
  const { correlationId: into, correlationKind: kind } = event;
  if (into === null || kind === null || kind === loadtestKind || kind === canaryKind) return;
  if (!joins.has(kind as IdKind)) return;
  forEachOtherId(event, (id, other) => {
    if (id === into || !joins.has(other) || id.length > maxIdLength || isPlaceholderId(id)) return;
    visit({ id, into, kind, rank: order.indexOf(kind as IdKind) });
  });
}
