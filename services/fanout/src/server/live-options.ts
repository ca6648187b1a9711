import type { Settings } from '../settings.ts';
import type { LiveTierOptions } from './live-tier-options.ts';

/** Returns the live tier's options from the settings. */
export function liveOptions(settings: Settings): Partial<LiveTierOptions> {
  return {
    maxViewers: settings.LIVE_MAX_VIEWERS,
    maxHandshakes: settings.LIVE_MAX_HANDSHAKES,
    durableNames: settings.LIVE_DURABLE_NAMES,
    durableBytes: settings.LIVE_DURABLE_BYTES,
    drainMs: settings.LIVE_DRAIN_MS,
    host: settings.HOST,
    allowedHosts: settings.ALLOWED_HOSTS,
    auditReads: settings.AUDIT_READS,
    allowedOrigins: settings.LIVE_ALLOWED_ORIGINS,
    trustedProxies: settings.LIVE_TRUSTED_PROXIES,
    addressLimits: {
      connections: settings.LIVE_ADDRESS_CONNECTIONS,
      messagesPerSecond: settings.LIVE_ADDRESS_MESSAGES_PER_SECOND,
    },
    limits: {
      messageBytes: settings.LIVE_MAX_MESSAGE_BYTES,
      subscriptions: settings.LIVE_MAX_SUBSCRIPTIONS,
      messagesPerSecond: settings.LIVE_MESSAGES_PER_SECOND,
      subscribesPerSecond: settings.LIVE_SUBSCRIBES_PER_SECOND,
      filter: {
        terms: settings.LIVE_FILTER_TERMS,
        depth: settings.LIVE_FILTER_DEPTH,
        wildcards: settings.LIVE_FILTER_WILDCARDS,
      },
    },
  };
}
