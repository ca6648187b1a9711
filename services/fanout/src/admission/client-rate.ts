import type { ConnectionSlot } from './principal-limiter.ts';
import { refilled } from './rate-limit.ts';
import type { ViewerLimits } from './viewer-limits.ts';

/** A client may exceed its rate by this many seconds' worth of messages; the allowance refills at that rate. */
const patienceSeconds = 20;

/** How much one connection may still send. There is one for each connection, so it holds a few numbers only. */
export class ClientRate {
  readonly #limits: ViewerLimits;
  readonly #slot: ConnectionSlot;
  #messages: number;
  #subscribes: number;
  #filledAtMs: number;
  /** Messages over the rate that it may still send before it counts as flooding. */
  #patience: number;

  constructor(limits: ViewerLimits, slot: ConnectionSlot, nowMs: number) {
    this.#limits = limits;
    this.#slot = slot;
    this.#messages = 2 * limits.messagesPerSecond;
    this.#subscribes = 2 * limits.subscriptions;
    this.#filledAtMs = nowMs;
    this.#patience = patienceSeconds * limits.messagesPerSecond;
  }

  /** Whether one more message of the client may be processed. */
  admitMessage(nowMs: number): boolean {
    const { messagesPerSecond, subscribesPerSecond, subscriptions } = this.#limits;
    const elapsedMs = nowMs - this.#filledAtMs;
    this.#filledAtMs = nowMs;
    this.#messages = refilled(this.#messages, messagesPerSecond, 2 * messagesPerSecond, elapsedMs);
    this.#subscribes = refilled(this.#subscribes, subscribesPerSecond, 2 * subscriptions, elapsedMs);
    const patience = patienceSeconds * messagesPerSecond;
    this.#patience = refilled(this.#patience, messagesPerSecond, patience, elapsedMs);
    if (this.#messages < 1) return false;
    this.#messages--;
    return this.#slot.admitMessage(nowMs);
  }

  /** Whether the message that was just admitted may be a subscribe. */
  admitSubscribe(nowMs: number): boolean {
    if (this.#subscribes < 1) return false;
    this.#subscribes--;
    return this.#slot.admitSubscribe(nowMs);
  }

  /** Counts a message that was not admitted; returns true once it is a flood and not just a burst. */
  isFlood(): boolean {
    return --this.#patience < 0;
  }

  /** Frees the connection's slot. */
  release(): void {
    this.#slot.release();
  }
}
