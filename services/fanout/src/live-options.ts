import type { Settings } from '@logloom/settings';
import type { LiveTierOptions } from './live-tier.ts';

/** What the settings say about the live tier. */
export function liveOptions(settings: Settings): Partial<LiveTierOptions> {
  return { maxViewers: settings.LIVE_MAX_VIEWERS, drainMs: settings.LIVE_DRAIN_MS };
}
