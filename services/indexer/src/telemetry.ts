import { observeBudget, type AdmissionQueue } from '@logloom/runtime';
import { jobNames } from './jobs/job-names.ts';
import type { Settings } from './settings.ts';
import {
  combinations,
  counter,
  createAll,
  declareMetrics,
  gauge,
  histogram,
  messagingSpan,
  type SpanSpec,
  type Telemetry,
} from '@logloom/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The indexer's spans. */
export const spans = {
  process: (topic: string): SpanSpec => messagingSpan('process', topic, 'indexer'),
  index: ({ ELASTICSEARCH_URL: url }: Settings): SpanSpec => storeSpan('index', 'elasticsearch', url),
  archive: ({ MONGODB_URL: url }: Settings): SpanSpec => storeSpan('archive', 'mongodb', url),
};

/** A write to a store at `url`, or to the embedded one. */
function storeSpan(name: string, system: string, url: string | undefined): SpanSpec {
  // A MongoDB URL may list several hosts, which URL does not parse.
  const host = url === undefined ? undefined : /^[a-z+]+:\/\/(?:[^@/]*@)?([^/?,:]+)/.exec(url)?.[1];
  return {
    name,
    kind: 'client',
    attributes: {
      'db.system.name': url === undefined ? 'sqlite' : system,
      'db.operation.name': name,
      'server.address': host,
    },
  };
}

const unavailable = ['archive', 'auth', 'jobs', 'log', 'store'].map((what) => `${what}-unavailable`);

/** What is read from the API when metrics are asked for. */
export const apiMetrics = declareMetrics('services/indexer', {
  cancelledQueries: counter({
    name: 'logloom_api_cancelled_queries_total',
    unit: 'queries',
    help: 'Queries that ended because their client had gone',
  }),
  startedRequests: counter({
    name: 'logloom_api_started_requests_total',
    unit: 'requests',
    help: 'Requests that were begun',
  }),
  refusedRequests: counter({
    name: 'logloom_api_refused_requests_total',
    unit: 'requests',
    help: 'Requests answered 429 because too much was waiting',
  }),
  cancelledRequests: counter({
    name: 'logloom_api_cancelled_requests_total',
    unit: 'requests',
    help: 'Requests whose client disconnected before they got a slot',
  }),
  failedRequests: counter({
    name: 'logloom_api_failed_requests_total',
    unit: 'requests',
    help: 'Requests that were answered with an error, without those refused because too much was waiting',
    labels: { code: 'the error code' },
    known: combinations({ code: ['internal-error', 'timeout', ...unavailable] }),
  }),
  requestSeconds: histogram({
    name: 'logloom_api_request_duration_seconds',
    unit: 'seconds',
    help: 'From a request to its response, the time in the admission queue included',
    labels: {
      route: 'the path with its parameters by name; none: refused before it was known',
      status: 'class of the status: 2xx, 3xx, 4xx, 5xx',
    },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  }),
  requests: gauge({
    name: 'logloom_api_requests',
    unit: 'requests',
    help: 'Requests in the admission queue of the API',
    labels: { state: 'running, waiting' },
  }),
});

/** Of the queries that were made in this thread; `count` returns how many. */
export function registerCancelMetric({ registry }: Pick<Telemetry, 'registry'>, count: () => number): void {
  apiMetrics.cancelledQueries.observe(registry, (set) => set(count()));
}

/** Of the queue before the API, in the process that takes its requests. */
export function registerQueueMetrics({ registry }: Pick<Telemetry, 'registry'>, queue: AdmissionQueue): void {
  apiMetrics.startedRequests.observe(registry, (set) => set(queue.counts.started));
  apiMetrics.refusedRequests.observe(registry, (set) => set(queue.counts.refused));
  apiMetrics.cancelledRequests.observe(registry, (set) => set(queue.counts.cancelled));
  apiMetrics.requests.observe(registry, (set) => {
    set(queue.running, { state: 'running' });
    set(queue.waiting, { state: 'waiting' });
  });
  observeBudget(registry, 'api', queue.unsentLimitBytes, () => queue.unsentBytes);
}

/**
 * Measures every request to `/api`, from its head to the end of its response. `routeOf` returns the route of a request that another
 * thread answers.
 */
export function measureRequests(
  app: FastifyInstance,
  { registry }: Pick<Telemetry, 'registry'>,
  routeOf: (request: FastifyRequest) => string | undefined = ({ routeOptions }) => routeOptions.url,
): void {
  const seconds = apiMetrics.requestSeconds.create(registry);
  app.addHook('onResponse', (request, reply, done) => {
    if (request.url.startsWith('/api/'))
      seconds.observe(
        { route: routeOf(request) ?? 'none', status: `${Math.floor(reply.statusCode / 100)}xx` },
        reply.elapsedTime / 1000,
      );
    done();
  });
}

/** The indexer's metrics. */
export const indexerMetrics = declareMetrics('services/indexer', {
  events: counter({
    name: 'logloom_indexer_events_total',
    unit: 'events',
    help: 'Events that both stores have acknowledged',
  }),
  correlations: counter({
    name: 'logloom_indexer_correlations_total',
    unit: 'documents',
    help: 'Correlation documents that both stores have acknowledged',
  }),
  deadLetters: counter({
    name: 'logloom_indexer_dead_letters_total',
    unit: 'records',
    help: 'Records that were kept as dead letters',
    labels: { reason: 'the error code' },
    known: combinations({ reason: ['refused-by-store', 'undecodable-record'] }),
  }),
  duplicates: counter({
    name: 'logloom_indexer_copies_total',
    unit: 'events',
    help: 'Events dropped because they are duplicates of one within the duplicate window',
  }),
  staleDocuments: counter({
    name: 'logloom_indexer_stale_documents_total',
    unit: 'documents',
    help: 'Correlation documents dropped because their position did not grow',
  }),
  lostRecords: counter({
    name: 'logloom_indexer_lost_records_total',
    unit: 'records',
    help: 'Committed records that a view no longer had when it was opened; they are read from the log again',
    labels: { view: 'search, archive' },
    known: combinations({ view: ['search', 'archive'] }),
  }),
  emptiedStores: counter({
    name: 'logloom_indexer_emptied_job_stores_total',
    unit: 'times',
    help: 'How often the job store was found emptied: saved filters and schedules were set again, waiting jobs are gone',
  }),
  missingItems: gauge({
    name: 'logloom_indexer_missing_items',
    unit: 'items',
    help: 'Events and documents that the last verification found missing in a view, and did not refill',
    labels: { view: 'search, archive', kind: 'events, documents' },
  }),
  damagedFiles: counter({
    name: 'logloom_indexer_damaged_files_total',
    unit: 'files',
    help: 'Files of the embedded stores that were damaged: moved to <name>.corrupt-<time> and made again',
    labels: { file: 'the name of the file' },
  }),
  retries: counter({
    name: 'logloom_indexer_retries_total',
    unit: 'writes',
    help: 'Writes that a store refused for now',
    labels: { store: 'search, archive' },
    known: combinations({ store: ['search', 'archive'] }),
  }),
  bulkEvents: histogram({
    name: 'logloom_indexer_bulk_events',
    unit: 'events',
    help: 'Events in one bulk',
    buckets: [1, 10, 100, 1000, 2000, 5000, 10_000],
  }),
  bulkSeconds: histogram({
    name: 'logloom_indexer_bulk_seconds',
    unit: 'seconds',
    help: 'How long both stores took for one bulk',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  }),
  oldestUnread: gauge({
    name: 'logloom_log_oldest_unread_seconds',
    unit: 'seconds',
    help: 'Age of the oldest record that a group has not read; past the retention Kafka deletes it. Looked at hourly',
    labels: { topic: 'the topic' },
  }),
  jobs: counter({
    name: 'logloom_jobs_total',
    unit: 'attempts',
    help: 'Attempts at jobs that have ended',
    labels: {
      name: 'the kind of job',
      outcome: 'completed; retried: failed, and tried again; failed: for good',
    },
    known: combinations({
      name: Object.values(jobNames),
      outcome: ['completed', 'retried', 'failed'],
    }),
  }),
  jobSeconds: histogram({
    name: 'logloom_job_duration_seconds',
    unit: 'seconds',
    help: 'How long attempts at jobs took',
    labels: { name: 'the kind of job' },
    buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600],
  }),
  queuedJobs: gauge({
    name: 'logloom_queued_jobs',
    unit: 'jobs',
    help: 'Jobs of the store; looked at every 10 s',
    labels: { name: 'the kind of job', state: 'waiting, delayed, active, failed' },
    aggregator: 'max',
  }),
  webhooks: counter({
    name: 'logloom_webhooks_total',
    unit: 'requests',
    help: 'Requests to the webhooks of alerts',
    labels: { outcome: 'delivered; retried: no or a bad answer, and tried again; failed: for good' },
    known: combinations({ outcome: ['delivered', 'retried', 'failed'] }),
  }),
  webhookSeconds: histogram({
    name: 'logloom_webhook_duration_seconds',
    unit: 'seconds',
    help: 'How long webhooks took to answer, or to fail',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  alerts: gauge({
    name: 'logloom_alerts',
    unit: 'alerts',
    help: 'Alerts in the book, in the process that owns it',
    labels: { state: 'pending, firing, resolved', silenced: 'true, false' },
  }),
  alertChanges: counter({
    name: 'logloom_alert_changes_total',
    unit: 'changes',
    help: 'Changes of alerts: a new state, other silences, an acknowledgement',
    labels: { kind: 'state, silences, acknowledged', silenced: 'true, false' },
    known: combinations({ kind: ['state', 'silences', 'acknowledged'], silenced: ['true', 'false'] }),
  }),
  droppedAlerts: counter({
    name: 'logloom_alerts_dropped_total',
    unit: 'records',
    help: 'Records of alerts for which the book had no room: nobody is told of them',
  }),
  alertBookBytes: gauge({
    name: 'logloom_alert_book_bytes',
    unit: 'bytes',
    help: 'What the alerts take of ALERT_BOOK_BYTES, in the process that owns the book',
  }),
  committed: gauge({
    name: 'logloom_indexer_committed_offset',
    unit: 'offset',
    help: 'The next offset to read after a restart',
    labels: { topic: 'the topic', partition: 'the partition' },
  }),
});

/** Of the indexer, read when it is asked for. */
export const indexerQueue = declareMetrics('services/indexer', {
  queuedEvents: gauge({
    name: 'logloom_indexer_queued_events',
    unit: 'events',
    help: 'Events that were read and wait for the bulk before theirs',
  }),
});

export function createMetrics({ registry }: Pick<Telemetry, 'registry'>) {
  return createAll(indexerMetrics, registry);
}

export type IndexerMetrics = ReturnType<typeof createMetrics>;
