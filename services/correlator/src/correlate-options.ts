import type { CorrelateOptions } from './correlate.ts';
import type { Settings } from '@logloom/settings';

/** When groups close, by the settings. */
export function correlateOptions(settings: Settings): CorrelateOptions {
  return {
    idleMs: settings.CORRELATION_IDLE_MS,
    maxMs: settings.CORRELATION_MAX_MS,
    graceMs: settings.CORRELATION_GRACE_MS,
    maxEvents: settings.CORRELATION_MAX_EVENTS,
    maxGroups: settings.CORRELATION_MAX_GROUPS,
  };
}
