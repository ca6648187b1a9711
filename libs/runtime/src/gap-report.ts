import type { LogGap } from '@logloom/event-log';
import { Counter, type Telemetry } from '@logloom/telemetry';

/**
 * Reports that a consumer will never get some records, by a log line and a metric. `effect` is the consequence for users of Logloom;
 * `known` of the records were seen before, or are stored elsewhere.
 */
export type GapReport = (consumer: string, gap: LogGap, effect: string, known?: number) => void;

const name = 'logloom_log_gap_records_total';

/** Reports the gaps of every consumer in this registry the same way. */
export function createGapReport({ logger, registry }: Pick<Telemetry, 'logger' | 'registry'>): GapReport {
  const records =
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({
      name,
      help: 'Records that a consumer never got, because they had left the log before.',
      labelNames: ['consumer', 'topic'],
      registers: [registry],
    });
  return (consumer, gap, effect, known = 0) => {
    const missing = gap.to - gap.from - known;
    records.inc({ consumer, topic: gap.topic }, missing);
    logger.error({ consumer, ...gap, records: missing }, `records have left the log unread: ${effect}`);
  };
}
