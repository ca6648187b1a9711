import { checkExposure, forwardedClientAddress, openAuthenticate, openSealer } from '@logloom/auth';
import { mongodbOf, openArchive } from '@logloom/archive';
import { openJobQueue, openJobRecords, redisOf } from '@logloom/job-queue';
import { connectLog, DataSpace } from '@logloom/runtime';
import { openColumnStore, type StoreHandle } from '@logloom/column-store';
import { cancelledQueries, elasticsearchOf, openSearchStore } from '@logloom/search-store';
import type { Settings } from '../settings.ts';
import { SecurityLog, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { readFileSync } from 'node:fs';
import { jobsFolder } from '../jobs/job-names.ts';
import { storesFolder } from '../run-indexer.ts';
import { apiMetrics, measureRequests, registerCancelMetric, registerQueueMetrics } from '../telemetry.ts';
import { guarded, watchEngines } from '../watch-engines.ts';
import { openCanaryStore } from '../canary/open-canary-store.ts';
import { LoadtestReaders } from '../loadtest/loadtest-readers.ts';
import { apiPageBytes, createApiQueue, createPrincipalName } from './api-queue.ts';
import { registerApi } from './api.ts';

/** How many requests Elasticsearch gets at once. */
const searchesAtOnce = 8;

/**
 * Adds the search API with its own read-only connections, so that it can run on another thread than the indexer. They are closed with the
 * app.
 */
export async function connectApi(
  app: FastifyInstance,
  settings: Settings,
  onError: (error: unknown) => void,
  telemetry?: Pick<Telemetry, 'logger' | 'registry'>,
  /** Whether requests pass admission control here, because the app itself accepts the connections. */
  { hasAdmission = false }: { hasAdmission?: boolean } = {},
): Promise<void> {
  checkExposure(settings);
  const sealer = openSealer({
    secret: settings.CURSOR_KEY,
    folder: settings.LOGLOOM_DATA,
    warn: (message) => telemetry?.logger.warn(message),
  });
  const authenticate = await openAuthenticate(settings);
  const connection = await connectLog(settings);
  // A process that an engine refuses must end: nothing may stay open.
  await using owned = new AsyncDisposableStack();
  owned.use(connection);
  const folder = storesFolder(settings.LOGLOOM_DATA);
  const memoryBytes = settings.STORE_MEMORY_BYTES;
  const onTrouble = (message: string): void => telemetry?.logger.warn(message);
  const elasticsearch = { ...elasticsearchOf(settings), onTrouble };
  const { elasticsearchUrl } = elasticsearch;
  const watches = watchEngines(settings);
  const search = guarded(
    watches.search,
    await openSearchStore({
      ...elasticsearch,
      folder,
      memoryBytes,
      readOnly: true,
      pageBytes: apiPageBytes(),
    }),
  );
  // Opened by the first statement of SQL: most processes never have one.
  let files: StoreHandle | undefined;
  const archive = guarded(
    watches.archive,
    await openArchive({ ...mongodbOf(settings), onTrouble, folder, memoryBytes, readOnly: true }),
  );
  const jobsStore = {
    ...redisOf(settings),
    folder: jobsFolder(settings.LOGLOOM_DATA),
    onTrouble,
  };
  const jobs = guarded(watches.jobs, await openJobQueue(jobsStore), { unwatched: ['process'] });
  const records = guarded(watches.jobs, await openJobRecords(jobsStore));
  const canary = await openCanaryStore(settings, { ...elasticsearch, readOnly: true });
  const space =
    settings.KAFKA_BROKERS === undefined
      ? new DataSpace({ folder: settings.LOGLOOM_DATA, reserveBytes: settings.DISK_RESERVE_BYTES })
      : undefined;
  const closing = new AbortController();
  void space?.run(closing.signal);
  if (telemetry !== undefined) space?.observe(telemetry);
  const loadtest = new LoadtestReaders(settings, { onTrouble, watches, pageBytes: apiPageBytes() });
  const kept = owned.move();
  app.addHook('onClose', async () => {
    closing.abort();
    await loadtest.close();
    await Promise.all([
      canary?.close(),
      files?.close(),
      search.close(),
      archive.close(),
      jobs.close(),
      records.close(),
    ]);
    await kept.disposeAsync();
  });
  // The embedded store answers one query after the other.
  const queue = hasAdmission
    ? {
        queue: createApiQueue(elasticsearchUrl === undefined ? 2 : searchesAtOnce),
        principalName: createPrincipalName(authenticate, settings),
      }
    : undefined;
  if (telemetry !== undefined && queue !== undefined) {
    registerCancelMetric(telemetry, cancelledQueries);
    registerQueueMetrics(telemetry, queue.queue);
    measureRequests(app, telemetry);
  }
  const failed = telemetry && apiMetrics.failedRequests.create(telemetry.registry);
  registerApi(app, {
    search,
    canary,
    loadtest: () => loadtest.open(),
    archive,
    log: connection.log,
    serde: connection.serde,
    jobs: { queue: jobs, records },
    space,
    version,
    authenticate,
    pageBytes: apiPageBytes(),
    alertBookBytes: settings.ALERT_BOOK_BYTES,
    queue,
    sealer,
    security: telemetry && new SecurityLog(telemetry),
    sql:
      elasticsearchUrl === undefined
        ? {
            folder,
            read: (work) => {
              files ??= openColumnStore(folder, 'search', { readOnly: true });
              return files.run((store) => store.read('search', work, { limitMs: settings.SQL_LIMIT_MS }));
            },
            settings: {
              memoryBytes: settings.SQL_MEMORY_BYTES,
              limitMs: settings.SQL_LIMIT_MS,
              maxRows: settings.SQL_MAX_ROWS,
              maxBytes: settings.SQL_MAX_BYTES,
            },
          }
        : undefined,
    auditReads: settings.AUDIT_READS,
    addressOf: forwardedClientAddress(settings.LIVE_TRUSTED_PROXIES),
    filterLimits: {
      terms: settings.LIVE_FILTER_TERMS,
      depth: settings.LIVE_FILTER_DEPTH,
      wildcards: settings.LIVE_FILTER_WILDCARDS,
    },
    onFailure: failed && ((code) => failed.inc({ code })),
    onError,
  });
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
