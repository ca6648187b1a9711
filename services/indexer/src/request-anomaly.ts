import { parseFilter } from '@logloom/filter';
import { correlationDefaults, type Correlation } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';

/** How rare the shape of a request is: which services and message templates it has. */
export interface RequestAnomaly {
  shape: string;
  /** Requests that began in the window before it, and those of them that have its shape. */
  requests: number;
  sameShape: number;
  windowMs: number;
  /** Whether fewer than one in 200 of them are alike, where there are 200 at least. */
  rare: boolean;
}

export const anomalyWindowMs = 86_400_000;
export const anomalyRequests = 200;

/**
 * Counts the documents that began in the 24 hours before this one: the answer follows from the documents, so from the log, and is the
 * same whenever it is asked, as long as they are kept (docs/adr). Undefined for documents without a shape.
 */
export async function requestAnomaly(
  search: Pick<SearchStore, 'correlations'>,
  document: Correlation,
): Promise<RequestAnomaly | undefined> {
  const { shape, firstAt } = { ...correlationDefaults, ...document };
  if (!/^[0-9a-f]{16}$/.test(shape)) return undefined;
  const parsed = parseFilter(`shape:${shape}`);
  if (!parsed.ok) return undefined;
  const window = { fromMicros: firstAt - anomalyWindowMs * 1000, toMicros: firstAt, limit: 1 };
  const [all, same] = await Promise.all([
    search.correlations(window),
    search.correlations({ ...window, filter: parsed.filter }),
  ]);
  const requests = all.total.value;
  const sameShape = same.total.value;
  return {
    shape,
    requests,
    sameShape,
    windowMs: anomalyWindowMs,
    rare: requests >= anomalyRequests && sameShape * anomalyRequests < requests,
  };
}
