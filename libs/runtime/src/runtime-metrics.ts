import { counter, declareMetrics, gauge, type Telemetry } from '@logloom/telemetry';

const consumerLabels = {
  group: 'the consumer group; fanout: a node of the live tier, which reads without one',
  topic: 'the topic',
  partition: 'the partition',
};

/** What the services have in common: the log, the disk, memory. */
export const runtimeMetrics = declareMetrics('libs/runtime', {
  ready: gauge({
    name: 'logloom_ready',
    unit: 'boolean',
    help: 'Is 1 where /health/ready answers 200; 0 while the service starts, drains, or something prevents it from working',
    aggregator: 'min',
  }),
  gapRecords: counter({
    name: 'logloom_log_gap_records_total',
    unit: 'records',
    help: 'Records that a consumer never got, because they had left the log before',
    labels: { consumer: 'the consumer', topic: 'the topic' },
  }),
  lagRecords: gauge({
    name: 'logloom_consumer_lag_records',
    unit: 'records',
    help: 'Records that a consumer has not read; offsets, where records were removed in between',
    labels: consumerLabels,
    aggregator: 'max',
  }),
  lagSeconds: gauge({
    name: 'logloom_consumer_lag_seconds',
    unit: 'seconds',
    help: 'Age of the oldest record that a consumer has not read; 0 where it has read all. It grows while the log cannot be asked',
    labels: consumerLabels,
    aggregator: 'max',
  }),
  diskFree: gauge({
    name: 'logloom_disk_free_bytes',
    unit: 'bytes',
    help: 'Bytes that are free on the disk of the data folder',
    aggregator: 'min',
  }),
  diskSize: gauge({
    name: 'logloom_disk_size_bytes',
    unit: 'bytes',
    help: 'Size of the disk of the data folder',
    aggregator: 'max',
  }),
  diskReserve: gauge({
    name: 'logloom_disk_reserve_bytes',
    unit: 'bytes',
    help: 'With fewer bytes free than this, ingest refuses events',
    aggregator: 'max',
  }),
  dataBytes: gauge({
    name: 'logloom_data_bytes',
    unit: 'bytes',
    help: 'What the files of the data folder take, measured every minute',
    labels: {
      kind: 'topics, stores, others',
      name: 'the topic; what files of the stores begin with; the folder of others',
    },
    aggregator: 'max',
  }),
  memoryBudget: gauge({
    name: 'logloom_memory_budget_bytes',
    unit: 'bytes',
    help: 'What may be taken of a memory budget; beyond it senders are refused, and viewers get less',
    labels: {
      budget:
        'ingest: requests in work; live: what waits for viewers; api: responses that clients have not read',
    },
  }),
  memoryBudgetUsed: gauge({
    name: 'logloom_memory_budget_used_bytes',
    unit: 'bytes',
    help: 'What is taken of a memory budget',
    labels: { budget: 'as of logloom_memory_budget_bytes' },
  }),
});

/** Registers a memory budget: what may be taken of it, and what `usedBytes` says is taken. */
export function observeBudget(
  registry: Telemetry['registry'],
  budget: 'ingest' | 'live' | 'api',
  bytes: number,
  usedBytes: () => number,
): void {
  runtimeMetrics.memoryBudget.create(registry).set({ budget }, bytes);
  runtimeMetrics.memoryBudgetUsed.observe(registry, (set) => set(usedBytes(), { budget }));
}
