import type { AddressSeat } from './address-book.ts';
import { refilled } from './rate-limit.ts';
import type { ViewerLimits } from './viewer-limits.ts';

/** How much one connection may still send. One a connection, so it holds two numbers and no more than it must. */
export class ClientRate {
  readonly #limits: ViewerLimits;
  readonly #seat: AddressSeat;
  #messages: number;
  #subscribes: number;
  #filledAt: number;

  constructor(limits: ViewerLimits, seat: AddressSeat, nowMs: number) {
    this.#limits = limits;
    this.#seat = seat;
    this.#messages = 2 * limits.messagesPerSecond;
    this.#subscribes = 2 * limits.subscriptions;
    this.#filledAt = nowMs;
  }

  /** Whether one more message of the client may be looked at. */
  admitMessage(nowMs: number): boolean {
    const { messagesPerSecond, subscribesPerSecond, subscriptions } = this.#limits;
    const elapsedMs = nowMs - this.#filledAt;
    this.#filledAt = nowMs;
    this.#messages = refilled(this.#messages, messagesPerSecond, 2 * messagesPerSecond, elapsedMs);
    this.#subscribes = refilled(this.#subscribes, subscribesPerSecond, 2 * subscriptions, elapsedMs);
    if (this.#messages < 1) return false;
    this.#messages--;
    return this.#seat.admitMessage(nowMs);
  }

  /** Whether the message that was just admitted may be a subscribe. */
  admitSubscribe(): boolean {
    if (this.#subscribes < 1) return false;
    this.#subscribes--;
    return true;
  }

  /** Gives the address its seat back. */
  leave(): void {
    this.#seat.leave();
  }
}
