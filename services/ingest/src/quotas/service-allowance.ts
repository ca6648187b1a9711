import type { IngestError } from '../errors.ts';
import { quotaError, type Debt } from './quota-accounts.ts';
import type { ServiceQuotas } from './service-quotas.ts';

interface Share {
  events: number;
  bytes: number;
  /** As it stood when the service was first seen. */
  debt: Debt | undefined;
}

/**
 * What the services have in one unit of work. A service that may send when it is first seen may send all of it, and pays afterwards:
 * else a request larger than the burst would never get in.
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

  /** Whether an event was counted whose service had no room. */
  get isExceeded(): boolean {
    return this.#exceeded !== undefined;
  }

  /** Undefined where the service has room; else it is told as refused. */
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

  /** Charges what was counted. Throws IngestError `quota-exceeded` when some of it had no room; then nothing is charged. */
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
