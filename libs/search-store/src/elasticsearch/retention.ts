import type { Client, estypes } from '@elastic/elasticsearch';
import type { BulkWriter } from './bulk.ts';
import { storeIndices } from './generations.ts';
import { endOfIndex, type IndexNames } from './indices.ts';
import { runSearch } from './search.ts';

const step = 5000;
const searchLimitMs = 60_000;

/**
 * Removes the events before `micros`: indices whose day is over by then as a whole, at no cost; the rest one by one, which is slow if
 * `micros` is not the beginning of a UTC day. Returns how many events were removed.
 */
export async function deleteEventsBefore(
  client: Client,
  writer: BulkWriter,
  names: IndexNames,
  micros: number,
): Promise<number> {
  await client.indices.refresh({ index: names.events, ignore_unavailable: true });
  let total = 0;
  for (const { index, name, isServing } of await storeIndices(client, names)) {
    const end = endOfIndex(names, name);
    if (!isServing || end === undefined || end > micros) continue;
    const { hits } = await runSearch(client, { index, size: 0, track_total_hits: true }, searchLimitMs);
    await client.indices.delete({ index, ignore_unavailable: true });
    total += (hits.total as estypes.SearchTotalHits).value;
  }
  return total + (await deleteMatching(client, writer, names.events, 'logloom.timestamp', micros));
}

/** Removes the correlation documents whose last member was before `micros`. Returns how many. */
export async function deleteCorrelationsBefore(
  client: Client,
  writer: BulkWriter,
  names: IndexNames,
  micros: number,
): Promise<number> {
  await client.indices.refresh({ index: names.correlations, ignore_unavailable: true });
  return deleteMatching(client, writer, names.correlations, 'last_at', micros);
}

/** Some servers lack _delete_by_query, and it does no more than this. */
async function deleteMatching(
  client: Client,
  writer: BulkWriter,
  index: string,
  field: string,
  micros: number,
): Promise<number> {
  let total = 0;
  for (;;) {
    const { hits } = await runSearch(
      client,
      { index, size: step, query: { range: { [field]: { lt: micros } } }, _source: false, version: true },
      searchLimitMs,
    );
    if (hits.hits.length === 0) return total;
    await writer.write(hits.hits, deletion);
    total += hits.hits.length;
    await client.indices.refresh({ index, ignore_unavailable: true });
  }
}

/** The version is sent so that only this revision is deleted, not a later one. */
function deletion({ _index, _id, _version }: estypes.SearchHit): string {
  const meta = { _index, _id, version: _version, version_type: 'external_gte' };
  return JSON.stringify({ delete: meta });
}
