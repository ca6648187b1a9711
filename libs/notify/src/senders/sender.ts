import type { AddressRules } from '../net/address-rules.ts';
import type { Notification } from './notification.ts';

export interface SendDeps {
  rules: AddressRules;
  /** The console's URL, as people reach it. */
  link: string | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/**
 * Tells a receiver, and resolves once it has acknowledged; throws DeliveryError. At least once: where the answer is lost, it is told again,
 * with the same id.
 */
export type Send<Options> = (
  options: Options,
  notification: Notification,
  deps: SendDeps,
  signal: AbortSignal,
) => Promise<void>;
