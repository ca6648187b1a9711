import { KeysUnavailable, type IngestKey, type IngestKeys, type KeyQuota } from '@logloom/auth';
import type { LogEvent } from '@logloom/schemas';
import type { IncomingHttpHeaders } from 'node:http';
import { IngestError, reject, type Rejection } from './errors.ts';
import type { KeyMetrics } from './telemetry.ts';
import { TokenBucket } from './token-bucket.ts';

/** Paths that need no key: what asks whether the service lives holds no event. */
const open = new Set(['/health/live', '/health/ready', '/ready']);

interface Account {
  /** What the buckets were made for: a changed keys file makes new ones. */
  terms: string;
  events: TokenBucket | undefined;
  bytes: TokenBucket | undefined;
}

/** Asks every request for a key, and holds each key to its quota. */
export class KeyGuard {
  readonly #keys: IngestKeys;
  readonly #quota: KeyQuota;
  readonly #metrics: KeyMetrics;
  readonly #accounts = new Map<string, Account>();

  /** `quota` is that of keys without one of their own. */
  constructor(keys: IngestKeys, quota: KeyQuota, metrics: KeyMetrics) {
    this.#keys = keys;
    this.#quota = quota;
    this.#metrics = metrics;
  }

  /** The request's key; undefined where none is needed. Throws IngestError `unauthorized`, `auth-unavailable`. */
  identify(url: string, headers: IncomingHttpHeaders): IngestKey | undefined {
    if (open.has(url.split('?', 1)[0]!)) return undefined;
    let key: IngestKey | undefined;
    try {
      key = this.#keys.find(headers);
    } catch (error) {
      if (error instanceof KeysUnavailable)
        throw new IngestError('auth-unavailable', undefined, { cause: error });
      throw error;
    }
    if (key === undefined) throw new IngestError('unauthorized');
    return key;
  }

  /** Throws IngestError `quota-exceeded`, saying when there is room again. */
  admit(key: IngestKey): void {
    const { events, bytes } = this.#account(key);
    const now = performance.now();
    const [eventsMs, bytesMs] = [events?.waitMs(now) ?? 0, bytes?.waitMs(now) ?? 0];
    if (eventsMs === 0 && bytesMs === 0) return;
    this.#metrics.refused.inc({ key: key.name });
    const seconds = Math.ceil(Math.max(eventsMs, bytesMs) / 1000);
    const what = eventsMs >= bytesMs ? 'events' : 'bytes';
    throw new IngestError(
      'quota-exceeded',
      `the key ${key.name} has sent more ${what} than its quota: again in ${seconds} s`,
      { retryAfterSeconds: seconds },
    );
  }

  charge(key: IngestKey, used: { events?: number; bytes?: number }): void {
    const { events, bytes } = this.#account(key);
    const now = performance.now();
    if (used.events !== undefined) {
      events?.take(used.events, now);
      this.#metrics.events.inc({ key: key.name }, used.events);
    }
    if (used.bytes !== undefined) {
      bytes?.take(used.bytes, now);
      this.#metrics.bytes.inc({ key: key.name }, used.bytes);
    }
  }

  #account({ name, quota = this.#quota }: IngestKey): Account {
    const terms = JSON.stringify(quota);
    const account = this.#accounts.get(name);
    if (account?.terms === terms) return account;
    const bucket = (rate: number | undefined): TokenBucket | undefined =>
      rate === undefined ? undefined : new TokenBucket(rate, quota.burstSeconds, performance.now());
    const made = { terms, events: bucket(quota.eventsPerSecond), bytes: bucket(quota.bytesPerSecond) };
    this.#accounts.set(name, made);
    return made;
  }
}

/** The event, if its sender may send events of this service. */
export function ifAllowed(result: LogEvent | Rejection, key: IngestKey | undefined): LogEvent | Rejection {
  if (key === undefined || 'code' in result || key.allows(result.service)) return result;
  return reject(
    'service-not-allowed',
    `the key ${key.name} may not send events of the service ${result.service}`,
  );
}
