import type { ReadView } from '@logloom/column-store';
import type { Filter } from '@logloom/filter';
import type { Level } from '@logloom/schemas';
import { chooseBuckets } from '../histogram-interval.ts';
import type { Histogram, HistogramQuery, TimeRange } from '../search-store.ts';
import { matchingEvents } from './filtered-events.ts';

/** As SearchStore.histogram(). */
export async function histogramOf(
  view: ReadView,
  { filter, scope, intervalMs, ...range }: HistogramQuery,
): Promise<Histogram> {
  const known = await knownRange(view, range, scope);
  if (known === undefined) return { intervalMs: intervalMs ?? 1000, fromMicros: 0, toMicros: 0, buckets: [] };
  const { fromMicros, toMicros } = known;
  const buckets = chooseBuckets(fromMicros, toMicros, intervalMs);
  const width = buckets.intervalMs * 1000;
  // The division of whole numbers truncates toward zero, and times before 1970 are negative.
  const rows = await view.rows(
    `SELECT epoch_us(timestamp) // ${width} - (epoch_us(timestamp) % ${width} < 0)::INTEGER AS bucket, level, count(*)
     FROM ${await matchingEvents(view, filter, known)} GROUP BY ALL`,
  );
  const result: Histogram = { intervalMs: buckets.intervalMs, fromMicros, toMicros, buckets: [] };
  for (let i = buckets.first; i <= buckets.last; i++)
    result.buckets.push({ startMicros: i * width, count: 0, levels: {} });
  for (const [index, level, count] of rows) {
    const bucket = result.buckets[Number(index) - buckets.first]!;
    bucket.count += Number(count);
    bucket.levels[level as Level] = Number(count);
  }
  return result;
}

/** The range with its missing ends filled in from the events of `scope`. Undefined if both are missing and there are no events. */
export async function knownRange(
  view: ReadView,
  { fromMicros, toMicros }: TimeRange,
  scope: Filter | undefined,
): Promise<{ fromMicros: number; toMicros: number } | undefined> {
  if (fromMicros !== undefined && toMicros !== undefined)
    return { fromMicros: Math.min(fromMicros, toMicros), toMicros };
  const events = scope === undefined ? view.events() : await matchingEvents(view, scope, {});
  const [row] = await view.rows(`SELECT epoch_us(min(timestamp)), epoch_us(max(timestamp)) FROM ${events}`);
  const [first, last] = row!.map((micros) => (micros === null ? undefined : Number(micros)));
  const from = fromMicros ?? first ?? toMicros;
  if (from === undefined) return undefined;
  const to = toMicros ?? Math.max(from, last ?? from) + 1;
  return { fromMicros: Math.min(from, to), toMicros: to };
}
