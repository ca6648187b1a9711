import type { LogGap } from '@logloom/event-log';
import type { Telemetry } from '@logloom/telemetry';
import { runtimeMetrics } from './runtime-metrics.ts';

/**
 * Reports that a consumer will never get some records, by a log line and a metric. `effect` is the consequence for users of Logloom;
 * `known` of the records were seen before, or are stored elsewhere.
 */
export type GapReport = (consumer: string, gap: LogGap, effect: string, known?: number) => void;

/** Reports the gaps of every consumer in this registry the same way. `reads`: which consumers read which topics. */
export function createGapReport(
  { logger, registry }: Pick<Telemetry, 'logger' | 'registry'>,
  reads: readonly { consumer: string; topic: string }[],
): GapReport {
  const records = runtimeMetrics.gapRecords.create(registry);
  // A series that appears with its first increase is invisible to increase().
  for (const labels of reads) records.inc(labels, 0);
  return (consumer, gap, effect, known = 0) => {
    const missing = gap.to - gap.from - known;
    records.inc({ consumer, topic: gap.topic }, missing);
    logger.error({ consumer, ...gap, records: missing }, `records have left the log unread: ${effect}`);
  };
}
