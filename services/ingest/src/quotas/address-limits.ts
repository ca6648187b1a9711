import { networkOf, type Quota } from '@logloom/auth';
import type { Settings } from '../settings.ts';
import type { Socket } from 'node:net';
import { QuotaAccounts, quotaError, type Debt, type Meter, type Usage } from './quota-accounts.ts';

/** Holds each address to its quota, where receivers identify senders by nothing else. */
export class AddressQuotas {
  readonly #quota: Quota;
  readonly #accounts = new QuotaAccounts();
  readonly #onRefused: () => void;

  constructor(quota: Quota, onRefused: () => void) {
    this.#quota = quota;
    this.#onRefused = onRefused;
  }

  debtOf(address: string): Debt | undefined {
    return this.#accounts.debtOf(networkOf(address), this.#quota);
  }

  charge(address: string, used: Usage): void {
    this.#accounts.charge(networkOf(address), this.#quota, used);
  }

  meter(address: string): Meter {
    return {
      admit: () => {
        const debt = this.debtOf(address);
        if (debt === undefined) return;
        this.#onRefused();
        throw quotaError(`the address ${networkOf(address)}`, debt);
      },
      charge: (used) => this.charge(address, used),
    };
  }
}

/** Undefined where no setting limits addresses. */
export function createAddressQuotas(
  settings: Pick<Settings, 'INGEST_ADDRESS_EVENTS_PER_SECOND' | 'INGEST_ADDRESS_BYTES_PER_SECOND'>,
  onRefused: () => void,
): AddressQuotas | undefined {
  const eventsPerSecond = settings.INGEST_ADDRESS_EVENTS_PER_SECOND;
  const bytesPerSecond = settings.INGEST_ADDRESS_BYTES_PER_SECOND;
  if (eventsPerSecond === undefined && bytesPerSecond === undefined) return undefined;
  return new AddressQuotas({ eventsPerSecond, bytesPerSecond, burstSeconds: 2 }, onRefused);
}

/** Counts the open connections of each address. */
export class AddressConnections {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** `max` unset: any number. */
  constructor(max: number | undefined) {
    this.#max = max ?? Infinity;
  }

  /** Returns whether the address may have one more connection; if so, the connection counts until it closes. */
  enter(socket: Socket): boolean {
    if (this.#max === Infinity) return true;
    const address = networkOf(socket.remoteAddress ?? 'unknown');
    const open = this.#open.get(address) ?? 0;
    if (open >= this.#max) return false;
    this.#open.set(address, open + 1);
    socket.once('close', () => this.#leave(address));
    return true;
  }

  #leave(address: string): void {
    const left = this.#open.get(address)! - 1;
    if (left === 0) this.#open.delete(address);
    else this.#open.set(address, left);
  }
}
