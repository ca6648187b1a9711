import type { IngestError } from '../errors.ts';
import { quotaError, type Debt } from './quota-accounts.ts';
import type { ServiceQuotas } from './service-quotas.ts';

interface Share {
  events: number;
  bytes: number;
  /** The debt when the service was first seen. */
  debt: Debt | undefined;
}

/**
 * The quotas of services in one batch. A service with room when it is first seen may send the whole batch and is charged afterwards:
 * otherwise a request larger than the burst would never be accepted.
 */
export class ServiceAllowance {
  readonly #quotas: ServiceQuotas;
  readonly #receiver: string;
  readonly #shares = new Map<string, Share>();
  #exceeded: [service: string, debt: Debt] | undefined;

  constructor(quotas: ServiceQuotas, receiver: string) {
    this.#quotas = quotas;
    this.#receiver = receiver;
  }

  /** Whether an event of a service without room was counted. */
  get isExceeded(): boolean {
    return this.#exceeded !== undefined;
  }

  /** Returns undefined when the service has room; else reports the refusal and returns its error. */
  refusal(service: string): IngestError | undefined {
    const { debt } = this.#share(service);
    return debt && this.#refuse(service, debt);
  }

  count(service: string, bytes: number): void {
    const share = this.#share(service);
    share.events++;
    share.bytes += bytes;
    const { debt } = share;
    if (debt !== undefined && debt.waitMs > (this.#exceeded?.[1].waitMs ?? 0))
      this.#exceeded = [service, debt];
  }

  /** Charges what was counted. Throws IngestError `quota-exceeded`, and charges nothing, when a service had no room. */
  settle(): void {
    if (this.#exceeded !== undefined) throw this.#refuse(...this.#exceeded);
    for (const [service, { events, bytes }] of this.#shares)
      if (events > 0) this.#quotas.charge(service, { events, bytes });
    this.#shares.clear();
  }

  #refuse(service: string, debt: Debt): IngestError {
    this.#quotas.onRefused(service, this.#receiver);
    return quotaError(`the service ${service}`, debt);
  }

  #share(service: string): Share {
    let share = this.#shares.get(service);
    if (share === undefined)
      this.#shares.set(service, (share = { events: 0, bytes: 0, debt: this.#quotas.debtOf(service) }));
    return share;
  }
}
