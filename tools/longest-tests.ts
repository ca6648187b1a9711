/**
 * The integration tests that take longest on a quiet machine, the longest first. They begin in this order, before all others: begun last,
 * each of them would leave the other lanes idle. `npm test` prints the slowest files at its end.
 */
export const longestTests: readonly string[] = [
  'tests/production/frozen-brokers.int.test.ts',
  'libs/event-log/src/kafka/cluster.int.test.ts',
  'tests/production/exactness.int.test.ts',
  'tests/pipeline/exactness.int.test.ts',
  'tests/contract/kafka-pipeline.int.test.ts',
  'tests/pipeline/send.int.test.ts',
  'tests/pipeline/rules.int.test.ts',
  'tests/production/trimmed-topics.int.test.ts',
  'tests/pipeline/cli.int.test.ts',
  'tests/pipeline/durable.int.test.ts',
  'libs/archive/src/mongodb/mongo-archive.int.test.ts',
  'services/ingest/src/pipeline/kill.int.test.ts',
  'services/fanout/src/workers/workers.int.test.ts',
  'libs/event-log/src/kafka/kafka-event-log.int.test.ts',
  'tests/pipeline/jobs.int.test.ts',
  'tests/packages/install.int.test.ts',
  'services/correlator/src/many-partitions.int.test.ts',
  'tests/contract/tracing.int.test.ts',
  'tests/pipeline/full-disk.int.test.ts',
  'services/indexer/src/frozen-engines.int.test.ts',
  'services/fanout/src/history/resume.int.test.ts',
  'services/correlator/src/correlator.int.test.ts',
];

/** The files, those of `longestTests` first and in its order. */
export function longestFirst(files: readonly string[]): string[] {
  const found = new Set(files);
  return [...new Set([...longestTests.filter((file) => found.has(file)), ...files])];
}
