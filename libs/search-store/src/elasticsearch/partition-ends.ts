import { SearchStoreError } from '../search-store.ts';
import type { Query, RunSearch } from './search.ts';

/** The highest offset of each partition: events are only added beyond. */
export type PartitionEnds = [partition: number, last: number][];

/** More partitions than a topic has. */
const maxPartitions = 10_000;

interface Aggregations {
  partitions: { buckets: { key: number; last: { value: number } }[] };
}

export async function partitionEnds(run: RunSearch, index: string): Promise<PartitionEnds> {
  const { aggregations } = await run<never, Aggregations>({
    index,
    size: 0,
    aggs: {
      partitions: {
        terms: { field: 'logloom.partition', size: maxPartitions },
        aggs: { last: { max: { field: 'logloom.offset' } } },
      },
    },
  });
  return (aggregations?.partitions.buckets ?? []).map(({ key, last }) => [key, last.value]);
}

/** The events up to the ends. */
export function upTo(ends: PartitionEnds): Query {
  const should = ends.map(([partition, last]) => ({
    bool: {
      filter: [{ term: { 'logloom.partition': partition } }, { range: { 'logloom.offset': { lte: last } } }],
    },
  }));
  return should.length === 0 ? { match_none: {} } : { bool: { should, minimum_should_match: 1 } };
}

export function packEnds(ends: PartitionEnds): string {
  return Buffer.from(JSON.stringify(ends)).toString('base64url');
}

/** Throws SearchStoreError `bad-cursor`. */
export function unpackEnds(text: string): PartitionEnds {
  let ends: unknown;
  try {
    ends = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    ends = undefined;
  }
  const isEnd = (end: unknown): boolean =>
    Array.isArray(end) && end.length === 2 && end.every((part) => Number.isSafeInteger(part));
  if (!Array.isArray(ends) || !ends.every(isEnd))
    throw new SearchStoreError('bad-cursor', 'this is not a snapshot that a scan returned');
  return ends as PartitionEnds;
}
