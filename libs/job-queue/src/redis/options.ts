import type { FileValue, TlsValues } from '@logloom/settings/connection';

export const redisModes = ['single', 'sentinel', 'cluster'] as const;

/** How Redis is reached, beside its URL. Plain data: it is copied to worker threads. */
export interface RedisAccess {
  /** What the hosts of the URL are: one Redis, sentinels, or nodes of a cluster. Default single. */
  mode?: (typeof redisModes)[number];
  /** The name that the sentinels know the Redis by. */
  sentinelName?: string;
  sentinelUsername?: FileValue | undefined;
  sentinelPassword?: FileValue | undefined;
  /** Instead of the URL's. */
  username?: FileValue | undefined;
  password?: FileValue | undefined;
  tls?: TlsValues | undefined;
}
