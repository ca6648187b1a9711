import { openArchive } from '@logloom/archive';
import { connectLog, type RunService } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { join } from 'node:path';
import { IndexBatches } from './index-batches.ts';
import { indexPartition } from './index-partition.ts';
import { createMetrics, spans } from './telemetry.ts';

/** The folder of the embedded search store and archive, in the data folder. */
export function storesFolder(dataFolder: string): string {
  return join(dataFolder, 'stores');
}

const recordsPerBatch = 2000;

/** Writes logs.events and logs.correlations to the search store and the archive until the signal aborts. */
export const runIndexer: RunService = async ({ settings, telemetry, signal, onReady }) => {
  await using connection = await connectLog(settings, {}, telemetry);
  const { log, serde } = connection;
  await using cleanUp = new AsyncDisposableStack();
  const folder = storesFolder(settings.LOGLOOM_DATA);
  const elasticsearchUrl = settings.ELASTICSEARCH_URL;
  const search = cleanUp.adopt(await openSearchStore({ elasticsearchUrl, folder }), (store) => store.close());
  const archive = cleanUp.adopt(await openArchive({ mongodbUrl: settings.MONGODB_URL, folder }), (store) =>
    store.close(),
  );
  const metrics = createMetrics(telemetry);
  const { tracing } = telemetry;
  const batches = new IndexBatches({
    targets: [
      {
        name: 'search',
        span: spans.index(settings),
        putEvents: (events) => search.index(events),
        putCorrelations: (documents) => search.indexCorrelations(documents),
      },
      {
        name: 'archive',
        span: spans.archive(settings),
        putEvents: (events) => archive.put(events),
        putCorrelations: (documents) => archive.putCorrelations(documents),
      },
    ],
    tracing,
    signal,
    onRetry: (store, error) => {
      metrics.retries.inc({ store });
      telemetry.logger.warn({ store, err: error }, 'a store refused a write; trying again');
    },
    onBulk: (events, correlations, seconds) => {
      metrics.events.inc(events);
      metrics.correlations.inc(correlations);
      metrics.bulkEvents.observe(events);
      metrics.bulkSeconds.observe(seconds);
    },
  });
  const stored = await Promise.all([search.counts(), archive.counts()]);
  const rebuild = stored.some(({ events, correlations }) => events + correlations === 0);
  onReady();
  await log.consume(
    {
      group: 'indexer',
      topics: [topics.events, topics.correlations],
      maxRecords: recordsPerBatch,
      open: (assignment) =>
        indexPartition({ log, serde, batches, metrics, tracing, rebuild, now: Date.now }, assignment),
    },
    signal,
  );
};
