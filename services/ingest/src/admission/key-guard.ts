import {
  canaryService,
  KeysUnavailable,
  openCanarySeal,
  type CanarySeal,
  type IngestKey,
  type IngestKeys,
  type Quota,
} from '@logloom/auth';
import type { LogEvent } from '@logloom/schemas';
import type { Settings } from '../settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import type { IncomingHttpHeaders } from 'node:http';
import { IngestError, reject, type Rejection } from '../errors.ts';
import { QuotaAccounts, quotaError, type Meter } from '../quotas/quota-accounts.ts';
import { createKeyMetrics, type KeyMetrics } from '../telemetry.ts';

/** Requires a key of every request, and holds each key to its quota. */
export class KeyGuard {
  readonly #keys: IngestKeys;
  readonly #quota: Quota;
  readonly #metrics: KeyMetrics;
  readonly #accounts = new QuotaAccounts();
  readonly #canary: CanarySeal | undefined;

  /** `quota` is for keys without one of their own; the canary's token counts as a key for its own service. */
  constructor(keys: IngestKeys, quota: Quota, metrics: KeyMetrics, canary?: CanarySeal) {
    this.#canary = canary;
    this.#keys = keys;
    this.#quota = quota;
    this.#metrics = metrics;
  }

  /** Returns the request's key. Throws IngestError `unauthorized`, `auth-unavailable`. */
  identify(headers: IncomingHttpHeaders): IngestKey {
    if (this.#canary?.isFromCanary({ headers }) === true) return canaryKey;
    const key = ifAvailable(() => this.#keys.find(headers));
    if (key === undefined)
      throw new IngestError('unauthorized', 'no key came with the request, or none that is known');
    return key;
  }

  /** Returns the key of that name, to check again what was sent with it; undefined when it no longer exists. Throws `auth-unavailable`. */
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

/** Returns undefined where no setting names a file of keys. Rejects when the file cannot be read. */
export async function createKeyGuard(
  settings: Pick<
    Settings,
    | 'INGEST_KEYS'
    | 'INGEST_KEY_EVENTS_PER_SECOND'
    | 'INGEST_KEY_BYTES_PER_SECOND'
    | 'CANARY'
    | 'CANARY_SECRET'
  >,
  telemetry: Telemetry,
): Promise<KeyGuard | undefined> {
  if (settings.INGEST_KEYS === undefined) return undefined;
  // Loaded only where there are keys: it would slow down every start.
  const { IngestKeys } = await import('@logloom/auth/ingest-keys');
  const quota = {
    eventsPerSecond: settings.INGEST_KEY_EVENTS_PER_SECOND,
    bytesPerSecond: settings.INGEST_KEY_BYTES_PER_SECOND,
    burstSeconds: 2,
  };
  return new KeyGuard(
    new IngestKeys(settings.INGEST_KEYS),
    quota,
    createKeyMetrics(telemetry),
    openCanarySeal(settings),
  );
}

const canaryKey: IngestKey = {
  name: 'canary',
  quota: undefined,
  allows: (service) => service === canaryService,
};

function ifAvailable<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error;
    throw new IngestError('auth-unavailable', undefined, { cause: error });
  }
}

/** Returns the event if its key may send events of its service, else the rejection. */
export function ifAllowed(result: LogEvent | Rejection, key: IngestKey | undefined): LogEvent | Rejection {
  if (key === undefined || 'code' in result || key.allows(result.service)) return result;
  return reject(
    'service-not-allowed',
    `the key ${key.name} may not send events of the service ${result.service}`,
  );
}

/** Returns the event if the key that it was once sent with still exists and may send events of its service now, else the rejection. */
export function ifStillAllowed(
  result: LogEvent | Rejection,
  key: IngestKey | undefined,
): LogEvent | Rejection {
  return 'code' in result || key !== undefined ? ifAllowed(result, key) : reject('key-unknown');
}
