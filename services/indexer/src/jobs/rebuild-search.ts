import type { Archive } from '@logloom/archive';
import { topics, type PlacedEvent } from '@logloom/schemas';
import type { SearchRebuild, SearchStore } from '@logloom/search-store';
import { viewEpoch } from '../view-epoch.ts';
import type { LogAccess } from './dead-letters.ts';
import type { ExchangeLock } from './exchange-lock.ts';
import { LogReader, type Progress } from './log-reader.ts';

export interface RebuildDeps extends LogAccess {
  search: SearchStore;
  archive: Archive;
  /** Makes the indexer's writes to the search store wait. */
  exchangeLock: ExchangeLock;
}

export interface RebuildResult {
  events: number;
  correlations: number;
}

const batchRecords = 1000;
/** How many records may be left to read while writes wait, unless they never become so few. */
const fewRecords = 2000;
const maxRounds = 20;

/**
 * Rebuilds the search index from the log; events and documents that the log no longer has come from the archive and the old index. The old
 * one serves until the new one is complete. After a crash it starts over.
 */
export async function rebuildSearch(
  deps: RebuildDeps,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<RebuildResult> {
  const { log, search, exchangeLock } = deps;
  const rebuild = await search.rebuild();
  const reader = new LogReader(deps, signal, rebuild);
  try {
    await copyOlder(deps, rebuild, signal);
    for (let round = 0; round < maxRounds; round++) {
      const ends = await reader.ends();
      if (reader.distance(ends) <= fewRecords) break;
      await reader.readTo(ends, round === 0 ? onProgress : async () => {});
    }
    await exchangeLock.exclusive(async () => {
      await rebuild.seal();
      // Everything that was written before the writes had to wait is before these ends.
      await reader.readTo(await reader.ends(), async () => {});
      await rebuild.commit();
      await search.markFilled(await viewEpoch(log), reader.marks());
    });
    return await search.counts();
  } catch (error) {
    // The next attempt removes what this one cannot.
    await rebuild.discard().catch(() => {});
    throw error;
  }
}

/** Items from before the start of the log: events from the archive, documents from the index that still serves. */
async function copyOlder(
  { log, archive, search }: RebuildDeps,
  sink: SearchRebuild,
  signal: AbortSignal,
): Promise<void> {
  const eventStarts = await log.startOffsets(topics.events);
  if (eventStarts.some((start) => start > 0)) {
    let batch: PlacedEvent[] = [];
    const older = archive.scan(
      {
        fromMicros: Number.MIN_SAFE_INTEGER,
        toMicros: Number.MAX_SAFE_INTEGER,
        matches: ({ partition, offset }) => offset < (eventStarts[partition] ?? 0),
      },
      signal,
    );
    for await (const event of older) {
      batch.push(event);
      if (batch.length < batchRecords) continue;
      await sink.index(batch);
      batch = [];
    }
    signal.throwIfAborted();
    if (batch.length > 0) await sink.index(batch);
  }
  const documentStarts = await log.startOffsets(topics.correlations);
  if (documentStarts.every((start) => start === 0)) return;
  for (let cursor: string | undefined; ;) {
    signal.throwIfAborted();
    const page = await search.correlations({ limit: batchRecords, cursor });
    if (page.correlations.length > 0) await sink.indexCorrelations(page.correlations);
    cursor = page.next;
    if (cursor === undefined) return;
  }
}
