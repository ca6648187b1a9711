import type { CorrelateOptions } from './correlate.ts';
import { memoryBudget } from '@logloom/settings';
import type { Settings } from './settings.ts';

/** The share of this thread's memory that open requests may use. */
const memoryShare = 1 / 4;

/** When sessions close, by the settings and the available memory. */
export function correlateOptions(settings: Settings): CorrelateOptions {
  return {
    idleMs: settings.CORRELATION_IDLE_MS,
    maxMs: settings.CORRELATION_MAX_MS,
    graceMs: settings.CORRELATION_GRACE_MS,
    maxEvents: settings.CORRELATION_MAX_EVENTS,
    maxSessions: settings.CORRELATION_MAX_GROUPS,
    // One process may hold all partitions.
    memoryBytes: Math.floor(
      (settings.CORRELATION_MEMORY_BYTES ?? memoryBudget(memoryShare)) / settings.LOG_PARTITIONS,
    ),
  };
}
