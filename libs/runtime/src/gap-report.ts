import type { LogGap } from '@logloom/event-log';
import { Counter, type Telemetry } from '@logloom/telemetry';

/**
 * Says that a consumer will never get some records: one line on the log and one count. `effect` is what follows from it for whoever
 * uses Logloom; `known` of the records were seen before, or stand somewhere else.
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
