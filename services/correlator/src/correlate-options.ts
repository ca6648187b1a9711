import type { CorrelateOptions } from './correlate.ts';
import { memoryBudget } from '@logloom/settings';
import type { Settings } from './settings.ts';

/** The share of this thread's memory that open requests may use. */
const memoryShare = 1 / 4;
/** The share that requests of a backfill may use beside them. */
const backfillShare = 1 / 8;

/** When sessions close, by the settings and the available memory. */
export function correlateOptions(settings: Settings): CorrelateOptions {
  return {
    idleMs: settings.CORRELATION_IDLE_MS,
    maxMs: settings.CORRELATION_MAX_MS,
    graceMs: settings.CORRELATION_GRACE_MS,
    maxEvents: settings.CORRELATION_MAX_EVENTS,
    maxSessions: settings.CORRELATION_MAX_GROUPS,
    // Whether there are links is up to ingest.
    joins: true,
    memoryBytes: ofPartition(settings, settings.CORRELATION_MEMORY_BYTES ?? memoryBudget(memoryShare)),
    backfill: {
      idleMs: settings.CORRELATION_BACKFILL_IDLE_MS,
      maxMs: settings.CORRELATION_BACKFILL_MAX_MS,
      graceMs: settings.CORRELATION_BACKFILL_GRACE_MS,
      memoryBytes: ofPartition(
        settings,
        settings.CORRELATION_BACKFILL_MEMORY_BYTES ?? memoryBudget(backfillShare),
      ),
    },
  };
}

/** One process may hold all partitions. */
function ofPartition({ LOG_PARTITIONS }: Settings, bytes: number): number {
  return Math.floor(bytes / LOG_PARTITIONS);
}
