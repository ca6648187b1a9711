import type { AdmissionQueue } from '@logloom/runtime';
import type { Settings } from './settings.ts';
import { Counter, Gauge, Histogram, messagingSpan, type SpanSpec, type Telemetry } from '@logloom/telemetry';

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

/** Of the queries that were made in this thread; `count` returns how many. */
export function registerCancelMetric({ registry }: Pick<Telemetry, 'registry'>, count: () => number): void {
  new Counter({
    name: 'logloom_api_cancelled_queries_total',
    help: 'Queries that ended because who asked had gone.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(count());
    },
  });
}

/** Of the queue before the API, in the process that takes its requests. */
export function registerQueueMetrics({ registry }: Pick<Telemetry, 'registry'>, queue: AdmissionQueue): void {
  const registers = [registry];
  const totals = [
    ['started', 'Requests that were begun.'],
    ['refused', 'Requests answered 429 because too much was waiting.'],
    ['cancelled', 'Requests whose client disconnected before they got a slot.'],
  ] as const;
  for (const [name, help] of totals)
    new Counter({
      name: `logloom_api_${name}_requests_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(queue.counts[name]);
      },
    });
  new Gauge({
    name: 'logloom_api_requests',
    help: 'Requests in work and waiting.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'running' }, queue.running);
      this.set({ state: 'waiting' }, queue.waiting);
    },
  });
}

/** The indexer's metrics. */
export function createMetrics({ registry }: Telemetry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'logloom_indexer_events_total',
      help: 'Events that both stores have acknowledged.',
      registers,
    }),
    correlations: new Counter({
      name: 'logloom_indexer_correlations_total',
      help: 'Correlation documents that both stores have acknowledged.',
      registers,
    }),
    deadLetters: new Counter({
      name: 'logloom_indexer_dead_letters_total',
      help: 'Records that could not be decoded.',
      registers,
    }),
    duplicates: new Counter({
      name: 'logloom_indexer_copies_total',
      help: 'Events dropped because they are duplicates of one within the duplicate window.',
      registers,
    }),
    staleDocuments: new Counter({
      name: 'logloom_indexer_stale_documents_total',
      help: 'Correlation documents dropped because their position did not grow.',
      registers,
    }),
    lostRecords: new Counter({
      name: 'logloom_indexer_lost_records_total',
      help: 'Committed records that a view no longer had when it was opened; they are read from the log again.',
      labelNames: ['view'],
      registers,
    }),
    emptiedStores: new Counter({
      name: 'logloom_indexer_emptied_job_stores_total',
      help: 'How often the job store was found emptied: saved filters and schedules were set again, waiting jobs are gone.',
      registers,
    }),
    missingItems: new Gauge({
      name: 'logloom_indexer_missing_items',
      help: 'Events and documents that the last verification found missing in a view, and did not refill.',
      labelNames: ['view', 'kind'],
      registers,
    }),
    damagedFiles: new Counter({
      name: 'logloom_indexer_damaged_files_total',
      help: 'Files of the embedded stores that were damaged: moved to <name>.corrupt-<time> and made again.',
      labelNames: ['file'],
      registers,
    }),
    retries: new Counter({
      name: 'logloom_indexer_retries_total',
      help: 'Writes that a store refused for now.',
      labelNames: ['store'],
      registers,
    }),
    bulkEvents: new Histogram({
      name: 'logloom_indexer_bulk_events',
      help: 'Events in one bulk.',
      buckets: [1, 10, 100, 1000, 2000, 5000, 10_000],
      registers,
    }),
    bulkSeconds: new Histogram({
      name: 'logloom_indexer_bulk_seconds',
      help: 'How long both stores took for one bulk.',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    oldestUnread: new Gauge({
      name: 'logloom_log_oldest_unread_seconds',
      help: 'Age of the oldest record that a group has not read; past the retention Kafka deletes it. Looked at hourly.',
      labelNames: ['topic'],
      registers,
    }),
    committed: new Gauge({
      name: 'logloom_indexer_committed_offset',
      help: 'The next offset to read after a restart.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
  };
}

export type IndexerMetrics = ReturnType<typeof createMetrics>;
