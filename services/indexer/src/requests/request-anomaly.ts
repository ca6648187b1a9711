import { parseFilter, type Filter } from '@logloom/filter';
import { correlationDefaults, type Correlation } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';

/** How rare the shape of a request is: which services and message templates it has. */
export interface RequestAnomaly {
  shape: string;
  /** Requests that began in the window before it, and those of them that have its shape. */
  requests: number;
  sameShape: number;
  windowMs: number;
  /** Whether fewer than one in 200 of them have the same shape, if there are at least 200. */
  rare: boolean;
}

export const anomalyWindowMs = 86_400_000;
export const anomalyRequests = 200;
const windowMicros = anomalyWindowMs * 1000;

/**
 * Counts the documents that began in the 24 hours before this one: the result depends only on the documents, so on the log, and is always
 * the same as long as they are kept (docs/adr). Undefined for documents without a shape.
 */
export async function requestAnomaly(
  search: Pick<SearchStore, 'correlations'>,
  document: Correlation,
): Promise<RequestAnomaly | undefined> {
  return (await requestAnomalies(search, [document]))[0];
}

/**
 * The same for each of several documents. Successive windows differ by little: only the first is counted completely, the others by their
 * differences.
 */
export async function requestAnomalies(
  search: Pick<SearchStore, 'correlations'>,
  documents: readonly Correlation[],
): Promise<(RequestAnomaly | undefined)[]> {
  const count = async (from: number, to: number, filter?: Filter): Promise<number> => {
    if (from >= to) return 0;
    const range = { fromMicros: from, toMicros: to, limit: 1 };
    return (await search.correlations(filter === undefined ? range : { ...range, filter })).total.value;
  };
  const starts = [...new Set(documents.map(({ firstAt }) => firstAt))].sort((a, b) => a - b);
  const steps = await Promise.all(
    starts.map(async (at, i) => {
      const before = starts[i - 1];
      if (before === undefined) return count(at - windowMicros, at);
      const [came, went] = await Promise.all([
        count(before, at),
        count(before - windowMicros, at - windowMicros),
      ]);
      return came - went;
    }),
  );
  let sum = 0;
  const requestsAt = new Map(starts.map((at, i) => [at, (sum += steps[i]!)]));
  return Promise.all(
    documents.map(async (document) => {
      const { shape, firstAt } = { ...correlationDefaults, ...document };
      const filter = /^[0-9a-f]{16}$/.test(shape) ? parseFilter(`shape:${shape}`) : undefined;
      if (filter?.ok !== true) return undefined;
      const requests = requestsAt.get(firstAt)!;
      const sameShape = await count(firstAt - windowMicros, firstAt, filter.filter);
      return {
        shape,
        requests,
        sameShape,
        windowMs: anomalyWindowMs,
        rare: requests >= anomalyRequests && sameShape * anomalyRequests < requests,
      };
    }),
  );
}
