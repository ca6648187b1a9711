import {
  correlationDefaults,
  correlationToJson,
  type Correlation,
  type CorrelationJson,
} from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';

/** Another document that shares an id with this one. */
export type RelatedRequest = Pick<
  CorrelationJson,
  'id' | 'correlationId' | 'kind' | 'firstAt' | 'durationMs' | 'eventCount' | 'errorCount' | 'services'
> & {
  /** The shared ids. */
  shared: string[];
};

const maxRelated = 50;

/** The documents that share an id with this one, the latest first, at most 50. */
export async function relatedRequests(
  search: Pick<SearchStore, 'correlationsByIds'>,
  document: Correlation,
): Promise<RelatedRequest[]> {
  const found = await search.correlationsByIds(idsOf(document), maxRelated + 1);
  return relatedTo(document, found.filter(({ id }) => id !== document.id).slice(0, maxRelated));
}

/** What these other documents have in common with this one. */
export function relatedTo(document: Correlation, others: readonly Correlation[]): RelatedRequest[] {
  const ids = idsOf(document);
  return others.map((other) => {
    const { id, correlationId, kind, firstAt, durationMs, eventCount, errorCount, services } =
      correlationToJson(other);
    const theirs = new Set(idsOf(other));
    const shared = ids.filter((each) => theirs.has(each));
    return { id, correlationId, kind, firstAt, durationMs, eventCount, errorCount, services, shared };
  });
}

function idsOf(document: Correlation): string[] {
  return [document.correlationId, ...(document.ids ?? correlationDefaults.ids)];
}
