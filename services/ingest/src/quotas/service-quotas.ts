import { glob, type Quota } from '@logloom/auth';
import type { Settings } from '../settings.ts';
import { QuotaAccounts, type Debt, type Usage } from './quota-accounts.ts';

const burstSeconds = 2;

interface Rule {
  matches: (service: string) => boolean;
  quota: Quota;
}

/** Holds each service to its quota, no matter who sends its events. */
export class ServiceQuotas {
  readonly #rules: readonly Rule[];
  readonly #accounts = new QuotaAccounts();

  /** Called with each service that was over its quota, and the receiver that noticed. */
  readonly onRefused: (service: string, receiver: string) => void;

  /** The first rule that matches a service counts; a service that matches none is not limited. */
  constructor(rules: readonly Rule[], onRefused: (service: string, receiver: string) => void) {
    this.#rules = rules;
    this.onRefused = onRefused;
  }

  /** Returns undefined when the service may send. */
  debtOf(service: string): Debt | undefined {
    const quota = this.#quotaOf(service);
    return quota && this.#accounts.debtOf(service, quota);
  }

  charge(service: string, used: Usage): void {
    const quota = this.#quotaOf(service);
    if (quota !== undefined) this.#accounts.charge(service, quota, used);
  }

  #quotaOf(service: string): Quota | undefined {
    return this.#rules.find(({ matches }) => matches(service))?.quota;
  }
}

/** Undefined where no setting limits services. */
export function createServiceQuotas(
  settings: Pick<
    Settings,
    'INGEST_SERVICE_QUOTAS' | 'INGEST_SERVICE_EVENTS_PER_SECOND' | 'INGEST_SERVICE_BYTES_PER_SECOND'
  >,
  onRefused: (service: string, receiver: string) => void,
): ServiceQuotas | undefined {
  const rules = settings.INGEST_SERVICE_QUOTAS.map(({ service, ...rates }) => ({
    matches: glob(service),
    quota: { ...rates, burstSeconds },
  }));
  const eventsPerSecond = settings.INGEST_SERVICE_EVENTS_PER_SECOND;
  const bytesPerSecond = settings.INGEST_SERVICE_BYTES_PER_SECOND;
  if (eventsPerSecond !== undefined || bytesPerSecond !== undefined)
    rules.push({ matches: () => true, quota: { eventsPerSecond, bytesPerSecond, burstSeconds } });
  return rules.length === 0 ? undefined : new ServiceQuotas(rules, onRefused);
}
