import { KeysUnavailable, type IngestKey, type IngestKeys, type Quota } from '@logloom/auth';
import type { LogEvent } from '@logloom/schemas';
import type { IncomingHttpHeaders } from 'node:http';
import { IngestError, reject, type Rejection } from '../errors.ts';
import { QuotaAccounts, quotaError, type Meter } from '../quotas/quota-accounts.ts';
import type { KeyMetrics } from '../telemetry.ts';

/** Paths that need no key: what asks whether the service lives holds no event. */
const open = new Set(['/health/live', '/health/ready', '/ready']);

/** Asks every request for a key, and holds each key to its quota. */
export class KeyGuard {
  readonly #keys: IngestKeys;
  readonly #quota: Quota;
  readonly #metrics: KeyMetrics;
  readonly #accounts = new QuotaAccounts();

  /** `quota` is that of keys without one of their own. */
  constructor(keys: IngestKeys, quota: Quota, metrics: KeyMetrics) {
    this.#keys = keys;
    this.#quota = quota;
    this.#metrics = metrics;
  }

  /** The request's key; undefined where none is needed. Throws IngestError `unauthorized`, `auth-unavailable`. */
  identify(url: string, headers: IncomingHttpHeaders): IngestKey | undefined {
    if (open.has(url.split('?', 1)[0]!)) return undefined;
    const key = ifAvailable(() => this.#keys.find(headers));
    if (key === undefined)
      throw new IngestError('unauthorized', 'no key came with the request, or none that is known');
    return key;
  }

  /** The key of that name, to judge anew what was sent with it; undefined where there is none any more. Throws `auth-unavailable`. */
  named(name: string): IngestKey | undefined {
    return ifAvailable(() => this.#keys.named(name));
  }

  meter(key: IngestKey): Meter {
    const { name, quota = this.#quota } = key;
    return {
      admit: () => {
        const debt = this.#accounts.debtOf(name, quota);
        if (debt === undefined) return;
        this.#metrics.refused.inc({ key: name });
        throw quotaError(`the key ${name}`, debt);
      },
      charge: (used) => {
        this.#accounts.charge(name, quota, used);
        if (used.events !== undefined) this.#metrics.events.inc({ key: name }, used.events);
        if (used.bytes !== undefined) this.#metrics.bytes.inc({ key: name }, used.bytes);
      },
    };
  }
}

function ifAvailable<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error;
    throw new IngestError('auth-unavailable', undefined, { cause: error });
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

/** The event, if the key that it was once sent with is still known, and may send events of this service now. */
export function ifStillAllowed(
  result: LogEvent | Rejection,
  key: IngestKey | undefined,
): LogEvent | Rejection {
  return 'code' in result || key !== undefined ? ifAllowed(result, key) : reject('key-unknown');
}
