import type { EventLog } from '@logloom/event-log';
import type { JobRecords } from '@logloom/job-queue';
import { RemovalClock, type RemovalClockState } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import type { Logger } from '@logloom/telemetry';

export interface RetentionClockDeps {
  log: Pick<EventLog, 'startOffsets' | 'endOffsets' | 'read'>;
  records: Pick<JobRecords, 'get' | 'put'>;
  logger: Pick<Logger, 'warn'>;
  /** The machine's clock in ms. */
  nowMs: () => number;
  /** Monotonic time in ms, unaffected by changes of the machine's clock. */
  passed?: () => number;
}

const kind = 'removal-clock';
const id = 'retention';

/** The clock of retention: stored beside the jobs, and initialized with the time of the newest record of the log. */
export function createRetentionClock({
  log,
  records,
  logger,
  nowMs: now,
  passed,
}: RetentionClockDeps): RemovalClock {
  return new RemovalClock({
    nowMs: now,
    ...(passed && { passed }),
    load: async () => (await records.get(kind, id)) as RemovalClockState | undefined,
    save: (state) => records.put(kind, id, state),
    reached: () => newestAppendMs(log),
    onAhead: ({ now: reached, aheadMs }) =>
      logger.warn(
        { aheadSeconds: Math.round(aheadMs / 1000), retentionTime: new Date(reached).toISOString() },
        "the machine's clock jumped ahead, or the indexer stood still: retention uses the earlier time until the new one has lasted for a day",
      ),
  });
}

/** The append time of the newest record, ms; undefined where the log is empty. */
export async function newestAppendMs(log: RetentionClockDeps['log']): Promise<number | undefined> {
  let newest: number | undefined;
  for (const topic of Object.values(topics)) {
    const [starts, ends] = await Promise.all([log.startOffsets(topic), log.endOffsets(topic)]);
    for (const [partition, end] of ends.entries()) {
      if (end <= starts[partition]!) continue;
      const [last] = await log.read(topic, partition, end - 1, 1);
      if (last !== undefined) newest = Math.max(newest ?? 0, last.timestampMs);
    }
  }
  return newest;
}
