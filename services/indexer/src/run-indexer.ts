import { openArchive } from '@logloom/archive';
import { openJobQueue, openJobRecords } from '@logloom/job-queue';
import { connectLog, type RunService } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { openSearchStore } from '@logloom/search-store';
import { join } from 'node:path';
import { IndexBatches } from './index-batches.ts';
import { indexPartition } from './index-partition.ts';
import { jobsFolder } from './jobs/job-names.ts';
import { queueAlerts } from './jobs/queue-alerts.ts';
import { runJobs } from './jobs/run-jobs.ts';
import { WriteGate } from './jobs/write-gate.ts';
import { createMetrics, spans } from './telemetry.ts';

/** The folder of the embedded search store and archive, in the data folder. */
export function storesFolder(dataFolder: string): string {
  return join(dataFolder, 'stores');
}

const recordsPerBatch = 2000;

/** Writes logs.events and logs.correlations to the search store and the archive, and works the jobs, until the signal aborts. */
export const runIndexer: RunService = async ({ settings, telemetry, signal, onReady }) => {
  await using connection = await connectLog(settings, {}, telemetry);
  const { log, serde } = connection;
  await using cleanUp = new AsyncDisposableStack();
  const folder = storesFolder(settings.LOGLOOM_DATA);
  const elasticsearchUrl = settings.ELASTICSEARCH_URL;
  const indexMode = settings.ELASTICSEARCH_INDEX_MODE;
  const search = cleanUp.adopt(await openSearchStore({ elasticsearchUrl, indexMode, folder }), (store) =>
    store.close(),
  );
  const archive = cleanUp.adopt(await openArchive({ mongodbUrl: settings.MONGODB_URL, folder }), (store) =>
    store.close(),
  );
  const jobsStore = { redisUrl: settings.REDIS_URL, folder: jobsFolder(settings.LOGLOOM_DATA) };
  const queue = cleanUp.adopt(await openJobQueue(jobsStore), (opened) => opened.close());
  const records = cleanUp.adopt(await openJobRecords(jobsStore), (opened) => opened.close());
  const gate = new WriteGate();
  const metrics = createMetrics(telemetry);
  const { tracing } = telemetry;
  const batches = new IndexBatches({
    targets: [
      {
        name: 'search',
        span: spans.index(settings),
        putEvents: (events) => gate.write(() => search.index(events)),
        putCorrelations: (documents) => gate.write(() => search.indexCorrelations(documents)),
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
  const isEmpty = stored.some(({ events, correlations }) => events + correlations === 0);
  // The log is read from its start once, not at every rebalance.
  const begun = new Set<string>();
  onReady();
  // Either side's end ends the other: half a service would look alive.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const { logger } = telemetry;
  const parts = [
    log.consume(
      {
        group: 'indexer',
        topics: [topics.events, topics.correlations],
        maxRecords: recordsPerBatch,
        open: async (assignment) => {
          const place = `${assignment.topic}/${assignment.partition}`;
          const rebuild = isEmpty && !begun.has(place);
          const deps = { log, serde, batches, metrics, tracing, rebuild, now: Date.now };
          const handler = await indexPartition(deps, assignment);
          begun.add(place);
          return handler;
        },
      },
      stop,
    ),
    log.consume(
      {
        group: 'alerts',
        topics: [topics.alerts],
        open: async (assignment) => queueAlerts({ log, serde, queue }, assignment),
      },
      stop,
    ),
    runJobs({ log, serde, search, archive, gate, queue, records, settings, logger, now: Date.now }, stop),
  ];
  for (const part of parts) part.catch(() => failed.abort());
  for (const result of await Promise.allSettled(parts)) if (result.status === 'rejected') throw result.reason;
};
