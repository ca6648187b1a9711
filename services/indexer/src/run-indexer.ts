import { mongodbOf, openArchive } from '@logloom/archive';
import type { Assignment, EventLog, PartitionHandler } from '@logloom/event-log';
import {
  createSqliteJobRecords,
  openJobQueue,
  redisOf,
  openJobRecords,
  setAsideDamagedJobFiles,
} from '@logloom/job-queue';
import { AddressRules, allowedHosts, openNotifier } from '@logloom/notify';
import { connectLog, createGapReport, LagWatch, type RemovalClock, type RunService } from '@logloom/runtime';
import { topics, type FillMark } from '@logloom/schemas';
import { elasticsearchOf, openSearchStore } from '@logloom/search-store';
import type { DamagedFile } from '@logloom/sqlite';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EventAges, type Logger } from '@logloom/telemetry';
import { keepAlerts, type KeepAlertsDeps } from './alerts/keep-alerts.ts';
import { observeAlerts } from './alerts/observe-alerts.ts';
import { tellReceivers } from './alerts/tell-receivers.ts';
import { groupPositions } from './api/consumer-groups.ts';
import { CanaryView } from './canary/canary-view.ts';
import { openCanaryStore } from './canary/open-canary-store.ts';
import { LoadtestStores, usersDocuments, usersEvents } from './loadtest/loadtest-stores.ts';
import { loadtestFolder, openLoadtestStores } from './loadtest/open-loadtest-stores.ts';
import { FillMarks, ViewLostError } from './indexing/fill-marks.ts';
import { IndexBatches } from './indexing/index-batches.ts';
import { indexPartition } from './indexing/index-partition.ts';
import { ExchangeLock } from './jobs/exchange-lock.ts';
import { jobsFolder } from './jobs/job-names.ts';
import { queueAlerts } from './jobs/queue-alerts.ts';
import { createRetentionClock } from './jobs/retention-clock.ts';
import { runJobs } from './jobs/run-jobs.ts';
import { createMetrics, indexerQueue, spans } from './telemetry.ts';
import { reportTakeOver } from './report-take-over.ts';
import { viewEpoch } from './view-epoch.ts';
import { guarded, problemsOf, watchEngines } from './watch-engines.ts';
import type { Settings } from './settings.ts';

/** The folder of the embedded search store and archive, in the data folder. */
export function storesFolder(dataFolder: string): string {
  return join(dataFolder, 'stores');
}

const recordsPerBatch = 2000;

/** Writes logs.events and logs.correlations to the search store and the archive, and runs the jobs, until the signal aborts. */
export const runIndexer: RunService<Settings> = async ({
  settings,
  telemetry,
  signal,
  onReady,
  checks,
  env = {},
}) => {
  await using connection = await connectLog(settings, {}, telemetry, signal, true);
  const { log, serde } = connection;
  await using cleanUp = new AsyncDisposableStack();
  const { logger } = telemetry;
  const metrics = createMetrics(telemetry);
  const onDamaged = ({ file, movedTo, error }: DamagedFile): void => {
    metrics.damagedFiles.inc({ file: basename(file) });
    logger.error({ file, movedTo, err: error }, 'a file was damaged; it was moved away and is rebuilt');
  };
  const folder = storesFolder(settings.LOGLOOM_DATA);
  const onTrouble = (message: string): void => logger.warn(message);
  const elasticsearch = { ...elasticsearchOf(settings), onTrouble };
  const { elasticsearchUrl } = elasticsearch;
  const epoch = await log.epochOf(topics.events);
  const indexMode = settings.ELASTICSEARCH_INDEX_MODE;
  const memoryBytes = settings.STORE_MEMORY_BYTES;
  const embedded = {
    folder,
    memoryBytes,
    epoch,
    onDamaged,
    onFailed: (error: unknown) => logger.warn({ err: error }, 'files of the stores could not be merged'),
    onTakeOver: reportTakeOver(logger),
  };
  const watches = watchEngines(settings);
  const search = cleanUp.adopt(
    guarded(watches.search, await openSearchStore({ ...elasticsearch, ...embedded, indexMode }), {
      repeated: ['index', 'indexCorrelations'],
      unwatched: ['problem'],
    }),
    (store) => store.close(),
  );
  const evaluating = cleanUp.adopt(
    guarded(watches.search, await openSearchStore({ ...elasticsearch, folder, memoryBytes, readOnly: true })),
    (store) => store.close(),
  );
  const archive = cleanUp.adopt(
    guarded(watches.archive, await openArchive({ ...mongodbOf(settings), ...embedded, onTrouble }), {
      repeated: ['put', 'putCorrelations'],
      unwatched: ['problem'],
    }),
    (store) => store.close(),
  );
  for (const check of [
    connection.problem,
    ...problemsOf(watches),
    () => search.problem?.(),
    () => archive.problem?.(),
  ])
    checks?.add(check);
  const jobsStore = {
    ...redisOf(settings),
    folder: jobsFolder(settings.LOGLOOM_DATA),
    onTrouble,
  };
  if (settings.REDIS_URL === undefined) setAsideDamagedJobFiles(jobsStore.folder).forEach(onDamaged);
  const queue = cleanUp.adopt(await openJobQueue(jobsStore), (opened) => opened.close());
  const records = cleanUp.adopt(await openJobRecords(jobsStore), (opened) => opened.close());
  checks?.add(() => queue.problem?.() ?? records.problem?.());
  const recordsBackup =
    settings.REDIS_URL === undefined
      ? undefined
      : cleanUp.adopt(createSqliteJobRecords(join(jobsStore.folder, 'copy')), (opened) => opened.close());
  const notifier = cleanUp.use(
    await openNotifier({ settings, env, queue, records, telemetry, nowMs: Date.now }),
  );
  const retentionClock = createRetentionClock({ log, records, logger, nowMs: Date.now });
  const exchangeLock = new ExchangeLock();
  const { tracing } = telemetry;
  const canaryStore = await openCanaryStore(settings, { ...elasticsearch, onDamaged, epoch });
  if (canaryStore !== undefined) cleanUp.defer(() => canaryStore.close());
  const canary =
    canaryStore &&
    new CanaryView({
      store: canaryStore,
      onFailure: (error) => logger.warn({ err: error }, "the canary's events could not be stored"),
      nowMs: Date.now,
    });
  const isEmbedded = elasticsearchUrl === undefined && settings.MONGODB_URL === undefined;
  const loadtest = new LoadtestStores({
    open: () => openLoadtestStores(settings, { epoch, onTrouble, watches }),
    records,
    retainedFrom: () => retainedFrom(settings.LOADTEST_RETENTION_MS, retentionClock),
    removeFiles: isEmbedded
      ? () => rmSync(loadtestFolder(settings), { recursive: true, force: true })
      : undefined,
    onFailure: (error) => logger.warn({ err: error }, "a load test's events could not be stored"),
  });
  cleanUp.defer(() => loadtest.close());
  const batches = new IndexBatches({
    targets: [
      {
        name: 'search',
        span: spans.index(settings),
        retainedFrom: () => retainedFrom(settings.SEARCH_RETENTION_MS, retentionClock),
        putEvents: (events) => exchangeLock.write(() => search.index(usersEvents(events))),
        putCorrelations: (documents) =>
          exchangeLock.write(() => search.indexCorrelations(usersDocuments(documents))),
      },
      {
        name: 'archive',
        span: spans.archive(settings),
        retainedFrom: () => retainedFrom(settings.ARCHIVE_RETENTION_MS, retentionClock),
        putEvents: (events) => archive.put(usersEvents(events)),
        putCorrelations: (documents) => archive.putCorrelations(usersDocuments(documents)),
      },
      ...loadtest.targets,
    ],
    tracing,
    signal,
    onRetry: (store, error) => {
      metrics.retries.inc({ store });
      telemetry.logger.warn({ store, err: error }, 'a store refused a write; retrying');
    },
    onBulk: (events, correlations, seconds) => {
      metrics.events.inc(events);
      metrics.correlations.inc(correlations);
      metrics.bulkEvents.observe(events);
      metrics.bulkSeconds.observe(seconds);
    },
  });
  const gaps = createGapReport(telemetry, [
    { consumer: 'indexer', topic: topics.events },
    { consumer: 'indexer', topic: topics.correlations },
    { consumer: 'alerts', topic: topics.alerts },
  ]);
  const oldestUnread = (topic: string, seconds: number): void => metrics.oldestUnread.set({ topic }, seconds);
  // When a topic is recreated, the old topic's marks do not apply to it.
  const marksOf = new Map<string, Promise<FillMarks>>();
  const currentMarks = async (): Promise<FillMarks> => {
    const epoch = await viewEpoch(log);
    let marks = marksOf.get(epoch);
    if (marks === undefined) {
      marksOf.clear();
      marksOf.set(epoch, (marks = openMarks(epoch)));
    }
    return marks;
  };
  const openMarks = async (epoch: string): Promise<FillMarks> => {
    const marks = new FillMarks({
      views: [
        { name: 'search', store: search },
        { name: 'archive', store: archive },
      ],
      epoch,
      onLost: (lost) => {
        metrics.lostRecords.inc({ view: lost.view }, lost.to - lost.from);
        logger.error(lost, 'a view lost committed records; they are read from the log again');
      },
      onRetry: (store, error) => {
        metrics.retries.inc({ store });
        logger.warn({ store, err: error }, 'the marks of a store cannot be read; retrying');
      },
      signal,
    });
    await marks.adopt(await committedMarks(log));
    return marks;
  };
  await currentMarks();
  onReady();
  // If either side ends, the other ends too: half a service would look alive.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  indexerQueue.queuedEvents.observe(telemetry.registry, (set) => set(batches.queuedEvents));
  const ages = new EventAges(telemetry, 'searchable');
  const lagWatch = new LagWatch({ log, telemetry, consumers: () => groupPositions(log) });
  const deps = { log, serde, batches, metrics, ages, tracing, gaps, canary, nowMs: Date.now };
  const alertDeps: KeepAlertsDeps = {
    log,
    serde,
    logger,
    tell: tellReceivers(notifier),
    observe: observeAlerts(metrics),
    limitBytes: settings.ALERT_BOOK_BYTES,
    retentionMs: settings.LOG_RETENTION_MS,
    nowMs: Date.now,
  };
  const parts = [
    lagWatch.run(stop),
    untilViewsHold(stop, logger, () =>
      log.consume(
        {
          group: 'indexer',
          topics: [topics.events, topics.correlations],
          maxRecords: recordsPerBatch,
          open: async (assignment) => indexPartition({ ...deps, marks: await currentMarks() }, assignment),
        },
        stop,
      ),
    ),
    log.consume(
      {
        group: 'alerts',
        topics: [topics.alerts],
        open: async (assignment) => {
          const open = (each: Assignment): PartitionHandler => queueAlerts({ log, serde, queue, gaps }, each);
          return assignment.partition === 0 ? keepAlerts(alertDeps, assignment, open) : open(assignment);
        },
      },
      stop,
    ),
    runJobs(
      {
        log,
        serde,
        search,
        evaluating,
        archive,
        loadtest,
        exchangeLock,
        queue,
        records,
        recordsBackup,
        settings,
        webhookHosts: webhookHosts(settings),
        notifier,
        logger,
        gaps,
        metrics,
        oldestUnread,
        retentionClock,
        nowMs: Date.now,
      },
      stop,
    ),
    log.maintain?.(stop) ?? Promise.resolve(),
  ];
  for (const part of parts) part.catch(() => failed.abort());
  for (const result of await Promise.allSettled(parts)) if (result.status === 'rejected') throw result.reason;
};

/** Consumes again, from where the views need it, whenever one has lost its data while the service runs. */
async function untilViewsHold(
  signal: AbortSignal,
  logger: Logger,
  consume: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      return await consume();
    } catch (error) {
      if (!(error instanceof ViewLostError) || signal.aborted) throw error;
      logger.error({ err: error }, 'a view lost its data while the indexer ran');
    }
  }
}

/** Where the webhooks of rules may be: anywhere but at link-local addresses, as before there was the setting, until it is set. */
function webhookHosts(settings: Settings): AddressRules {
  const isSet = settings.RECEIVERS_ALLOWED_HOSTS.length > 0;
  return new AddressRules(allowedHosts(settings), isSet ? 'not-public' : 'link-local');
}

/** In microseconds. */
function retainedFrom(retentionMs: number | undefined, { latest }: Pick<RemovalClock, 'latest'>): number {
  return retentionMs === undefined ? -Infinity : (latest - retentionMs) * 1000;
}

/** The group's commits. */
async function committedMarks(log: EventLog): Promise<FillMark[]> {
  const marks: FillMark[] = [];
  for (const topic of [topics.events, topics.correlations])
    for (const [partition, commit] of (await log.committed('indexer', topic)).entries())
      if (commit !== null) marks.push({ topic, partition, offset: commit.offset });
  return marks;
}
