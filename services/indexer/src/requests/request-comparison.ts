import { correlationDefaults, formatMicros, type Correlation } from '@logloom/schemas';
import { percentile, type SearchStore, type ShapeDuration } from '@logloom/search-store';

/** A request's duration beside those of earlier requests with the same shape: the same services and message templates. */
export interface RequestComparison {
  shape: string;
  /** How many it is compared with: the latest ones that began in the 24 hours before it, at most 500. */
  requests: number;
  /** When the first of them began; absent if there are none. */
  since?: string;
  /** Absent where the requests are too few to tell. */
  p50Ms?: number;
  p95Ms?: number;
  /** How many of them took less time than this request; absent like the median. */
  slowerThan?: number;
  /** Whether it took at least five times the median and longer than 95 % of them; never true where the median is absent. */
  slow: boolean;
}

const windowMicros = 86_400_000_000;
const maxCompared = 500;
const maxLoaded = 1000;
/** The median of fewer requests says little: of 20, the true one is between the 6th and the 15th with a probability of 96 %. */
const leastForMedian = 20;
/** The longest of n requests is longer than the true p95 with a probability of 1 − 0.95ⁿ: of 59, with 95 %. */
const leastForP95 = 59;
const slowFactor = 5;
const slowPart = 0.95;

/**
 * Compares each document with those of its shape that began before it; undefined for one without a shape. The result depends only on the
 * documents, so on the log: it is the same as long as they are kept (docs/adr, 43).
 */
export async function compareRequests(
  search: Pick<SearchStore, 'shapeDurations'>,
  documents: readonly Correlation[],
): Promise<(RequestComparison | undefined)[]> {
  const byShape = new Map<string, Correlation[]>();
  for (const document of documents) {
    const shape = shapeOf(document);
    if (shape !== '') byShape.set(shape, [...(byShape.get(shape) ?? []), document]);
  }
  const compared = new Map<Correlation, RequestComparison>();
  await Promise.all(
    [...byShape].map(async ([shape, of]) => {
      for (const [document, before] of await earlierOnes(search, shape, of))
        compared.set(document, compare(shape, document, before));
    }),
  );
  return documents.map((document) => compared.get(document));
}

/** The durations that each of the documents is compared with, which have one shape. Near ones have most of them in common. */
async function earlierOnes(
  search: Pick<SearchStore, 'shapeDurations'>,
  shape: string,
  documents: readonly Correlation[],
): Promise<[Correlation, ShapeDuration[]][]> {
  const latestFirst = documents.toSorted((a, b) => b.firstAt - a.firstAt);
  const earliest = latestFirst.at(-1)!.firstAt - windowMicros;
  const limit = Math.min(maxCompared + documents.length, maxLoaded);
  let loaded: ShapeDuration[] | undefined;
  const found: [Correlation, ShapeDuration[]][] = [];
  for (const document of latestFirst) {
    const toMicros = document.firstAt;
    const before = (): ShapeDuration[] =>
      loaded!
        .filter(({ firstAt }) => firstAt < toMicros && firstAt >= toMicros - windowMicros)
        .slice(0, maxCompared);
    const isWhole =
      loaded !== undefined &&
      (loaded.length < limit ||
        before().length === maxCompared ||
        loaded.at(-1)!.firstAt < toMicros - windowMicros);
    if (!isWhole) loaded = await search.shapeDurations({ shape, fromMicros: earliest, toMicros, limit });
    found.push([document, before()]);
  }
  return found;
}

function compare(shape: string, document: Correlation, before: readonly ShapeDuration[]): RequestComparison {
  const sorted = before.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const requests = sorted.length;
  const since = requests === 0 ? {} : { since: formatMicros(before.at(-1)!.firstAt) };
  if (requests < leastForMedian) return { shape, requests, ...since, slow: false };
  const durationMs = (document.lastAt - document.firstAt) / 1000;
  const p50Ms = percentile(sorted, 0.5);
  const slowerThan = sorted.filter((each) => each < durationMs).length;
  return {
    shape,
    requests,
    ...since,
    p50Ms,
    ...(requests < leastForP95 ? {} : { p95Ms: percentile(sorted, 0.95) }),
    slowerThan,
    slow: slowerThan >= slowPart * requests && durationMs >= slowFactor * p50Ms,
  };
}

/** The document's shape; empty where it has none. */
function shapeOf({ shape = correlationDefaults.shape }: Correlation): string {
  return shape;
}
